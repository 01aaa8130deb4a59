"""The fast engine: libvips, for JPEG. The same variants as Pillow makes, for less processor.

It decodes and scales; headers are judged, and variants are written, by Pillow as ever. The other formats
stay with Pillow, which notices half of a file in each of them; the loaders for them, and for some forty
more, are off.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from PIL import Image

from documents.imaging.formats import Kind
from documents.imaging.opening import Source
from documents.imaging.pillow_engine import PillowRaster
from documents.imaging.plan import Size
from documents.isolation.errors import Refusal

# One picture, one core: the callers decide how many run at once. libvips reads it when it is loaded.
os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips

_MODES: Final = frozenset({"RGB", "L"})
# What libjpeg can decode to a part of, by its own transform.
_SHRINKS: Final = (8, 4, 2)

pyvips.cache_set_max(0)
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadJpeg", False)


def reads(source: Source) -> bool:
    """Whether ``render`` is for it."""
    return source.kind is Kind.JPEG and source.image.mode in _MODES


class VipsRaster:
    """Pixels, upright, in sRGB."""

    def __init__(self, image: Any) -> None:
        self._image = image

    @property
    def size(self) -> Size:
        return self._image.width, self._image.height

    def shrunk(self, size: Size) -> VipsRaster:
        return self if size == self.size else VipsRaster(_resized(self._image, size).copy_memory())

    def cut(self, size: Size) -> VipsRaster:
        """The middle."""
        left, top = (self.size[0] - size[0]) // 2, (self.size[1] - size[1]) // 2
        return VipsRaster(self._image.crop(left, top, *size))

    def pixels(self) -> bytes:
        """Three bytes each."""
        return bytes(self._image.write_to_memory())

    def save(self, path: Path, media_type: str) -> None:
        # Pillow's WebP is the same encoder at the same settings, for a tenth less processor (measured).
        pixels = self._image.write_to_memory()
        PillowRaster(Image.frombuffer("RGB", self.size, pixels, "raw", "RGB", 0, 1)).save(path, media_type)


def render(source: Source, size: Size) -> VipsRaster:
    """The whole of ``source`` at ``size`` (upright, not above its own). Raises Refusal ``broken_image``."""
    lying = size[::-1] if source.is_turned else size
    fitting = (
        one for one in _SHRINKS if source.lying[0] >= lying[0] * one and source.lying[1] >= lying[1] * one
    )
    try:
        image = pyvips.Image.jpegload_buffer(
            source.content, shrink=next(fitting, 1), access="sequential", fail_on="truncated"
        )
        image = _resized(image, lying).copy_memory()
    except pyvips.Error as error:
        raise Refusal("broken_image", str(error)) from error
    if source.profile is not None:
        image = _by_profile(image)
    image = image.colourspace("srgb").cast("uchar")
    if source.orientation > 1:
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", source.orientation)
        image = image.autorot()
    return VipsRaster(image.copy_memory())


def _resized(image: Any, size: Size) -> Any:
    if (image.width, image.height) == size:
        return image
    return image.resize(size[0] / image.width, vscale=size[1] / image.height)


def _by_profile(image: Any) -> Any:
    """In sRGB by the profile that came with it; one that is broken, or of other colours, is as none."""
    try:
        return image.icc_transform("srgb", embedded=True, intent="perceptual").copy_memory()
    except pyvips.Error:
        return image
