"""The club that ``prepare`` has made, served on each engine for the storms and races."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live.engines import postgres_url, scratch_database, scratch_redis
from tests.live.processes import processes
from tests.live.scenarios import Club, open_club
from tests.live.server import environment, serving

Made = dict[str, Any]
PREPARE = ["tests/live/prepare.py"]


UNGUARDED = (sys.executable, "tests/live/unguarded.py")


@contextmanager
def on_sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[Club]:
    """The embedded default, one process."""
    source, made = request.getfixturevalue("prepared")
    data_dir = folder / "data"
    shutil.copytree(source, data_dir)
    with serving(data_dir, "--no-scheduler") as server:
        yield open_club(server.url, server.database, made, environment(data_dir))


@contextmanager
def on_postgres(request: pytest.FixtureRequest, folder: Path) -> Iterator[Club]:
    """The web service of docker-compose.yml with its two processes, on PostgreSQL and Redis."""
    postgres_url()
    source, template, made = request.getfixturevalue("prepared_postgres")
    data_dir = folder / "data"
    shutil.copytree(source, data_dir)
    with (
        scratch_database(template) as database,
        scratch_redis() as redis,
        processes(data_dir, database=database, redis=redis, names=("web",)) as club,
    ):
        yield open_club(club.url, database, made, club.env)


@contextmanager
def unguarded_on_sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[Club]:
    """The embedded default whose transactions and comparisons were patched away."""
    source, made = request.getfixturevalue("prepared")
    data_dir = folder / "data"
    shutil.copytree(source, data_dir)
    with serving(data_dir, "--no-scheduler", "--no-worker", program=UNGUARDED) as server:
        yield open_club(server.url, server.database, made, environment(data_dir))


@contextmanager
def unguarded_on_postgres(request: pytest.FixtureRequest, folder: Path) -> Iterator[Club]:
    """The same on PostgreSQL, without the locks of the parents and the unique constraint on claims."""
    source, template, made = request.getfixturevalue("prepared_postgres")
    data_dir = folder / "data"
    shutil.copytree(source, data_dir)
    with scratch_database(template) as database, scratch_redis() as redis:
        with psycopg.connect(database) as connection:
            connection.execute(
                "ALTER TABLE reservations_slotclaim DROP CONSTRAINT reservations_slotclaim_once"
            )
        with serving(
            data_dir,
            *("--no-scheduler", "--no-worker"),
            program=UNGUARDED,
            DATABASE_URL=database,
            REDIS_URL=redis,
        ) as server:
            env = environment(data_dir, DATABASE_URL=database, REDIS_URL=redis)
            yield open_club(server.url, server.database, made, env)
