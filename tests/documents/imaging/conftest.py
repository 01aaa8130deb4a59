from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from documents.imaging import work

Made = tuple[dict[str, Any], Callable[..., Image.Image]]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """Runs the child's work here, and gives its answer and a way to open a variant."""

    def run(content: bytes, *, engine: str = "pillow", avif: bool = False) -> Made:
        source = tmp_path / "source"
        source.write_bytes(content)
        answer = work.make(str(source), str(tmp_path), engine=engine, avif=avif)

        def opened(name: str, media_type: str = "image/webp") -> Image.Image:
            found = next(
                one for one in answer["variants"] if (one["name"], one["media_type"]) == (name, media_type)
            )
            image = Image.open(tmp_path / found["file"])
            image.load()
            assert image.size == (found["width"], found["height"])
            return image

        return answer, opened

    return run
