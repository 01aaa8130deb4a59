"""The fast engine: libvips, for JPEG. The same variants as Pillow makes, for less processor.

Headers are judged by Pillow before, as ever. The other formats stay with Pillow, which notices half of a
file in each of them; the loaders for them, and for some forty more, are off.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from PIL import Image

from documents.imaging import pillow_engine
from documents.imaging.formats import Kind
from documents.imaging.opening import Source
from documents.imaging.plan import WEBP, WEBP_EFFORT, WEBP_QUALITY, Size
from documents.isolation.errors import Refusal

# One picture, one core: the callers decide how many run at once. libvips reads it when it is loaded.
os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips

KINDS: Final = frozenset({Kind.JPEG})
_OPAQUE: Final = 255

pyvips.cache_set_max(0)
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadJpeg", False)


class VipsRaster:
    """Pixels, upright, in sRGB."""

    def __init__(self, image: Any) -> None:
        self._image = image

    @property
    def size(self) -> Size:
        return self._image.width, self._image.height

    def shrunk(self, size: Size) -> VipsRaster:
        if size == self.size:
            return self
        small = self._image.thumbnail_image(size[0], height=size[1], size="force", no_rotate=True)
        return VipsRaster(small.copy_memory())

    def cut(self, size: Size) -> VipsRaster:
        """The middle."""
        left, top = (self.size[0] - size[0]) // 2, (self.size[1] - size[1]) // 2
        return VipsRaster(self._image.crop(left, top, *size))

    def pixels(self) -> bytes:
        """Three bytes each, before white."""
        image = self._image
        if image.hasalpha():
            image = image.flatten(background=[_OPAQUE] * 3).cast("uchar")
        return bytes(image.write_to_memory())

    def save(self, path: Path, media_type: str) -> None:
        if media_type == WEBP:
            self._image.webpsave(str(path), Q=WEBP_QUALITY, effort=WEBP_EFFORT, keep="none")
        else:
            mode = "RGBA" if self._image.hasalpha() else "RGB"
            pixels = bytes(self._image.write_to_memory())
            pillow_engine.PillowRaster(Image.frombytes(mode, self.size, pixels)).save(path, media_type)


def render(source: Source, size: Size) -> VipsRaster:
    """The whole of ``source`` at ``size`` (upright, not above its own). Raises Refusal ``broken_image``."""
    lying = size[::-1] if source.is_turned else size
    try:
        image = pyvips.Image.thumbnail_buffer(
            source.content,
            lying[0],
            height=lying[1],
            size="force",
            no_rotate=True,
            output_profile="srgb",
            intent="perceptual",
            fail_on="truncated",
        )
        image = image.colourspace("srgb").cast("uchar").copy_memory()
        if image.hasalpha() and image[image.bands - 1].min() == _OPAQUE:
            image = image.extract_band(0, n=image.bands - 1)
    except pyvips.Error as error:
        raise Refusal("broken_image", str(error)) from error
    if source.orientation > 1:
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", source.orientation)
        image = image.autorot().copy_memory()
    return VipsRaster(image)
