"""Ten thousand holds that are due at once, and four schedulers that want to end them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.audit import count, find_wrongs
from tests.live.engines import scratch_database, scratch_redis
from tests.live.runners import runners
from tests.live.server import environment, run_json

pytestmark = [pytest.mark.server, pytest.mark.soak]

RUNNERS = 4
MOST_SECONDS = 60
EXPIRED_EVENTS = (
    "SELECT COUNT(*) FROM reservations_reservationevent WHERE action = 'moved' AND to_state = 'EXPIRED'"
)
TOLD = "SELECT COUNT(*) FROM accounts_notification WHERE kind = 'reservation_expired' AND channel = ?"

Due = tuple[Path | str, Mapping[str, str], int]


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Due]:
    made = run_json(["tests/live/prepare_due.py"], folder)
    yield folder / "bcc.sqlite3", environment(folder), made["holds"]


@contextmanager
def on_postgres(folder: Path) -> Iterator[Due]:
    with scratch_database() as database, scratch_redis() as redis:
        made = run_json(["tests/live/prepare_due.py"], folder, DATABASE_URL=database)
        yield database, environment(folder, DATABASE_URL=database, REDIS_URL=redis), made["holds"]


@pytest.fixture(params=[on_sqlite, on_postgres], ids=["sqlite", "postgresql"])
def due(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Due]:
    with request.param(tmp_path) as made:
        yield made


class TestTenThousandAtOnce:
    def test_are_expired_and_told_once_each_within_a_minute(self, due: Due) -> None:
        database, env, holds = due
        with runners(env, RUNNERS) as team:
            at = time.time() + 0.5
            for runner in team:
                runner.send(at=at, now=at)
            runs = [runner.result() for runner in team]
        took = max(run.ended for run in runs) - at

        shares = [run.expired for run in runs]
        print(
            f"{holds} holds by {RUNNERS} runners in {took:.1f} s, each {shares}, {holds / took:.0f} a second"
        )
        assert not find_wrongs(database)
        assert sum(shares) == holds == 10_000
        assert (
            count(database, "SELECT COUNT(*) FROM reservations_reservation WHERE state = 'EXPIRED'") == holds
        )
        assert count(database, EXPIRED_EVENTS) == holds
        assert [count(database, TOLD, channel) for channel in ("in_app", "email")] == [holds, holds]
        assert count(database, "SELECT COUNT(*) FROM reservations_slotclaim") == 0
        assert took < MOST_SECONDS
        assert all(shares), "not every runner had a share: they did not race"
