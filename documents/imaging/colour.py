"""Whatever colours a picture came in, it leaves in sRGB, eight bits, with transparency where it has some."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Final

from PIL import Image, ImageCms

_GREY: Final = frozenset({"1", "L", "I", "F"})


def to_eight_bits(image: Image.Image) -> Image.Image:
    """``image`` as L, RGB, RGBA or CMYK: the modes that scale without loss of meaning."""
    if image.mode in ("L", "CMYK") or (image.mode == "RGB" and not image.has_transparency_data):
        return image
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips: all that is brighter than 255 of 65,535 would be white.
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if image.mode == "I":
        return image.point(lambda value: value * (1 / 257)).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in _GREY else "RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """``image`` (L, RGB, RGBA, CMYK) as RGB, or as RGBA if something of it is transparent.

    ``profile`` is the ICC profile that came with it; one that is broken, or of other colours, is as none.
    """
    found = _by_profile(image, profile) if profile else None
    if found is None:
        found = image if image.mode in ("RGB", "RGBA") else image.convert("RGB")
    if found.mode == "RGBA" and found.getchannel("A").getextrema() == (255, 255):
        found = found.convert("RGB")
    return found


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(
            image, source, _srgb(), renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> Any:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
