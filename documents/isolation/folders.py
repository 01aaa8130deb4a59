"""Folders to work in. Members' papers lie in them, so what a killed process leaves behind has to go."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "bcc-work-"
# Between making a folder and holding it is a moment.
NEW_SECONDS: Final = 60.0


class WorkFolder(tempfile.TemporaryDirectory[str]):
    """Removed at the end; held until then, by a lock that goes with the process however it ends."""

    def __init__(self) -> None:
        super().__init__(prefix=PREFIX)
        self._held: int | None = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def cleanup(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None
        super().cleanup()


def sweep_folders() -> int:
    """Remove those of this machine that nobody holds; how many."""
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if time.time() - folder.stat().st_mtime > NEW_SECONDS and _is_left(folder):
                shutil.rmtree(folder)
                removed += 1
    return removed


def _is_left(folder: Path) -> bool:
    tried = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(tried, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(tried)
    return True
