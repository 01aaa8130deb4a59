"""The tests' own databases as copies of one that has every table: migrating takes a quarter of a minute."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.live.server import run_script, tables_once
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
    template = f"{settings.DATABASES['default']['NAME']}_tables"

    def make(folder: Path) -> None:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
        run_script(
            ["manage.py", "migrate", "--verbosity", "0"],
            folder,
            DATABASE_URL=f"{url.rpartition('/')[0]}/{template}",
        )

    made_once("tables-on-postgres", make)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return True
