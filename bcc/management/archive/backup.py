"""Making an archive: the database first, then the files that its rows name."""

from __future__ import annotations

import contextlib
import os
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from bcc.management.archive.container import ArchiveWriter
from bcc.management.archive.engines import Engine
from bcc.management.archive.errors import RefusedError
from bcc.management.archive.files import files_folder, stored_files
from bcc.management.archive.manifest import DATABASES, Manifest
from bcc.management.archive.naming import outdated, target_of
from bcc.management.archive.workplace import BACKING_UP, sync_file, workplace

Say = Callable[[str], None]
SAY_EVERY_SECONDS = 5.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """An archive that is complete, and the older ones that went for it. ``size`` in bytes."""

    path: Path
    size: int
    manifest: Manifest
    removed: list[Path]


def make_backup(*, engine: Engine, wanted: Path, keep: int | None, now: datetime, say: Say) -> Made:
    """Write an archive to ``wanted``, a file or a folder, and remove all but the newest ``keep`` beside it.

    It gets its name when it is complete and on the disk. Raises RefusedError where something has that
    name already, ArchiveError where the club cannot be copied; then nothing is left of it.
    """
    target = target_of(wanted.expanduser().absolute(), now)
    files = files_folder()
    if target.parent.resolve().is_relative_to(files):
        raise RefusedError(f"{target.parent} is among the stored files, which are backed up: choose another.")
    if os.path.lexists(target):
        raise RefusedError(f"{target} exists and stays as it is: choose another name.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with workplace(target.parent, BACKING_UP) as folder:
        manifest = _write(engine, files, folder, now, say)
        part = folder / "archive"
        _give_name(part, target)
    removed = _remove_outdated(target.parent, keep)
    return Made(target, target.stat().st_size, manifest, removed)


def _write(engine: Engine, files: Path, folder: Path, now: datetime, say: Say) -> Manifest:
    copy = folder / "database"
    began = time.monotonic()
    contents = engine.snapshot(copy)
    with ArchiveWriter(folder / "archive") as archive:
        member = archive.add(DATABASES[contents.engine], copy)
        copy.unlink()
        say(
            f"database: {sum(contents.rows.values())} rows in {len(contents.rows)} tables, "
            f"{member.size / MIB:.1f} MiB, {time.monotonic() - began:.1f} s"
        )
        _add_files(archive, files, say)
        manifest = Manifest(now, project_version(), contents, archive.members)
        archive.close(manifest)
    return manifest


def _add_files(archive: ArchiveWriter, files: Path, say: Say) -> None:
    began = said = time.monotonic()
    count = size = 0
    for name, path in stored_files(files):
        with contextlib.suppress(FileNotFoundError):  # removed since: no longer the club's
            size += archive.add(name, path).size
            count += 1
        if time.monotonic() - said > SAY_EVERY_SECONDS:
            said = time.monotonic()
            say(f"files: {count} so far, {size / MIB:.1f} MiB")
    say(f"files: {count}, {size / MIB:.1f} MiB, {time.monotonic() - began:.1f} s")


def _give_name(part: Path, target: Path) -> None:
    """A link refuses to overwrite, which a rename does not; where the disk knows no links, it is renamed."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise RefusedError(f"{target} came into being meanwhile and stays as it is.") from None
    except OSError:
        part.rename(target)
    sync_file(target.parent)


def _remove_outdated(folder: Path, keep: int | None) -> list[Path]:
    if keep is None:
        return []
    removed = [folder / name for name in outdated((path.name for path in folder.iterdir()), keep)]
    for path in removed:
        path.unlink()
    return removed


def project_version() -> str:
    """The version that ``pyproject.toml`` names."""
    text = (Path(settings.BASE_DIR) / "pyproject.toml").read_text()
    return str(tomllib.loads(text)["project"]["version"])
