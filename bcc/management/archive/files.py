"""The stored files: where they are, and which of them there are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage

from bcc.management.archive.errors import ArchiveError, RefusedError
from bcc.management.archive.manifest import FILES


def files_folder() -> Path:
    """Where the default storage keeps its files, links resolved. Raises RefusedError if elsewhere."""
    if not isinstance(default_storage, FileSystemStorage):
        raise RefusedError("The files are not in a folder of this machine: back them up where they are.")
    return Path(default_storage.location).resolve()


def stored_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and path of every file below ``folder``, ordered within each folder.

    Raises ArchiveError for a link or a device: leaving it out would lose it without a word.
    """
    if not folder.exists():
        return
    for place, folders, names in os.walk(folder, onerror=_fail):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if (Path(place) / one).is_symlink())]):
            path = Path(place) / name
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                continue  # removed since the folder was read
            if not stat.S_ISREG(mode):
                raise ArchiveError(f"{path} is a link or no file: put a file in its place, or remove it.")
            yield FILES + path.relative_to(folder).as_posix(), path


def _fail(error: OSError) -> None:
    raise error
