"""SQLite: a snapshot of the running database, its check, and the exchange of the file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from bcc.management.archive.errors import ArchiveError, DamagedArchiveError, RefusedError
from bcc.management.archive.manifest import Contents, Manifest, compare_contents
from bcc.management.archive.swap import PathSwap
from bcc.management.archive.workplace import OLD, RESTORING, give_to_owner_of, sync_file, workplace

BUSY_SECONDS = 20
SIDECARS = ("-wal", "-shm", "-journal")


class SqliteEngine:
    """The database file of ``DATABASES``; see ``engines.Engine``."""

    name = "sqlite"

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.path = Path(str(connection.settings_dict["NAME"])).resolve()

    def snapshot(self, into: Path) -> Contents:
        """Copy the database in one read transaction, which in WAL mode holds up nobody, and look into it."""
        if not self.path.exists():
            raise ArchiveError(f"There is no database at {self.path}: run `migrate` first.")
        try:
            with (
                closing(_open(self.path, "ro")) as source,
                closing(sqlite3.connect(into, isolation_level=None)) as target,
            ):
                source.backup(target, pages=-1)
                # One file, without a -wal beside it; the server turns WAL on again when it opens it.
                target.execute("PRAGMA journal_mode=DELETE")
            sync_file(into)
            return read_contents(into)
        except sqlite3.Error as error:
            raise ArchiveError(f"The database cannot be copied: {error}.") from error
        except DamagedArchiveError as error:
            raise ArchiveError(f"The club's own database is damaged. {error}") from error

    def refuse_if_in_use(self) -> None:
        """Raises RefusedError while another process has the database open; changes nothing in it."""
        if not self.path.exists():
            return
        with _told_of_others(self.path), closing(_open(self.path, "rw")) as probe:
            probe.execute("PRAGMA busy_timeout=0")
            # In WAL mode an open connection, idle or not, shares a lock that this read wants alone.
            probe.execute("PRAGMA locking_mode=EXCLUSIVE")
            probe.execute("SELECT count(*) FROM sqlite_master").fetchone()

    @contextlib.contextmanager
    def swap(self, copy: Path, manifest: Manifest) -> Iterator[PathSwap]:
        """The exchange of the database file, which nobody can open meanwhile."""
        with workplace(self.path.parent, RESTORING) as folder, self._alone():
            mode = self.path.stat().st_mode & 0o777 if self.path.exists() else 0o600
            copy.chmod(mode)
            yield PathSwap(
                target=self.path,
                fresh=copy,
                aside=folder / OLD,
                beside=tuple(self.path.with_name(self.path.name + end) for end in SIDECARS),
            )

    def staging(self) -> contextlib.AbstractContextManager[Path]:
        """A folder for the copy, on the file system of the database."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return workplace(self.path.parent, RESTORING)

    def settle(self, staged: Path) -> None:
        """Let the copies belong to whom the data folder belongs to."""
        give_to_owner_of(Path(settings.DATA_DIR), staged)

    def contents(self) -> Contents:
        """What the database in place holds."""
        return read_contents(self.path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the database for this process alone. Raises RefusedError where another has it open.

        Leaving WAL mode needs every other connection closed, idle ones too, and brings what is left
        in a -wal into the file.
        """
        if not self.path.exists():
            yield
            return
        with closing(_open(self.path, "rw")) as held:
            with _told_of_others(self.path):
                held.execute("PRAGMA busy_timeout=0")
                held.execute("PRAGMA journal_mode=DELETE")
                held.execute("BEGIN EXCLUSIVE")
            yield


@contextlib.contextmanager
def _told_of_others(path: Path) -> Iterator[None]:
    """A lock that is not given becomes a RefusedError; a damaged file is passed over: it will be replaced."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ArchiveError(f"The database at {path} cannot be held: {error}.") from error
        raise RefusedError(
            "The database is in use: stop the server, its workers and what else has it open, then try again."
        ) from error
    except sqlite3.DatabaseError:
        pass


def check_copy(copy: Path, manifest: Manifest) -> None:
    """Raises DamagedArchiveError unless the copy is a sound database that holds what the manifest says."""
    compare_contents(manifest, read_contents(copy))


def read_contents(path: Path) -> Contents:
    """Tables, rows and migrations of the database at ``path``, after SQLite's own check of all of it.

    Raises DamagedArchiveError where SQLite finds a fault.
    """
    try:
        with closing(_open(path, "ro")) as database:
            faults = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
            if faults != ["ok"]:
                raise DamagedArchiveError(f"SQLite finds a fault in the database: {faults[0]}.")
            tables = [
                row[0]
                for row in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
                    "ESCAPE '\\'"
                )
            ]
            rows = {table: _count(database, table) for table in tables}
            migrations = frozenset(
                (row[0], row[1]) for row in database.execute("SELECT app, name FROM django_migrations")
            )
    except sqlite3.Error as error:
        raise DamagedArchiveError(f"SQLite cannot read the database: {error}.") from error
    return Contents(SqliteEngine.name, sqlite3.sqlite_version, migrations, rows)


def _count(database: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    count: int = database.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0]  # noqa: S608 - a table's own name
    return count


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )
