"""How much a picture may be, judged by what its header says before anything is decoded."""

from __future__ import annotations

from typing import Final

from documents.imaging.formats import Kind
from documents.isolation.errors import Refusal

MEGABYTE: Final = 1024 * 1024
# Of the file. The largest that phones write is about 15 MB.
MOST_BYTES: Final = 25 * MEGABYTE
# What decoding may hold in memory.
MOST_HELD: Final = 200 * MEGABYTE
# The longer side to the shorter: a panorama is 4:1 or 5:1, a strip of 20,000 × 1 is none.
MOST_ASPECT: Final = 12
FEWEST_PIXELS: Final = 16

# Bytes that are held for a pixel while the whole is decoded (measured): Pillow's own, up to four and four
# more where the mode changes, and what the decoder keeps beside them. So a phone's 24 megapixels of HEIC
# are taken, and 50 are not.
HELD: Final = {Kind.PNG: 8, Kind.WEBP: 16, Kind.AVIF: 9, Kind.HEIC: 8}
# A JPEG is shrunk while it is decoded, row by row, so only one that needs all of its coefficients first,
# two bytes each, is bounded by memory. The other by time.
MOST_JPEG_PIXELS: Final = 100_000_000
_COEFFICIENT: Final = 2


def require_within(kind: Kind, width: int, height: int, *, coefficients: float = 0.0) -> None:
    """``coefficients`` of a JPEG are those it keeps for each pixel, of all its components; 0 for none.

    Raises Refusal: ``too_small``, ``too_long``, ``too_many_pixels``.
    """
    size = f"{width} × {height}"
    if min(width, height) < FEWEST_PIXELS:
        raise Refusal("too_small" if max(width, height) < MOST_ASPECT * FEWEST_PIXELS else "too_long", size)
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise Refusal("too_long", size)
    pixels = width * height
    held = HELD[kind] if kind in HELD else coefficients * _COEFFICIENT
    if pixels * held > MOST_HELD or pixels > MOST_JPEG_PIXELS:
        raise Refusal("too_many_pixels", size)
