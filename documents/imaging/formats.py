"""What a file is, by its bytes; its name and what the sender calls it are not asked."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import filetype

from documents.isolation.errors import Refusal

HEAD: Final = 4096


class Kind(StrEnum):
    """What is taken in, by its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    AVIF = "image/avif"
    HEIC = "image/heic"


# What the decoder's one plugin for each is called. A JPEG of several pictures, as phones write it (MPO),
# comes by the plugin for JPEG; naming MPO here would make Pillow read every JPEG as one.
PLUGINS: Final = {
    Kind.JPEG: "JPEG",
    Kind.PNG: "PNG",
    Kind.WEBP: "WEBP",
    Kind.AVIF: "AVIF",
    Kind.HEIC: "HEIF",
}

# What another program would open the same bytes as. A phone's own trailers (a film behind a photo, the
# depth of a portrait) are none of these. Long enough that compressed pixels do not hold one by chance.
_PAGE: Final = re.compile(rb"<script[\s>]|<html[\s>]|<!doctype html|<\?php\s|<svg\s", re.IGNORECASE)
_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\x00")
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_SIZE: Final = 22
_ZIP_COMMENT: Final = 65_535
_PDF_HEAD: Final = 1024

# In a JPEG: a marker that is neither a stuffed byte nor one to restart at, and those that have a length.
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_END_OF_IMAGE: Final = 0xD9
_SEGMENTS: Final = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))


def kind_of(content: bytes | memoryview) -> Kind:
    """Raises Refusal: ``not_an_image`` for whatever is none of Kind, ``animated`` for a film in PNG."""
    head = bytes(content[:HEAD])
    mime = filetype.guess_mime(head)
    if mime == "image/apng":
        raise Refusal("animated", "an animated PNG")
    try:
        return Kind(mime)
    except ValueError:
        raise Refusal("not_an_image", f"sniffed as {mime}") from None


def refuse_polyglot(content: bytes) -> None:
    """Raise Refusal ``polyglot`` for a picture that is also an archive, a PDF or a page.

    Variants hold pixels only, so this protects whoever gets hold of an original: a backup, a copy.
    """
    if b"%PDF-" in content[:_PDF_HEAD]:
        raise Refusal("polyglot", "a PDF as well")
    if _PAGE.search(content):
        raise Refusal("polyglot", "a page as well")
    if any(signature in content for signature in _ARCHIVES) or _is_zip(content):
        raise Refusal("polyglot", "an archive as well")


def refuse_cut_off(content: bytes) -> None:
    """Raise Refusal ``broken_image`` for a JPEG that has no end: decoders fill the rest with grey.

    What stands behind the end is not looked at: phones write there.
    """
    at = 2
    while (marker := _MARKER.search(content, at)) is not None:
        name = marker[1][0]
        if name == _END_OF_IMAGE:
            return
        at = marker.end()
        if name in _SEGMENTS:
            at += int.from_bytes(content[at : at + 2], "big")
    raise Refusal("broken_image", "a JPEG without an end")


def _is_zip(content: bytes) -> bool:
    """Whether a directory of a ZIP ends where readers look for it, and says so of itself."""
    start = max(0, len(content) - _ZIP_END_SIZE - _ZIP_COMMENT)
    at = content.rfind(_ZIP_END, start)
    while at >= 0:
        end = content[at : at + _ZIP_END_SIZE]
        size = int.from_bytes(end[12:16], "little")
        if len(end) == _ZIP_END_SIZE and (size <= at or size == 0xFFFFFFFF):
            return True
        at = content.rfind(_ZIP_END, start, at)
    return False
