"""PostgreSQL: dump and restore by its own client tools, counts and dump of one snapshot.

The old tables are kept in a schema of another name until the new ones have been counted, so that a
restore that fails at any point is undone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from bcc.management.archive.errors import ArchiveError, DamagedArchiveError, RefusedError
from bcc.management.archive.manifest import Contents, Manifest
from bcc.management.archive.workplace import sync_file

ASIDE: Final = "bcc_before_restore"
# Django's options → the environment of libpq's tools.
OPTIONS: Final = {
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


class PostgresEngine:
    """The database of ``DATABASES``; see ``engines.Engine``."""

    name = "postgresql"

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def snapshot(self, into: Path) -> Contents:
        """Dump what one transaction sees, and count what it sees, while everyone goes on writing."""
        with self._own_connection() as own:
            own.set_autocommit(False)
            with own.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                # The transaction idles while pg_dump works, however long that takes.
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                cursor.execute("SELECT pg_export_snapshot()")
                snapshot = cursor.fetchone()[0]
                contents = _read_contents(cursor)
                self._run(
                    "pg_dump",
                    "--format=custom",
                    "--no-owner",
                    "--no-privileges",
                    "--no-password",
                    f"--snapshot={snapshot}",
                    f"--file={into}",
                )
            own.rollback()
        sync_file(into)
        return contents

    def refuse_if_in_use(self) -> None:
        """Raises RefusedError while others are connected to the database."""
        with self._own_connection() as own, own.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'"
            )
            others = cursor.fetchone()[0]
            if others:
                raise RefusedError(
                    f"{others} others are connected to the database: stop the server, its workers and "
                    "what else uses it, then try again."
                )
            cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [ASIDE])
            if cursor.fetchone()[0]:
                raise RefusedError(
                    f"An earlier restore was cut short: what it found is in the schema {ASIDE}. Drop the "
                    "schema that is in its place and rename it back, or drop it, then try again."
                )

    @contextlib.contextmanager
    def swap(self, copy: Path, manifest: Manifest) -> Iterator[_SchemaSwap]:
        """The exchange of the schema that holds the club's tables."""
        self.refuse_if_in_use()
        with self._own_connection() as own:
            yield _SchemaSwap(self, own, copy)

    def staging(self) -> contextlib.AbstractContextManager[Path]:
        """A folder for the dump."""
        return _temporary_folder()

    def settle(self, staged: Path) -> None:
        """Nothing to do: the tables belong to who restores them."""

    def contents(self) -> Contents:
        """What the database in place holds."""
        with self._own_connection() as own, own.cursor() as cursor:
            return _read_contents(cursor)

    def restore(self, copy: Path) -> None:
        """All of the dump in one transaction, or nothing."""
        name = self._connection.settings_dict["NAME"]
        self._run(
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--single-transaction",
            "--no-password",
            f"--dbname={name}",
            str(copy),
        )

    @contextlib.contextmanager
    def _own_connection(self) -> Iterator[BaseDatabaseWrapper]:
        """A connection outside of the pool, whose idle ones would look like a running server's."""
        own = self._connection.copy("archive")
        own.settings_dict["OPTIONS"].pop("pool", None)
        try:
            yield own
        except DatabaseError as error:
            raise ArchiveError(f"The database refuses: {_first_line(str(error))}") from error
        finally:
            own.close()

    def _run(self, *command: str) -> None:
        run_tool(*command, environment=tool_environment(self._connection.settings_dict))


class _SchemaSwap:
    def __init__(self, engine: PostgresEngine, own: BaseDatabaseWrapper, copy: Path) -> None:
        self._engine, self._own, self._copy = engine, own, copy
        self._schema = ""

    def put_in(self) -> None:
        """Rename the schema, make an empty one, and restore into that."""
        with self._own.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            schema = cursor.fetchone()[0]
            if schema is None:
                raise RefusedError("The database has no schema for the tables: create `public` first.")
            self._exchange(
                f"ALTER SCHEMA {_quoted(schema)} RENAME TO {ASIDE}; CREATE SCHEMA {_quoted(schema)}"
            )
        self._schema = schema
        self._engine.restore(self._copy)

    def put_back(self) -> None:
        """Drop what was restored; the old schema gets its name again."""
        if self._schema:
            name = _quoted(self._schema)
            self._exchange(f"DROP SCHEMA {name} CASCADE; ALTER SCHEMA {ASIDE} RENAME TO {name}")
            self._schema = ""

    def forget(self) -> None:
        """Drop the old schema."""
        self._exchange(f"DROP SCHEMA {ASIDE} CASCADE")

    def _exchange(self, statements: str) -> None:
        # Sent as one message without parameters, the statements are one transaction.
        with self._own.cursor() as cursor:
            cursor.execute(statements)


def check_copy(copy: Path, manifest: Manifest) -> None:
    """Raises DamagedArchiveError where pg_restore cannot read the dump's table of contents."""
    try:
        run_tool("pg_restore", "--list", str(copy), environment=dict(os.environ))
    except ToolFailedError as error:
        raise DamagedArchiveError(f"The dump cannot be read. {error}") from error


class ToolFailedError(ArchiveError):
    """A client tool ended with an error, which the text repeats."""


def run_tool(*command: str, environment: Mapping[str, str]) -> None:
    """Run one of PostgreSQL's client tools. Raises ArchiveError without it, ToolFailedError if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise ArchiveError(
            f"{command[0]} is not installed: install PostgreSQL's client tools, as new as the server."
        ) from error
    if done.returncode:
        raise ToolFailedError(f"{command[0]} failed: {_first_line(done.stderr)}")


def tool_environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment in which libpq's tools connect as Django does; nothing of it is on a command line."""
    named = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",
        "PGDATABASE": "NAME",
    }
    given = {variable: str(config[key]) for variable, key in named.items() if config.get(key)}
    options = config.get("OPTIONS") or {}
    given |= {variable: str(options[key]) for key, variable in OPTIONS.items() if options.get(key)}
    return {**os.environ, **given, "PGTZ": "UTC"}


def _read_contents(cursor: Any) -> Contents:
    cursor.execute(
        "SELECT n.nspname, c.relname, n.nspname = current_schema() FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
        "AND n.nspname NOT IN ('information_schema', %s) AND n.nspname !~ '^pg_' ORDER BY 1, 2",
        [ASIDE],
    )
    rows = {}
    for schema, table, is_ours in cursor.fetchall():
        cursor.execute(f"SELECT count(*) FROM {_quoted(schema)}.{_quoted(table)}")  # noqa: S608 - a table's own name
        rows[table if is_ours else f"{schema}.{table}"] = cursor.fetchone()[0]
    if "django_migrations" not in rows:
        raise ArchiveError("The database has no tables of the club: run `migrate` first.")
    cursor.execute("SELECT app, name FROM django_migrations")
    migrations = frozenset((app, name) for app, name in cursor.fetchall())
    cursor.execute("SHOW server_version")
    return Contents(PostgresEngine.name, cursor.fetchone()[0], migrations, rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given.")


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bcc-restore-") as name:
        yield Path(name)
