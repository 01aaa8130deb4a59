"""BlurHash (https://github.com/woltapp/blurhash): some twenty characters for a blurred picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_STEPS: Final = 18  # of a component in red, green or blue, from -9 to 9

Colour = tuple[float, float, float]


def encode(pixels: bytes, *, width: int, height: int, across: int = 4, down: int = 3) -> str:
    """Of ``pixels``, three bytes each in sRGB, row by row. A few hundred pixels are enough.

    ``across`` and ``down``, 1 to 9 each, are the components.
    """
    linear = _linear()
    rows = [
        [
            (linear[pixels[at]], linear[pixels[at + 1]], linear[pixels[at + 2]])
            for at in range(row * width * 3, (row + 1) * width * 3, 3)
        ]
        for row in range(height)
    ]
    factors = [_factor(rows, x, y) for y in range(down) for x in range(across)]
    mean, others = factors[0], factors[1:]
    largest = max((abs(part) for factor in others for part in factor), default=0.0)
    scale = max(0, min(82, math.floor(largest * 166 - 0.5)))
    bound = (scale + 1) / 166
    told = _base83(across - 1 + (down - 1) * 9, 1) + _base83(scale if others else 0, 1)
    told += _base83(sum(_byte(part) << shift for part, shift in zip(mean, (16, 8, 0), strict=True)), 4)
    return told + "".join(_base83(_packed(factor, bound), 2) for factor in others)


def _factor(rows: Sequence[Sequence[Colour]], x: int, y: int) -> Colour:
    height, width = len(rows), len(rows[0])
    across = [math.cos(math.pi * x * column / width) for column in range(width)]
    red = green = blue = 0.0
    for number, row in enumerate(rows):
        of_row = math.cos(math.pi * y * number / height)
        for wave, colour in zip(across, row, strict=True):
            basis = wave * of_row
            red += basis * colour[0]
            green += basis * colour[1]
            blue += basis * colour[2]
    scale = (1 if x == y == 0 else 2) / (width * height)
    return red * scale, green * scale, blue * scale


def _packed(factor: Colour, bound: float) -> int:
    value = 0
    for part in factor:
        share = part / bound
        curved = math.copysign(math.sqrt(abs(share)), share)
        value = value * (_STEPS + 1) + max(0, min(_STEPS, math.floor(curved * 9 + 9.5)))
    return value


@lru_cache(maxsize=1)
def _linear() -> list[float]:
    """The light of each byte of sRGB."""
    return [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (byte / 255 for byte in range(256))
    ]


def _byte(light: float) -> int:
    light = max(0.0, min(1.0, light))
    value = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return int(value * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in range(length - 1, -1, -1))
