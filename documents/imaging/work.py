"""What the child does with one picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, Self

from documents.imaging import blurhash, pillow_engine
from documents.imaging.opening import Source, opened
from documents.imaging.plan import (
    AVIF,
    AVIF_NAMES,
    AVIF_SAVES,
    SUFFIXES,
    WEBP,
    Size,
    covering,
    variants_of,
)

# The blurred picture is made of so many pixels on its longer side.
_BLUR_SIDE: Final = 32


class Raster(Protocol):
    """Pixels of an engine: upright, in sRGB, eight bits, transparent or not."""

    @property
    def size(self) -> Size: ...

    def shrunk(self, size: Size) -> Self: ...

    def cut(self, size: Size) -> Self: ...

    def pixels(self) -> bytes: ...

    def save(self, path: Path, media_type: str) -> None: ...


def make(source: str, folder: str, engine: str = "pillow", avif: bool = False) -> dict[str, Any]:
    """Read the picture at ``source`` and write its variants to ``folder``.

    ``avif``: as well as WebP, where it pays. The answer: ``media_type``, upright ``width`` and ``height``,
    ``placeholder`` (a BlurHash), ``colour`` (#rrggbb), and ``variants``, each with ``name``,
    ``media_type``, ``width``, ``height`` and ``file``, the name in ``folder``. Several may share a file.

    Raises Refusal: ``not_an_image``, ``broken_image``, ``animated``, ``polyglot``, ``too_many_bytes``,
    ``too_many_pixels``, ``too_long``, ``too_small``.
    """
    picture = opened(Path(source).read_bytes())
    plan = variants_of(picture.size)
    rasters = [_engine(engine, picture)(picture, plan[0].size)]
    made: list[dict[str, Any]] = []
    files: dict[tuple[Size, bool, str], str] = {}
    for variant in plan:
        # Each from the smallest that is large enough, not from the whole again.
        source_of = next(one for one in reversed(rasters) if min(one.size) >= min(variant.size))
        if variant.is_square:
            shown = source_of.shrunk(covering(source_of.size, variant.size[0])).cut(variant.size)
        else:
            shown = source_of.shrunk(variant.size)
            rasters.append(shown)
        for media_type in (WEBP, AVIF) if avif and variant.name in AVIF_NAMES else (WEBP,):
            key = (variant.size, variant.is_square, media_type)
            if key not in files:
                files[key] = f"{variant.name}.{SUFFIXES[media_type]}"
                shown.save(Path(folder) / files[key], media_type)
            made.append(
                {
                    "name": variant.name,
                    "media_type": media_type,
                    "width": variant.size[0],
                    "height": variant.size[1],
                    "file": files[key],
                }
            )
    width, height = picture.size
    return {
        "media_type": picture.kind.value,
        "width": width,
        "height": height,
        **_seen_from_afar(rasters[-1]),
        "variants": _worth_their_bytes(made, Path(folder)),
    }


def _engine(name: str, picture: Source) -> Callable[[Source, Size], Raster]:
    """``vips`` for what it reads; Pillow for the rest, and by default."""
    if name == "vips":
        # Here, because it is an extra that most clubs run without.
        from documents.imaging import vips_engine

        if vips_engine.reads(picture):
            return vips_engine.render
    return pillow_engine.render


def _seen_from_afar(raster: Raster) -> dict[str, str]:
    width, height = raster.size
    scale = min(1.0, _BLUR_SIDE / max(width, height))
    small = raster.shrunk((max(1, round(width * scale)), max(1, round(height * scale))))
    pixels = small.pixels()
    count = len(pixels) // 3
    mean = [round(sum(pixels[part::3]) / count) for part in range(3)]
    across, down = (4, 3) if width >= height else (3, 4)
    return {
        "placeholder": blurhash.encode(
            pixels, width=small.size[0], height=small.size[1], across=across, down=down
        ),
        "colour": "#{:02x}{:02x}{:02x}".format(*mean),
    }


def _worth_their_bytes(made: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Without an AVIF that is hardly smaller than the WebP of the same name."""
    bytes_of = {one["file"]: (folder / one["file"]).stat().st_size for one in made}
    of_webp = {one["name"]: bytes_of[one["file"]] for one in made if one["media_type"] == WEBP}
    return [
        one
        for one in made
        if one["media_type"] == WEBP or bytes_of[one["file"]] <= of_webp[one["name"]] * (1 - AVIF_SAVES)
    ]
