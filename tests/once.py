"""Folders that a test run makes once, for all of its workers to copy."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` of this run, filled by ``make`` the first time that a worker asks for it.

    The others wait. Nobody writes into it: copy it. It goes with the run's own folder.
    """
    run = Path(os.environ["BCC_TEST_DIR"])  # the testing settings made it, and the workers inherit it
    folder = run / f"once-{name}"
    with (run / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder
