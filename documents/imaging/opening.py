"""From bytes to a picture whose header is believed as far as it was checked."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any, Final

from PIL import AvifImagePlugin, Image, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from documents.imaging.formats import PLUGINS, Kind, kind_of, refuse_cut_off, refuse_polyglot
from documents.imaging.limits import MOST_BYTES, MOST_JPEG_PIXELS, require_within
from documents.imaging.plan import Size
from documents.isolation.errors import Refusal

# Imported for what they register: without them Pillow loads its fifty other decoders to look for one.
DECODERS: Final = (AvifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
_ORIENTATION: Final = 0x0112
# 5 to 8 lie on their side.
_TURNED: Final = frozenset({5, 6, 7, 8})

Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Source:
    """One picture, opened and not decoded.

    ``lying`` is its size as it is stored; ``orientation`` is EXIF's, 1 to 8, 1 if it says none.
    """

    content: bytes
    kind: Kind
    image: Image.Image
    lying: Size
    orientation: int
    profile: bytes | None

    @property
    def is_turned(self) -> bool:
        return self.orientation in _TURNED

    @property
    def size(self) -> Size:
        """Upright."""
        width, height = self.lying
        return (height, width) if self.is_turned else (width, height)


def opened(content: bytes) -> Source:
    """Raises Refusal for what is no picture, is more than one, or is larger than is taken."""
    if len(content) > MOST_BYTES:
        raise Refusal("too_many_bytes", f"{len(content)} bytes")
    kind = kind_of(content)
    refuse_polyglot(content)
    if kind is Kind.JPEG:
        refuse_cut_off(content)
    if kind is Kind.HEIC:
        _learn_heif()
    with broken_as_refusal():
        image = Image.open(io.BytesIO(content), formats=[PLUGINS[kind]])
        require_within(kind, *image.size, coefficients=_coefficients(image))
        _refuse_animation(kind, image)
        return Source(content, kind, image, image.size, _orientation_of(image), image.info.get("icc_profile"))


class broken_as_refusal:  # noqa: N801 - used as a context manager, like contextlib's
    """Whatever a decoder throws at a file is ``broken_image``; memory and refusals stay what they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, Refusal | MemoryError):
            return
        if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise Refusal("too_many_pixels", str(error)) from error
        if isinstance(error, Exception):
            raise Refusal("broken_image", f"{type(error).__name__}: {error}") from error


def _learn_heif() -> None:
    """HEIC's decoder is only loaded when one came."""
    from pi_heif import register_heif_opener

    # Without the thumbnails and depths beside the picture: fewer bytes that are read.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _refuse_animation(kind: Kind, image: Image.Image) -> None:
    """A still is wanted: the first frame of a film is often blank, and nobody would know why.

    A JPEG of several pictures is a phone's: the first is the photo, the others are its depth or its
    brightness. So are the pictures of a HEIC, whose primary one is taken.
    """
    if kind in (Kind.JPEG, Kind.HEIC):
        return
    if getattr(image, "n_frames", 1) > 1:
        raise Refusal("animated", f"{getattr(image, 'n_frames', 0)} frames")


def _coefficients(image: Image.Image) -> float:
    """What a progressive JPEG keeps for each pixel until its end; 0 for every other picture."""
    if not image.info.get("progressive") and not image.info.get("progression"):
        return 0.0
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    widest = max((layer[1] for layer in layers), default=1)
    tallest = max((layer[2] for layer in layers), default=1)
    return sum(layer[1] * layer[2] for layer in layers) / (widest * tallest)


def _orientation_of(image: Image.Image) -> int:
    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - EXIF that cannot be read says nothing; the picture may still be one
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1
