"""The engine that is always there: Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from documents.imaging.colour import to_eight_bits, to_srgb
from documents.imaging.opening import Source, broken_as_refusal
from documents.imaging.plan import AVIF_QUALITY, AVIF_SPEED, WEBP, WEBP_EFFORT, WEBP_QUALITY, Size

_FILTER: Final = Image.Resampling.LANCZOS
# How many times the wanted size a quick box filter may leave before the good one.
_GAP: Final = 2.0
# EXIF's orientation, as what brings it upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PillowRaster:
    """Pixels, upright, in sRGB."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    @property
    def size(self) -> Size:
        return self._image.size

    def shrunk(self, size: Size) -> PillowRaster:
        return self if size == self.size else PillowRaster(_resized(self._image, size))

    def cut(self, size: Size) -> PillowRaster:
        """The middle."""
        left, top = (self.size[0] - size[0]) // 2, (self.size[1] - size[1]) // 2
        return PillowRaster(self._image.crop((left, top, left + size[0], top + size[1])))

    def pixels(self) -> bytes:
        """Three bytes each, before white."""
        image = self._image
        if image.mode == "RGBA":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image).convert("RGB")
        return image.tobytes()

    def save(self, path: Path, media_type: str) -> None:
        # What came with the original is in ``info``, from which Pillow would write it out again.
        self._image.info = {}
        if media_type == WEBP:
            self._image.save(path, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)
        else:
            self._image.save(path, "AVIF", quality=AVIF_QUALITY, speed=AVIF_SPEED, max_threads=1)


def render(source: Source, size: Size) -> PillowRaster:
    """The whole of ``source`` at ``size`` (upright, not above its own). Raises Refusal ``broken_image``."""
    lying = size[::-1] if source.is_turned else size
    with broken_as_refusal():
        image = source.image
        # A JPEG is decoded at a half, a quarter or an eighth where that is still enough.
        image.draft(None, lying)
        image.load()
    image = _resized(to_eight_bits(image), lying)
    image = to_srgb(image, source.profile)
    if source.orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[source.orientation])
    return PillowRaster(image)


def _resized(image: Image.Image, size: Size) -> Image.Image:
    return image if image.size == size else image.resize(size, _FILTER, reducing_gap=_GAP)
