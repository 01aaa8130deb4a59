"""Which engine's way of copying and replacing a database is the one for this club."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from bcc.management.archive import postgres, sqlite
from bcc.management.archive.errors import RefusedError
from bcc.management.archive.manifest import Contents, Manifest
from bcc.management.archive.swap import Swap


class Engine(Protocol):
    """What an engine must be able to do; ``name`` is the manifest's word for it."""

    name: str

    def snapshot(self, into: Path) -> Contents:
        """Copy the database as it is at one moment to the file ``into``; say what the copy holds."""

    def refuse_if_in_use(self) -> None:
        """Raises RefusedError where it can tell that others use the database."""

    def staging(self) -> AbstractContextManager[Path]:
        """A folder in which the copy is put down before the exchange."""

    def settle(self, staged: Path) -> None:
        """Make what was put down there fit for the exchange."""

    def swap(self, copy: Path, manifest: Manifest) -> AbstractContextManager[Swap]:
        """The exchange of what is there for the copy, possible while the block lasts."""

    def contents(self) -> Contents:
        """What the database in place holds."""


# By the manifest's word: is the copy sound? Raises DamagedArchiveError.
CHECKS: dict[str, Callable[[Path, Manifest], None]] = {
    "sqlite": sqlite.check_copy,
    "postgresql": postgres.check_copy,
}


def engine_of(connection: BaseDatabaseWrapper) -> Engine:
    """The engine of this club's database. Raises RefusedError for one that has its own tools for this."""
    if connection.vendor == "sqlite":
        return sqlite.SqliteEngine(connection)
    if connection.vendor == "postgresql":
        return postgres.PostgresEngine(connection)
    if connection.vendor == "microsoft":
        name = str(connection.settings_dict["NAME"]).replace("]", "]]")
        raise RefusedError(
            "SQL Server is not backed up by this command: run `BACKUP DATABASE "
            f"[{name}] TO DISK = N'…' WITH CHECKSUM, COPY_ONLY` on the server, then copy the folder of the "
            "stored files."
        )
    raise RefusedError(f"{connection.vendor} is not backed up by this command: use its own tools.")
