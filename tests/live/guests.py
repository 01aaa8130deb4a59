"""Members who book through kills: each keeps its key until it has been told, and what it was told."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.live.audit import ask, count
from tests.live.scenarios import Club
from tests.live.storm import Call

GUESTS = 8
# Sixteen hours a day in a place for ten; nobody stands in another's way.
HOURS = range(6, 22)
DAYS = range(2, 29)
TIMEOUT = 20
# Of what is held, so much is confirmed; the rest is left to the scheduler.
CONFIRMED = 0.3


@dataclass(slots=True)
class Guests:
    """``url`` is asked at each try: the server may have moved. ``faults`` are replies that nobody may get."""

    club: Club
    url: Callable[[], str]
    acknowledged: dict[str, str] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    _threads: list[Future[None]] = field(default_factory=list)

    def start(self, pool: ThreadPoolExecutor) -> None:
        self._threads = [pool.submit(self._run, guest) for guest in range(GUESTS)]

    def stop(self) -> None:
        """Let each end what it has begun: a wish whose answer it does not know it asks for again."""
        self.over.set()
        for one in self._threads:
            one.result()

    def _run(self, guest: int) -> None:
        dice = random.Random(guest)
        for day in DAYS:
            for hour in HOURS:
                if self.over.is_set():
                    return
                facility = dice.choice(["pool", "brief"])
                start = self.club.at(day, hour)
                key = str(uuid4())
                wish = self.club.call(guest, facility, start, start + timedelta(hours=1), key)
                made = self._until_told(wish, {201})
                if made is None:
                    continue
                self.acknowledged[key] = str(made["id"])
                if facility == "brief" and dice.random() < CONFIRMED:
                    # Through the kills a hold may run out first; then there is nothing to keep.
                    step = self.club.step(guest, str(made["id"]), "confirm")
                    if self._until_told(step, {200, 409}, {200}) is not None:
                        self.confirmed.add(str(made["id"]))

    def _until_told(self, call: Call, ends: set[int], told: set[int] | None = None) -> Any:
        """Send the same until an answer comes; None for one that is not in ``told``."""
        path, body, headers = call
        while True:
            try:
                reply = httpx.post(f"{self.url()}{path}", json=body, headers=headers, timeout=TIMEOUT)
            except httpx.TransportError as error:
                self.seen[type(error).__name__] += 1
                time.sleep(0.1)
                continue
            code = str(reply.json().get("code", "")) if "json" in reply.headers["Content-Type"] else ""
            self.seen[f"{reply.status_code} {code}".strip()] += 1
            self.seen["replayed"] += reply.headers.get("Idempotency-Replayed") == "true"
            if reply.status_code in ends and code != "key_in_flight":
                return reply.json() if reply.status_code in (told or ends) else None
            clean = (
                reply.status_code == 503
                and reply.headers["Content-Type"] == "application/problem+json"
                and int(reply.headers.get("Retry-After", 0)) >= 1
            )
            if not clean and code != "key_in_flight":
                self.faults.append((path, reply.status_code, reply.text[:300]))
                if reply.status_code < 500:
                    return None
            time.sleep(0.1)

    def check(self) -> None:
        """Every booking that was acknowledged stands once, and nothing stands that was not."""
        database = self.club.database
        rows = {
            str(pk).replace("-", ""): str(state)
            for pk, state in ask(database, "SELECT public_id, state FROM reservations_reservation")
        }
        told = {pk.replace("-", "") for pk in self.acknowledged.values()}
        assert len(told) == len(self.acknowledged), "one reservation for two keys"
        assert told - set(rows) == set(), "an acknowledged booking is lost"
        assert set(rows) - told == set(), "a booking stands that nobody was told of"
        kept = {pk.replace("-", "") for pk in self.confirmed}
        assert {rows[pk] for pk in kept} <= {"CONFIRMED"}, "an acknowledged confirmation is lost"
        keys = count(database, "SELECT COUNT(*) FROM core_idempotencykey")
        assert keys == len(self.acknowledged)
