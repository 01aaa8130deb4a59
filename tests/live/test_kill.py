"""``kill -9`` of every part of the club at random points under bookings: nothing is lost or doubled."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.live.audit import count, find_wrongs
from tests.live.clubs import PREPARE
from tests.live.guests import GUESTS, Guests
from tests.live.killable import (
    kill_a_session,
    kill_group,
    private_postgres,
    private_redis,
    revive,
    start_again,
)
from tests.live.processes import processes
from tests.live.scenarios import open_club
from tests.live.server import Server, run_json, serving
from tests.services import free_port, make_cluster, redis_command

pytestmark = [pytest.mark.server, pytest.mark.soak]

SEED = 20260601
# Of each part; thirty points in all.
COMPOSED = {"web": 6, "worker": 3, "mail": 3, "beat": 5, "redis": 6, "database": 5, "session": 2}
EMBEDDED = {"server": 8}
RESUMED_SECONDS = 120
# Long enough that a pool which doubles its pauses would sleep on after the database is back.
AWAY_SECONDS = 40
BACK_SECONDS = 10
# So many bookings one after the other show that each web process is back.
IN_A_ROW = 8
DUE = (
    "SELECT COUNT(*) FROM reservations_reservation "
    "WHERE state IN ('HELD','PENDING_APPROVAL','PENDING_CONFIRMATION') AND expires_at <= ?"
)
WAITING = "SELECT COUNT(*) FROM accounts_notification WHERE state IN ('PENDING', 'SENDING')"
OUTBOX = "SELECT COUNT(*) FROM accounts_notification WHERE state = ?"

Victims = dict[str, tuple[Callable[[], object], Callable[[], object]]]


@dataclass(slots=True)
class Killing:
    """What may be killed, by name: how, and how it is started anew. ``revive`` is the supervisor's."""

    guests: Guests
    victims: Victims
    revive: Callable[[], list[str]]
    ended_alone: Counter[str] = field(default_factory=Counter)

    def go(self, points: dict[str, int]) -> None:
        dice = random.Random(SEED)
        order = [name for name, times in points.items() for _time in range(times)]
        dice.shuffle(order)
        began = time.monotonic()
        with ThreadPoolExecutor(GUESTS) as pool:
            self.guests.start(pool)
            try:
                for name in order:
                    time.sleep(dice.uniform(0.3, 2.0))
                    kill, start = self.victims[name]
                    kill()
                    time.sleep(dice.uniform(0, 1.0))
                    start()
                    self.ended_alone.update(self.revive())
            finally:
                self.guests.stop()
        print(
            f"{len(order)} kills in {time.monotonic() - began:.0f} s: {dict(Counter(order))}; ended by "
            f"themselves: {dict(self.ended_alone)}\n{len(self.guests.acknowledged)} booked, "
            f"{len(self.guests.confirmed)} confirmed; {dict(self.guests.seen)}"
        )

    def wait_until_resumed(self) -> None:
        """Holds that ran out are ended, and what was queued has left."""
        database, began = self.guests.club.database, time.monotonic()
        held = waiting = 1
        while (held or waiting) and time.monotonic() < began + RESUMED_SECONDS:
            time.sleep(1)
            self.ended_alone.update(self.revive())
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            held, waiting = count(database, DUE, now), count(database, WAITING)
        print(f"no hold due and no notice waiting after {time.monotonic() - began:.0f} s")
        states = ("PENDING", "SENDING", "SENT", "FAILED", "EXPIRED")
        outbox = {state: count(database, OUTBOX, state) for state in states}
        print(f"outbox: {outbox}")
        assert (held, waiting) == (0, 0)
        assert outbox["SENT"] == sum(outbox.values())

    def check(self) -> None:
        self.guests.check()
        assert not find_wrongs(self.guests.club.database)
        assert count(
            self.guests.club.database,
            "SELECT COUNT(*) FROM reservations_reservation WHERE state = 'EXPIRED'",
        ), "no hold ran out: the scheduler was not tried"
        assert not self.guests.faults, self.guests.faults[:5]


