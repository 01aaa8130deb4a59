"""Where files lie: Django's storage, made so that a row never names bytes that a crash could lose."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

# How a file is called while it is being written.
PART_PREFIX: Final = ".part-"


class DurableFileSystemStorage(FileSystemStorage):
    """The local disk. A file is complete and synced under its name, or it is not there.

    Django's own writes in place and leaves the syncing to the system: a power cut would leave a row with
    half a file. A name that is taken is not given another: names are hashes, so the bytes are there.
    """

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=PART_PREFIX)
        try:
            with os.fdopen(descriptor, "wb") as out:
                for chunk in content.chunks():
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if self.file_permissions_mode is not None:
                Path(part).chmod(self.file_permissions_mode)
            Path(part).replace(target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name


def _sync_folder(folder: Path) -> None:
    """The new name itself is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
