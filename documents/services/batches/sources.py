"""A batch's file as a path that children and parsers read, wherever storage is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from documents.isolation.folders import WorkFolder
from documents.models import Asset
from documents.services import assets


@contextmanager
def path_of(asset: Asset) -> Iterator[Path]:
    """Where the bytes can be read: storage's own file, or a copy that is removed afterwards."""
    local = assets.local_path(asset)
    if local is not None and local.exists():
        yield local
        return
    with WorkFolder() as folder:
        copy = Path(folder) / "file"
        with assets.open_asset(asset) as content, copy.open("wb") as out:
            shutil.copyfileobj(content, out, assets.CHUNK)
        yield copy
