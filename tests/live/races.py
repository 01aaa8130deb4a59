"""Two who want one thing at one instant, round after round: each asserts what must hold."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.live.audit import ask, change
from tests.live.runners import runners
from tests.live.scenarios import Club
from tests.live.storm import Reply, duel

HOUR = timedelta(hours=1)
CLEAR = {"slot_taken", "stale_version", "wrong_state", "rules_not_met"}
# Who wants to confirm in one round, each a hold of their own on one court.
RIVALS = 4
# The scheduler's clock is so many seconds ahead of the web server's: to the web server every confirm is
# in time, and the locks alone decide.
AHEAD = 2.0


def booked(club: Club, member: int, facility: str, starts_at: datetime) -> dict[str, Any]:
    storm = club.unleash([[club.call(member, facility, starts_at, starts_at + HOUR)]])
    assert storm.statuses == {201: 1}, storm.replies
    made: dict[str, Any] = storm.replies[0].body
    return made


@dataclass(slots=True)
class Seats:
    """Reservations of several members on one court, and where each stands by the last reply."""

    club: Club
    ids: list[str]
    times: list[datetime]

    def wishes(self, to: Sequence[datetime]) -> list[Any]:
        return [
            self.club.step(
                member,
                pk,
                "reschedule",
                starts_at=start.isoformat(),
                ends_at=(start + HOUR).isoformat(),
            )
            for member, (pk, start) in enumerate(zip(self.ids, to, strict=True))
        ]

    def hear(self, replies: Sequence[Reply]) -> list[int]:
        """Keep where each went; the statuses."""
        for member, reply in enumerate(replies):
            assert reply.status in {200, 409, 422}, (reply.status, reply.body)
            if reply.status == 200:
                self.times[member] = datetime.fromisoformat(reply.body["starts_at"])
            else:
                assert reply.code in CLEAR, reply.body
        assert len(set(self.times)) == len(self.times), self.times
        return [reply.status for reply in replies]

    def check(self) -> None:
        """Where the replies say that each stands is where the rows say it."""
        for pk, start in zip(self.ids, self.times, strict=True):
            rows = ask(
                self.club.database,
                "SELECT starts_at FROM reservations_reservation WHERE public_id = ?",
                pk.replace("-", ""),
            )
            assert instant_of(rows[0][0]) == start, (pk, rows, start)


def instant_of(value: object) -> datetime:
    """A time as an engine gives it: SQLite's is a text without a zone."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def swap(club: Club, rounds: int = 100) -> None:
    """Two members want each other's place at one instant, and then both want the one that is free.

    Neither can have the other's while the other stands there: both are refused. Of two who run for a
    free place one gets it. Where one follows into what the other leaves, the order decides.
    """
    a, b, c = (club.at(3, hour) for hour in (8, 10, 12))
    seats = Seats(club, [str(booked(club, m, "swap", at)["id"]) for m, at in ((0, a), (1, b))], [a, b])
    seen: dict[str, Counter[str]] = {"swap": Counter(), "free": Counter(), "follow": Counter()}

    def play(name: str, fight: Any, to: Sequence[datetime]) -> list[int]:
        statuses = seats.hear(fight.round(seats.wishes(to)))
        seen[name][" ".join(str(status) for status in statuses)] += 1
        return statuses

    with duel(club.url, 2) as fight:
        for number in range(rounds):
            first, second = seats.times
            (free,) = {a, b, c} - set(seats.times)
            assert play("swap", fight, [second, first]) == [409, 409]
            assert sorted(play("free", fight, [free, free])) == [200, 409]
            first, second = seats.times
            (free,) = {a, b, c} - set(seats.times)
            # By turns the one leaves and the other follows.
            leaver = number % 2
            statuses = play("follow", fight, [second, free] if leaver else [free, first])
            assert (statuses[leaver], statuses[1 - leaver] in {200, 409}) == (200, True), statuses
        seats.check()
        club.check(fight.storm, "reschedule against reschedule")
    print({name: dict(counted) for name, counted in seen.items()})
    assert len(seen["free"]) == 2, "one of the two always won: they did not race"


