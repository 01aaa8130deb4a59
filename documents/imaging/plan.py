"""Which variants are made of a picture, and how large each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Of the way that variants are made. Another number than a row's: ``rebuild_images`` makes it anew.
RECIPE: Final = 1

THUMB: Final = "thumb"
# By width in pixels, from large to small. A tall picture is bounded by its height as well.
WIDTHS: Final = {"large": 1600, "medium": 800, "small": 400}
TALLEST: Final = 2
THUMB_SIDE: Final = 256
NAMES: Final = (THUMB, *reversed(WIDTHS))

WEBP: Final = "image/webp"
AVIF: Final = "image/avif"
SUFFIXES: Final = {WEBP: "webp", AVIF: "avif"}
WEBP_QUALITY: Final = 80
WEBP_EFFORT: Final = 4
# AVIF costs ten times the processor: only where many people load many bytes, and only if it saves this
# part of them.
AVIF_NAMES: Final = ("large", "medium")
AVIF_QUALITY: Final = 60
AVIF_SPEED: Final = 8
AVIF_SAVES: Final = 0.1

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Variant:
    """``size`` upright. ``is_square``: cut from the middle."""

    name: str
    size: Size
    is_square: bool = False


def variants_of(size: Size) -> Sequence[Variant]:
    """From large to small, none larger than the picture, whose upright ``size`` this is.

    Every name is there; of a small picture several have the same size, and are one file.
    """
    made = [Variant(name, fitted(size, width)) for name, width in WIDTHS.items()]
    side = min(THUMB_SIDE, *made[0].size)
    return [*made, Variant(THUMB, (side, side), is_square=True)]


def fitted(size: Size, width: int) -> Size:
    """``size`` in ``width`` × ``TALLEST`` times that, in its proportions, never enlarged."""
    scale = min(1.0, width / size[0], width * TALLEST / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def covering(size: Size, side: int) -> Size:
    """``size`` shrunk until its shorter side is ``side``."""
    scale = min(1.0, side / min(size))
    return max(side, round(size[0] * scale)), max(side, round(size[1] * scale))
