"""Folders to work in beside what is to be replaced, and what makes a change on disk last."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bcc.management.archive.errors import RefusedError

BACKING_UP = ".bcc-backup-"
RESTORING = ".bcc-restore-"
# What was there before, while something else is put in its place.
OLD = "old"


def sync_file(path: Path) -> None:
    """Let what was written to ``path`` survive a power cut. A folder keeps the names in it that way."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """``sync_file`` for the folders in ``folder``, itself included."""
    for place, _folders, _names in os.walk(folder):
        sync_file(Path(place))


@contextlib.contextmanager
def workplace(parent: Path, prefix: str) -> Iterator[Path]:
    """A private folder in ``parent``, removed at the end; one that a killed process left goes first.

    Whose process lives is told by a lock that ends with it. A folder in which an old state is still
    kept is never removed; finding one raises RefusedError.
    """
    kept = [str(left / OLD) for left in sorted(parent.glob(f"{prefix}*")) if _is_kept(left)]
    if kept:
        raise RefusedError(
            f"An earlier restore was cut short: what it found is kept in {' and in '.join(kept)}. Move all "
            "of that back to where it was, or delete these folders, then try again."
        )
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))  # mkdtemp's mode is 0700
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)
        if not _holds_old_state(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_kept(folder: Path) -> bool:
    """Whether it holds an old state that nobody works on; what else nobody works on is removed."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _holds_old_state(folder):
            return True
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # its process lives
    finally:
        os.close(handle)
    return False


def _holds_old_state(folder: Path) -> bool:
    return (folder / OLD).is_dir() and any((folder / OLD).iterdir())


def give_to_owner_of(reference: Path, tree: Path) -> None:
    """Let ``tree`` belong to the owner of ``reference``: root may restore for the server's user."""
    if os.geteuid() != 0:
        return
    owner = reference.stat()
    for place, folders, names in os.walk(tree):
        for name in (".", *folders, *names):
            os.chown(Path(place) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
