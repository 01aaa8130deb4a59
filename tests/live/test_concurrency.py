"""Storms against a running server: its own process, a file database, real HTTP; and on PostgreSQL."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live import scenarios
from tests.live.audit import OVER_QUOTA, OVERBOOKED
from tests.live.engines import postgres_url, scratch_database, scratch_redis
from tests.live.processes import processes
from tests.live.scenarios import Club, InvariantError, open_club
from tests.live.server import run_json, serving

pytestmark = [pytest.mark.server, pytest.mark.soak]

Made = dict[str, Any]
PREPARE = ["tests/live/prepare.py"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """A data folder that no server has seen, for every server to have a copy of, and what is in it."""
    data_dir = tmp_path_factory.mktemp("prepared")
    return data_dir, run_json(PREPARE, data_dir)


@pytest.fixture(scope="module")
def prepared_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Made]]:
    """The same on PostgreSQL: the folder with the keys, and a database to copy."""
    data_dir = tmp_path_factory.mktemp("prepared")
    with scratch_database() as url:
        yield data_dir, url, run_json(PREPARE, data_dir, DATABASE_URL=url)


@contextmanager
def on_sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[Club]:
    """The embedded default, one process."""
    source, made = request.getfixturevalue("prepared")
    data_dir = folder / "data"
    shutil.copytree(source, data_dir)
    with serving(data_dir, "--no-scheduler") as server:
        yield open_club(server.url, server.database, made)


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
        yield open_club(club.url, database, made)


@pytest.fixture(scope="module", params=[on_sqlite, on_postgres], ids=["sqlite", "postgresql"])
def club(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    with request.param(request, tmp_path_factory.mktemp("club")) as opened:
        yield opened


SCENARIOS = [
    scenarios.one_slot,
    scenarios.capacity,
    scenarios.nights,
    scenarios.quota,
    scenarios.intervals,
    scenarios.hall,
    scenarios.one_key,
]


class TestUnderLoad:
    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
    def test_holds(self, club: Club, scenario: Callable[[Club], None]) -> None:
        scenario(club)


UNGUARDED = (sys.executable, "tests/live/unguarded.py")


class TestWithoutTheGuard:
    """The same storms on a server whose guard was patched away break what must hold.

    On SQLite it is the transaction. The unique constraint on claims still refuses the second of two; but
    its booking was written before and nothing takes it back, so two reservations stand over one slot. On
    PostgreSQL it is the locks of the parents and, of a slot, the unique constraint as well.
    """

    @pytest.mark.parametrize(
        ("scenario", "broken"),
        [
            pytest.param(scenarios.one_slot, OVERBOOKED, id="one_slot"),
            pytest.param(scenarios.nights, OVERBOOKED, id="nights"),
            pytest.param(scenarios.quota, OVER_QUOTA, id="quota"),
        ],
    )
    def test_breaks(
        self,
        prepared: tuple[Path, Made],
        tmp_path: Path,
        scenario: Callable[[Club], None],
        broken: str,
    ) -> None:
        data_dir = tmp_path / "data"
        shutil.copytree(prepared[0], data_dir)
        with (
            serving(data_dir, "--no-scheduler", "--no-worker", program=UNGUARDED) as server,
            pytest.raises(InvariantError) as caught,
        ):
            scenario(open_club(server.url, server.database, prepared[1]))
        assert broken in caught.value.broken

    @pytest.mark.parametrize(
        ("scenario", "broken"),
        [
            pytest.param(scenarios.one_slot, OVERBOOKED, id="one_slot"),
            pytest.param(scenarios.quota, OVER_QUOTA, id="quota"),
        ],
    )
    def test_breaks_on_postgresql(
        self,
        prepared_postgres: tuple[Path, str, Made],
        tmp_path: Path,
        scenario: Callable[[Club], None],
        broken: str,
    ) -> None:
        source, template, made = prepared_postgres
        data_dir = tmp_path / "data"
        shutil.copytree(source, data_dir)
        with scratch_database(template) as database, scratch_redis() as redis:
            with psycopg.connect(database) as connection:
                connection.execute(
                    "ALTER TABLE reservations_slotclaim DROP CONSTRAINT reservations_slotclaim_once"
                )
            with (
                serving(
                    data_dir,
                    *("--no-scheduler", "--no-worker"),
                    program=UNGUARDED,
                    DATABASE_URL=database,
                    REDIS_URL=redis,
                ) as server,
                pytest.raises(InvariantError) as caught,
            ):
                scenario(open_club(server.url, server.database, made))
            assert broken in caught.value.broken