@contextmanager
def composed(folder: Path) -> Iterator[Killing]:
    """The processes of docker-compose.yml on a PostgreSQL and a Redis of this test's own."""
    port = free_port()
    with ExitStack() as stack:
        # Not in the folder of the tests: PostgreSQL runs as a user who may not look into that.
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcc-kill-")))
        outside.chmod(0o711)
        cluster = make_cluster(outside)
        postgres = private_postgres(cluster, outside)
        queue = private_redis(redis_command(outside, port), port, outside)
        for one in (postgres, queue):
            stack.callback(one.kill)
            one.start()
        with psycopg.connect(cluster.url, autocommit=True) as session:
            session.execute("CREATE DATABASE club")
        database = f"{cluster.url.rpartition('/')[0]}/club"
        made = run_json(PREPARE, folder, DATABASE_URL=database)
        names = ("web", "worker", "mail", "beat")
        url = f"redis://127.0.0.1:{port}/0"
        club = stack.enter_context(processes(folder, database=database, redis=url, names=names))
        guests = Guests(open_club(club.url, database, made, club.env), lambda: club.url)
        victims: Victims = {
            name: (lambda name=name: kill_group(club, name), lambda name=name: start_again(club, name))  # type: ignore[misc]  # the name of now
            for name in names
        }
        victims["redis"] = (queue.kill, queue.start)
        victims["database"] = (postgres.kill, postgres.start)
        victims["session"] = (lambda: kill_a_session(database), postgres.start)
        yield Killing(guests, victims, lambda: revive(club))


@contextmanager
def embedded(folder: Path) -> Iterator[Killing]:
    """``manage.py serve`` on SQLite: everything ends with the one process."""
    made = run_json(PREPARE, folder)
    with ExitStack() as stack:
        running: list[Server] = []

        def start() -> None:
            running.append(stack.enter_context(serving(folder)))

        def kill() -> None:
            running[-1].process.kill()
            running[-1].process.wait(30)

        start()
        club = open_club(running[0].url, running[0].database, made)
        yield Killing(Guests(club, lambda: running[-1].url), {"server": (kill, start)}, list)


class TestKill:
    def test_of_any_of_the_processes_loses_and_doubles_nothing(self, tmp_path: Path) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("There is no redis-server: run `make soak`.")
        with composed(tmp_path) as killing:
            killing.go(COMPOSED)
            killing.wait_until_resumed()
            killing.check()

    def test_of_the_one_process_loses_and_doubles_nothing(self, tmp_path: Path) -> None:
        with embedded(tmp_path) as killing:
            killing.go(EMBEDDED)
            killing.wait_until_resumed()
            killing.check()


class TestOutage:
    def test_of_the_database_is_told_as_such_and_over_when_it_is_back(self, tmp_path: Path) -> None:
        with composed(tmp_path) as killing:
            club = killing.guests.club
            kill, start = killing.victims["database"]
            starts = (club.at(day, hour) for day in range(3, 28) for hour in range(6, 22))

            def book() -> httpx.Response:
                start_at = next(starts)
                path, body, headers = club.call(0, "pool", start_at, start_at + timedelta(hours=1))
                return httpx.post(f"{club.url}{path}", json=body, headers=headers, timeout=60)

            assert book().status_code == 201
            kill()
            until, told = time.monotonic() + AWAY_SECONDS, []
            while time.monotonic() < until:
                told.append(book())
            start()
            began = time.monotonic()
            in_a_row = 0
            while in_a_row < IN_A_ROW:
                reply = book()
                in_a_row = in_a_row + 1 if reply.status_code == 201 else 0
                told += [] if in_a_row else [reply]
            took = time.monotonic() - began

            print(f"away for {AWAY_SECONDS} s, told so {len(told)} times; booked {took:.1f} s after that")
            assert {one.status_code for one in told} == {503}
            assert {one.headers["Content-Type"] for one in told} == {"application/problem+json"}
            assert all(int(one.headers["Retry-After"]) >= 1 for one in told)
            assert took < BACK_SECONDS
