"""``kill -9`` in the middle of bookings, and the start after it."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.live.audit import count, find_wrongs
from tests.live.scenarios import Club, open_club
from tests.live.server import Server, run_json, serving
from tests.live.storm import Call

pytestmark = [pytest.mark.server, pytest.mark.soak]

CLIENTS = 25
CALLS = 6
# So many are acknowledged when the server dies; the rest is under way or still to come.
BEFORE_THE_END = 40
REFERENCE = re.compile(r"Your reference is ([0-9a-f]{8})\.")
OUTBOX_SECONDS = 90
OPEN = "SELECT COUNT(*) FROM accounts_notification WHERE state IN ('PENDING', 'SENDING')"


@dataclass(slots=True)
class Bookings:
    """What each client wants, and what it was told. A call keeps its key, so it may be sent again."""

    wanted: list[list[Call]]
    acknowledged: dict[str, str] = field(default_factory=dict)
    replayed: int = 0

    def send(self, url: str, enough: threading.Event | None = None) -> None:
        """Send what was not acknowledged yet; a client ends when the server is gone."""

        def run(calls: list[Call]) -> None:
            with httpx.Client(base_url=url, timeout=60) as client:
                for path, body, headers in calls:
                    key = headers["Idempotency-Key"]
                    if key in self.acknowledged:
                        continue
                    try:
                        reply = client.post(path, json=body, headers=headers)
                    except httpx.TransportError:
                        return
                    assert reply.status_code == 201, reply.text
                    self.replayed += reply.headers.get("Idempotency-Replayed") == "true"
                    self.acknowledged[key] = reply.json()["id"]
                    if enough and len(self.acknowledged) >= BEFORE_THE_END:
                        enough.set()

        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(run, calls) for calls in self.wanted]:
                done.result()


def wishes(club: Club) -> list[list[Call]]:
    """A table of one's own for each client, on another day for each call: nothing stands in the way."""
    return [
        [
            club.call(client, f"table_{client}", start, start + timedelta(hours=1), key=str(uuid4()))
            for start in (club.at(day, 12) for day in range(3, 3 + CALLS))
        ]
        for client in range(CLIENTS)
    ]


@contextmanager
def writing(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def hurry_the_outbox(data_dir: Path) -> None:
    """Sweep every few seconds, as staff may set it, and let the leases of the dead be over."""
    with writing(data_dir / "bcc.sqlite3") as rows:
        made = rows.execute(
            "INSERT INTO django_celery_beat_intervalschedule (every, period) VALUES (5, 'seconds')"
        )
        changed = rows.execute(
            "UPDATE django_celery_beat_periodictask SET interval_id = ? "
            "WHERE task = 'accounts.send_due_notifications'",
            (made.lastrowid,),
        )
        assert changed.rowcount == 1
        rows.execute("UPDATE accounts_notification SET send_at = created_at WHERE state = 'SENDING'")


def in_flight(server: Server) -> set[str]:
    """References of the bookings whose e-mail was being sent when the server died."""
    with writing(server.data_dir / "bcc.sqlite3") as rows:
        found = rows.execute(
            "SELECT json_extract(context, '$.reference') FROM accounts_notification WHERE state = 'SENDING'"
        )
        return {str(row[0]) for row in found}


class TestKill:
    def test_loses_nothing_books_nothing_twice_and_goes_on_telling(self, tmp_path: Path) -> None:
        made = run_json(["tests/live/prepare.py"], tmp_path)
        enough = threading.Event()
        with serving(tmp_path) as server:
            club = open_club(server.url, server.database, made)
            bookings = Bookings(wishes(club))
            with ThreadPoolExecutor(1) as pool:
                storm = pool.submit(bookings.send, server.url, enough)
                assert enough.wait(60)
                server.process.kill()
                server.process.wait(30)
                storm.result()
            before = dict(bookings.acknowledged)
            assert len(before) < CLIENTS * CALLS, "the server outlived the storm"
            assert not find_wrongs(server.database)
            for reservation in before.values():
                assert count(
                    server.database,
                    "SELECT COUNT(*) FROM reservations_reservation WHERE public_id = ?",
                    reservation.replace("-", ""),
                )
            waiting, twice_perhaps = count(server.database, OPEN), in_flight(server)
            assert waiting, "nothing was left to tell"

        hurry_the_outbox(tmp_path)
        with serving(tmp_path) as server:
            bookings.send(server.url)
            assert len(bookings.acknowledged) == CLIENTS * CALLS
            until = time.monotonic() + OUTBOX_SECONDS
            while count(server.database, OPEN) and time.monotonic() < until:
                time.sleep(0.5)
            assert not count(server.database, OPEN)
            assert server.stop() == 0

        assert not find_wrongs(server.database)
        assert count(server.database, "SELECT COUNT(*) FROM reservations_reservation") == CLIENTS * CALLS
        # Each event has one row a channel, and each e-mail went out once. Only one that was on its way
        # when the server died may have come twice: nobody can know whether it had left.
        told = Counter(REFERENCE.findall((tmp_path / "outbox.txt").read_text()))
        assert len(told) == CLIENTS * CALLS
        assert {reference for reference, times in told.items() if times > 1} <= twice_perhaps
        print(
            f"killed after {len(before)} replies with {waiting} notices waiting, "
            f"{len(twice_perhaps)} on their way; {bookings.replayed} repeated requests had been done before"
        )
