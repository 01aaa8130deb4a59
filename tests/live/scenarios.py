"""The storms of the concurrency tests: each asserts what must hold, and says what it saw."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.live.audit import OCCUPYING, count, find_wrongs
from tests.live.storm import Call, Storm, unleash

BOOK = "/api/v1/reservations"


class InvariantError(AssertionError):
    """The database holds what must never be; ``broken`` are the names of the checks that found it."""

    def __init__(self, wrongs: dict[str, list[tuple[object, ...]]]) -> None:
        super().__init__(wrongs)
        self.broken = set(wrongs)


@dataclass(frozen=True, slots=True)
class Club:
    """What ``prepare`` printed, and where its server is: ``database`` is a file or a URL.

    ``env`` is what a further process of the same club needs.
    """

    url: str
    database: Path | str
    members: list[dict[str, str]]
    facilities: dict[str, str]
    today: date
    env: Mapping[str, str] = field(default_factory=dict)

    def headers(self, member: int) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.members[member]['token']}"}

    def call(
        self, member: int, facility: str, starts_at: datetime, ends_at: datetime, key: str | None = None
    ) -> Call:
        headers = self.headers(member)
        if key is not None:
            headers["Idempotency-Key"] = key
        body = {
            "facility": self.facilities[facility],
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
        }
        return BOOK, body, headers

    def step(self, member: int, reservation: str, name: str, **body: str) -> Call:
        """A step on a reservation: ``confirm``, ``reschedule`` and so on."""
        return f"{BOOK}/{reservation}/{name}", body, self.headers(member)

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """An instant by the clock of the club, which is eight hours ahead of UTC."""
        midnight = datetime.combine(self.today + timedelta(days=days), datetime.min.time(), tzinfo=UTC)
        return midnight + timedelta(hours=hour - 8, minutes=minute)

    def unleash(self, clients: list[list[Call]]) -> Storm:
        return unleash(self.url, clients)

    def check(self, storm: Storm, name: str) -> None:
        """Raises InvariantError by what the rows say, whatever the replies were."""
        print(storm.report(name))
        wrongs = find_wrongs(self.database)
        if wrongs:
            raise InvariantError(wrongs)
        assert not [reply for reply in storm.replies if reply.status >= 500], storm.statuses


def open_club(
    url: str, database: Path | str, made: dict[str, Any], env: Mapping[str, str] | None = None
) -> Club:
    """The club that ``prepare`` has made, at a server."""
    today = date.fromisoformat(made["today"])
    return Club(url, database, made["members"], made["facilities"], today, env or {})


def one_slot(club: Club) -> None:
    """1,000 attempts for one slot by 50 members: exactly one 201, the rest 409 slot_taken."""
    start = club.at(3, 10)
    storm = club.unleash(
        [[club.call(member, "court", start, start + timedelta(hours=1))] * 20 for member in range(50)]
    )
    club.check(storm, "one slot")
    assert storm.overlap >= 40, storm.overlap
    assert storm.statuses == {201: 1, 409: 999}, storm.statuses
    assert {reply.code for reply in storm.replies if reply.status == 409} == {"slot_taken"}


def capacity(club: Club) -> None:
    """50 bookings of a place for ten: exactly ten."""
    start = club.at(3, 10)
    storm = club.unleash(
        [[club.call(member, "pool", start, start + timedelta(hours=1))] for member in range(50)]
    )
    club.check(storm, "capacity 10")
    assert storm.statuses == {201: 10, 409: 40}, storm.statuses


def nights(club: Club) -> None:
    """50 stays over three nights in twelve rooms: twelve a night, and departures and arrivals fit."""
    stays = [(3, 5), (5, 6), (4, 6), (3, 4), (3, 6)]
    calls = [
        [club.call(member, "rooms", club.at(first, 14), club.at(last, 12))]
        for member in range(50)
        for first, last in [stays[member % len(stays)]]
    ]
    club.check(club.unleash(calls), "twelve rooms")
    # What is left is filled night by night, so that every night ends up full.
    fill = [
        [club.call(member, "rooms", club.at(night, 14), club.at(night + 1, 12)) for night in (3, 4, 5)]
        for member in range(50)
    ]
    club.check(club.unleash(fill), "twelve rooms, filled")
    for night in (3, 4, 5):
        instant = (club.at(night, 20)).strftime("%Y-%m-%d %H:%M:%S")
        taken = count(
            club.database,
            f"""SELECT COUNT(*) FROM reservations_reservation r
                JOIN facilities_facility f ON f.id = r.facility_id
                WHERE f.kind = 'room_night' AND r.state IN {OCCUPYING}
                AND r.starts_at <= ? AND r.ends_at > ?""",
            instant,
            instant,
        )
        assert taken == 12, (night, taken)


def quota(club: Club) -> None:
    """One member, 50 tables at once, a quota of two: exactly two, the rest 422 with limit and count."""
    start = club.at(3, 12)
    storm = club.unleash(
        [[club.call(0, f"table_{number}", start, start + timedelta(hours=1))] for number in range(50)]
    )
    club.check(storm, "quota of two")
    assert storm.statuses == {201: 2, 422: 48}, storm.statuses
    for reply in storm.replies:
        if reply.status == 422:
            rule = reply.body["rules"][0]
            assert (rule["code"], rule["limit"], rule["current"]) == ("quota_exceeded", 2, 2), rule


def intervals(club: Club) -> None:
    """200 overlapping intervals of one to eight slots: survivors are disjoint, and one that touches fits."""
    chance = random.Random(20260601)
    clients: list[list[Call]] = []
    for member in range(50):
        calls = []
        for _attempt in range(4):
            start = club.at(4, 8) + timedelta(minutes=15 * chance.randrange(32))
            end = start + timedelta(minutes=15 * chance.randint(1, 8))
            calls.append(club.call(member, "lane", start, end))
        clients.append(calls)
    storm = club.unleash(clients)
    club.check(storm, "intervals")
    assert set(storm.statuses) == {201, 409}, storm.statuses
    kept = sorted(
        (reply.body["starts_at"], reply.body["ends_at"]) for reply in storm.replies if reply.status == 201
    )
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(kept)), kept
    last = datetime.fromisoformat(kept[-1][1])
    touching = club.unleash([[club.call(0, "lane", last, last + timedelta(minutes=15))]])
    club.check(touching, "an interval that touches")
    assert touching.statuses == {201: 1}, touching.replies


def hall(club: Club) -> None:
    """The hall blocks its halves and they it, and the halves not each other."""
    start = club.at(5, 10)
    names = ("hall", "hall_east", "hall_west")
    storm = club.unleash(
        [[club.call(member, names[member % 3], start, start + timedelta(hours=1))] for member in range(48)]
    )
    club.check(storm, "hall and halves")
    won = sorted(reply.body["facility"]["name"] for reply in storm.replies if reply.status == 201)
    assert won in (["Grand Hall"], ["East Hall", "West Hall"]), won


def one_key(club: Club) -> None:
    """One key twenty times at once: one reservation and equal replies; another body, another member."""
    start, key = club.at(6, 10), str(uuid4())
    end = start + timedelta(hours=1)
    storm = club.unleash([[club.call(1, "once", start, end, key)] for _client in range(20)])
    club.check(storm, "one key")
    assert set(storm.statuses) <= {201, 409}, storm.statuses
    bodies: list[Any] = [reply.body for reply in storm.replies if reply.status == 201]
    assert bodies
    assert all(body == bodies[0] for body in bodies)
    assert {reply.code for reply in storm.replies if reply.status == 409} <= {"key_in_flight"}
    replayed = [reply.headers.get("Idempotency-Replayed") for reply in storm.replies if reply.status == 201]
    assert replayed.count(None) == 1
    other_body = club.unleash([[club.call(1, "once", end, end + timedelta(hours=1), key)]])
    assert [(reply.status, reply.code) for reply in other_body.replies] == [(422, "key_reused")]
    other_member = club.unleash([[club.call(2, "once", end, end + timedelta(hours=1), key)]])
    assert other_member.statuses == {201: 1}
