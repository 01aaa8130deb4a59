"""A photo of twelve megapixels, drawn: soft colours, edges of all sizes, and a sensor's grain."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

SIZE = (4032, 3024)
# Grain by its size: so many cells across, so strong.
_GRAIN = ((40, 60), (160, 40), (640, 24), (SIZE[0], 10))


def draw_photo(path: Path) -> None:
    """The same at each run but for the finest grain, which no two photos share."""
    drawn = random.Random(1)
    width, height = SIZE
    small = Image.new("RGB", (8, 6))
    for x in range(8):
        for y in range(6):
            small.putpixel((x, y), tuple(drawn.randrange(40, 220) for _ in range(3)))
    image = small.resize(SIZE, Image.Resampling.BICUBIC)
    for cells, strength in _GRAIN:
        size = (cells, cells * height // width)
        grain = Image.merge("RGB", [Image.effect_noise(size, strength) for _ in range(3)])
        image = ImageChops.add(image, grain.resize(SIZE, Image.Resampling.BICUBIC), 1, -128)
    canvas = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = drawn.randrange(width), drawn.randrange(height), drawn.randrange(width // 60, width // 12)
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=tuple(drawn.randrange(256) for _ in range(3)))
    image.save(path, "JPEG", quality=90)
