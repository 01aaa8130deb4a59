"""Whether a made file holds pixels and nothing else: no EXIF, no XMP, no profile, no comment, no trailer.

The child makes such files; the parent looks, so that a decoder that was taken over cannot hand anything
on in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from documents.imaging.plan import AVIF, WEBP

# Pixels, lossy or not; transparency; and the header that announces it.
_WEBP_CHUNKS: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
# Of the header's flags only transparency: not profile, EXIF, XMP or animation.
_WEBP_FLAGS: Final = 0x10
_AVIF_BOXES: Final = frozenset({b"ftyp", b"meta", b"mdat", b"free"})
_AVIF_META: Final = frozenset({b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref"})
# Properties of an item: size, bits, decoder, colours by number, what transparency is. No profile ("prof",
# "rICC" in colr), and neither turned nor mirrored.
_AVIF_PROPERTIES: Final = frozenset({b"ispe", b"pixi", b"av1C", b"colr", b"auxC", b"pasp"})
_AVIF_ITEMS: Final = frozenset({b"av01"})


def is_bare(content: bytes, media_type: str) -> bool:
    """Whether ``content`` is a WebP or AVIF of pixels only."""
    try:
        if media_type == WEBP:
            return _is_bare_webp(content)
        return media_type == AVIF and _is_bare_avif(content)
    except ValueError:
        return False


def _is_bare_webp(content: bytes) -> bool:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return False
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        return False
    at, seen = 12, []
    while at < len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"VP8X" and content[at + 8] & ~_WEBP_FLAGS:
            return False
        seen.append(name)
        at += 8 + size + size % 2
    return at == len(content) and bool(seen) and set(seen) <= _WEBP_CHUNKS


def _is_bare_avif(content: bytes) -> bool:
    seen = dict(_boxes(content))
    if not seen.keys() <= _AVIF_BOXES or not seen.keys() >= {b"ftyp", b"meta", b"mdat"}:
        return False
    meta = dict(_boxes(seen[b"meta"][4:]))
    if not meta.keys() <= _AVIF_META:
        return False
    counted = 4 + (2 if meta[b"iinf"][0] == 0 else 4)
    items = [body[8:12] for name, body in _boxes(meta[b"iinf"][counted:]) if name == b"infe"]
    if not items or not set(items) <= _AVIF_ITEMS:
        return False
    properties = list(_boxes(dict(_boxes(meta[b"iprp"]))[b"ipco"]))
    if not {name for name, _body in properties} <= _AVIF_PROPERTIES:
        return False
    return all(body[:4] == b"nclx" for name, body in properties if name == b"colr")


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) one after the other. Raises ValueError where they do not fill ``content``."""
    at = 0
    while at < len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if size < 8 or at + size > len(content):
            raise ValueError("A box without end.")
        yield name, content[at + 8 : at + size]
        at += size
