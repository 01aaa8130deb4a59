"""The tests' own databases as copies of one that has every table: migrating takes a quarter of a minute."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql

from tests.live.server import ROOT, run_script, tables_once
from tests.once import made_once


def copy_tables() -> bool:
    """Make this worker's database; False where the runner has to, on a server that is not of this run."""
    name = connection.creation._get_test_db_name()  # type: ignore[attr-defined]  # what the runner asks
    if connection.vendor == "sqlite":
        with (
            closing(sqlite3.connect(tables_once() / "bcc.sqlite3")) as tables,
            closing(sqlite3.connect(name)) as mine,
        ):
            tables.backup(mine)
        return True
    url = os.environ.get("DATABASE_URL", "")
    if connection.vendor != "postgresql" or url != os.environ.get("TEST_POSTGRES_URL"):
        return False
    template = tables_on_postgres(url)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return True


def tables_on_postgres(url: str) -> str:
    """The name of a database with every table and no row on the tests' server. Copy it; do not connect.

    It is made once for a server and the present migrations: both phases of ``deploy/test.sh`` find it.
    """
    name = f"bcc_tables_{_digest_of_migrations()}"

    def make(folder: Path) -> None:
        with psycopg.connect(url, autocommit=True) as server:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return
            part = sql.Identifier(f"{name}_part")
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(part))
            server.execute(sql.SQL("CREATE DATABASE {}").format(part))
            run_script(
                ["manage.py", "migrate", "--verbosity", "0"],
                folder,
                DATABASE_URL=f"{url.rpartition('/')[0]}/{name}_part",
            )
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(part, sql.Identifier(name)))

    made_once("tables-on-postgres", make)
    return name


def _digest_of_migrations() -> str:
    found = hashlib.sha256()
    for pattern in ("*/migrations/0*.py", "*/*/migrations/0*.py"):
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]