@dataclass(slots=True)
class Aim:
    """How long before the scheduler the members press, in seconds: it seeks where either may win."""

    lead: float = 0.02
    dice: random.Random = field(default_factory=lambda: random.Random(20260601))

    def shots(self, at: float) -> list[float]:
        return [at - self.lead * self.dice.uniform(0.6, 1.4) for _rival in range(RIVALS)]

    def correct(self, confirmed: int) -> None:
        self.lead = max(-0.02, min(0.5, self.lead + (0.001 if confirmed < RIVALS / 2 else -0.001)))


def hold_for_rounds(club: Club, rounds: int) -> list[list[str]]:
    """A hold of each rival's for each round, all on one court; their ids."""
    starts = [club.at(1 + number // 16, 6 + number % 16) for number in range(rounds * RIVALS)]
    storm = club.unleash(
        [
            [club.call(rival, "held", start, start + HOUR) for start in starts[rival::RIVALS]]
            for rival in range(RIVALS)
        ]
    )
    assert storm.statuses == {201: rounds * RIVALS}, storm.statuses
    made = {str(reply.body["starts_at"]): str(reply.body["id"]) for reply in storm.replies}
    ids = [made[instant] for instant in sorted(made)]
    return [ids[first : first + RIVALS] for first in range(0, len(ids), RIVALS)]


def set_deadline(club: Club, holds: Sequence[str], at: float) -> None:
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    for pk in holds:
        changed = change(
            club.database,
            "UPDATE reservations_reservation SET expires_at = ? WHERE public_id = ? AND state = 'HELD'",
            text,
            pk.replace("-", ""),
        )
        assert changed == 1


def confirm_or_expire(club: Club, rounds: int = 100, lead: float = 0.02) -> None:
    """Holds are confirmed and expired at one instant: one winner each, and the reply says which."""
    aim, confirmed, mixed = Aim(lead), Counter[int](), 0
    promised: dict[str, int] = {}
    holds = hold_for_rounds(club, rounds)
    with duel(club.url, RIVALS) as fight, runners(club.env, 1) as (runner,):
        for ids in holds:
            at = time.time() + 0.15 + aim.lead
            set_deadline(club, ids, at + AHEAD)
            runner.send(at=at, now=at + AHEAD)
            calls = [club.step(rival, pk, "confirm") for rival, pk in enumerate(ids)]
            replies = fight.round(calls, aim.shots(at))
            runner.result()
            promised |= {pk: reply.status for pk, reply in zip(ids, replies, strict=True)}
            won = sum(reply.status == 200 for reply in replies)
            confirmed[won] += 1
            mixed += 0 < won < RIVALS
            aim.correct(won)
        # What the runner had left to somebody who then came too late.
        runner.send(at=0, now=time.time() + AHEAD)
        left = runner.result().expired
    club.check(fight.storm, "confirm against expire")
    assert set(fight.storm.statuses) == {200, 409}, fight.storm.statuses
    states = {
        str(pk).replace("-", ""): str(state)
        for pk, state in ask(
            club.database,
            "SELECT r.public_id, r.state FROM reservations_reservation r "
            "JOIN facilities_facility f ON f.id = r.facility_id WHERE f.name = 'Held Court'",
        )
    }
    kept = {200: "CONFIRMED", 409: "EXPIRED"}
    for pk, status in promised.items():
        assert states[pk.replace("-", "")] == kept[status], (pk, status)
    print(
        f"{rounds} rounds of {RIVALS}: {dict(Counter(states.values()))}; confirmed in a round "
        f"{dict(sorted(confirmed.items()))}; {mixed} rounds had winners on both sides; {left} were left over"
    )
    assert set(states.values()) == {"CONFIRMED", "EXPIRED"}, "one side won every time: they did not race"
    assert mixed + min(confirmed[0], confirmed[RIVALS]) >= rounds // 10
