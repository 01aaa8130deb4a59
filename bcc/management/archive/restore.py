"""Putting an archive in the place of what is there: everything of it, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader

from bcc.management.archive.container import hash_file, unpack
from bcc.management.archive.engines import CHECKS, Engine
from bcc.management.archive.errors import ArchiveError, DamagedArchiveError, HalfwayError, RefusedError
from bcc.management.archive.files import files_folder, stored_files
from bcc.management.archive.manifest import (
    DATABASES,
    FILES,
    Manifest,
    Member,
    Migration,
    compare_contents,
    compare_members,
    refuse_newer,
)
from bcc.management.archive.swap import PathSwap, Swap
from bcc.management.archive.workplace import OLD, RESTORING, give_to_owner_of, sync_tree, workplace

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Staged:
    """An archive that was found whole and fit, unpacked beside what it will replace."""

    manifest: Manifest
    database: Path
    files: Path
    workplace: Path


@contextlib.contextmanager
def staged_archive(*, engine: Engine, archive: Path) -> Iterator[Staged]:
    """Verify ``archive`` and unpack it in one reading. Nothing that is in use is touched.

    Raises DamagedArchiveError for one that is not whole, RefusedError for one of another engine or of
    newer code, and while the database is in use.
    """
    engine.refuse_if_in_use()
    folder = files_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with engine.staging() as beside_database, workplace(folder.parent, RESTORING) as beside_files:
        database, files = beside_database / "database", beside_files / "files"
        files.mkdir()

        def place(name: str) -> Path:
            return database if name in DATABASES.values() else files / name.removeprefix(FILES)

        manifest = unpack(archive, place)
        _refuse_misfit(engine, manifest)
        CHECKS[manifest.contents.engine](database, manifest)
        if folder.exists():
            files.chmod(folder.stat().st_mode & 0o777)
        give_to_owner_of(Path(settings.DATA_DIR), files)
        engine.settle(beside_database)
        sync_tree(files)
        yield Staged(manifest, database, files, beside_files)


def _refuse_misfit(engine: Engine, manifest: Manifest) -> None:
    theirs = manifest.contents.engine
    if theirs != engine.name:
        raise RefusedError(f"The archive is of {theirs}, and this club's database is {engine.name}.")
    refuse_newer(manifest.contents.migrations, known_migrations())


def known_migrations() -> set[Migration]:
    """Every migration that this code has, and those that its squashed ones replace."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {*known, *((app, name) for migration in known.values() for app, name in migration.replaces)}


def missing_migrations(manifest: Manifest) -> set[Migration]:
    """What ``migrate`` would apply to the archive's database."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    applied = manifest.contents.migrations
    return {
        name
        for name, migration in known.items()
        if name not in applied
        and not (migration.replaces and applied.issuperset(map(tuple, migration.replaces)))
    }


def put_in_place(*, engine: Engine, staged: Staged, say: Say) -> None:
    """Exchange database and files for the staged ones, and compare them with the manifest where they are.

    Raises what went wrong after the old state is back in its place; HalfwayError where it could not
    be put back.
    """
    with engine.swap(staged.database, staged.manifest) as database:
        files = PathSwap(target=files_folder(), fresh=staged.files, aside=staged.workplace / OLD)
        begun: list[Swap] = []
        try:
            for swap in (database, files):
                begun.append(swap)
                swap.put_in()
            _compare(engine, staged.manifest)
        except BaseException as error:
            _put_back(begun, staged.workplace, error)
            raise
        say("equal counts and hashes")
        for swap in begun:
            try:
                swap.forget()
            except (OSError, DatabaseError) as error:
                say(f"what was there before could not be removed, and is in nobody's way: {error}")


def _compare(engine: Engine, manifest: Manifest) -> None:
    try:
        compare_contents(manifest, engine.contents())
        found: dict[str, Member] = {name: hash_file(path) for name, path in stored_files(files_folder())}
        found[manifest.database] = manifest.members[manifest.database]  # hashed as it was unpacked
        compare_members(manifest, found)
    except DamagedArchiveError as error:
        raise ArchiveError(f"What was restored is not what the archive says. {error}") from error


def _put_back(begun: list[Swap], workplace: Path, reason: BaseException) -> None:
    for swap in reversed(begun):
        try:
            swap.put_back()
        except Exception as error:
            raise HalfwayError(
                f"The restore failed ({reason}), and what was there could not be put back ({error}): "
                f"it is kept in {workplace.parent}/{RESTORING}…/{OLD} or in the schema bcc_before_restore."
            ) from error
