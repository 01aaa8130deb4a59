"""Open days against availability: another order of work, the same answer, slot by slot."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Member, PrivilegeHold, Relation
from bcc.core.errors import DomainError, NotFoundError
from facilities.models import Closure, Facility, PrimeTime
from reservations import services
from reservations.models import Reservation
from reservations.selectors import open_days
from reservations.selectors.availability import Slot, get_availability
from reservations.selectors.open_days import OpenDays, get_open_days
from tests.conftest import at_club
from tests.factories import MemberFactory, make_facility, make_quota, make_rooms
from tests.reservations.bookings import actor_of, book, wish_for

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
PERIODS = ("day", "week", "month", "year", "outstanding", "concurrent")


def flattened(found: OpenDays) -> list[tuple[date, tuple[Slot, ...]]]:
    """The days as availability has them."""
    days = []
    for day in found.days:
        slots = day.slots
        if slots is None:
            assert day.shared is not None
            slots = tuple(one.slot for one in day.shared.slots)
        days.append((day.on, slots))
    return days


def assert_same(
    facility: Facility, member: Member, now: datetime, *, days: int = 7, party: int | None = None
) -> list[tuple[date, tuple[Slot, ...]]]:
    asked: dict[str, Any] = {
        "facility_id": facility.public_id,
        "member_id": member.pk,
        "first": date(2026, 6, 1),
        "last": date(2026, 6, 1) + timedelta(days=days - 1),
        "party": party,
        "now": now,
    }
    plain = get_availability(**asked)
    expected = [(day.on, day.slots) for day in plain.days]
    cold = get_open_days(**asked)
    assert flattened(cold) == expected
    assert flattened(get_open_days(**asked)) == expected  # from what is kept now
    assert (cold.facility, cold.rulebook) == (plain.facility, plain.rulebook)
    return expected


def states(days: list[tuple[date, tuple[Slot, ...]]]) -> set[str]:
    return {slot.state for _on, slots in days for slot in slots}


def reasons(days: list[tuple[date, tuple[Slot, ...]]]) -> set[str]:
    return {failure.code for _on, slots in days for slot in slots for failure in slot.reasons}


def make_world(chance: random.Random) -> tuple[list[Facility], list[Member]]:
    """Some facilities with some rules, and some of a household."""
    court = make_facility(
        "Court",
        terms={
            "min_notice_minutes": chance.choice([0, 0, 45, 240]),
            "min_notice_days": chance.choice([0, 0, 1, 2]),
            "open_days_ahead": chance.choice([3, 7, 30]),
            "release_time": chance.choice([time(0), time(9), time(21)]),
            "buffer_before_minutes": chance.choice([0, 15]),
            "buffer_after_minutes": chance.choice([0, 30]),
            "min_slots": chance.choice([1, 2]),
            "max_slots": 4,
            "hold_minutes": chance.choice([None, 10]),
            "rebook_lockout_minutes": chance.choice([0, 600]),
            "requires_good_standing": chance.choice([True, False]),
            "min_age": chance.choice([None, 18]),
        },
    )
    pool = make_facility("Pool", kind="class", lanes=4, takes="person", terms={"party_max": 4})
    night = make_facility("Bar", kind="table", opens=time(18), closes=time(2), next_day=True)
    rooms = make_rooms("Rooms", rooms=2)
    for number in range(chance.randint(0, 4)):
        make_quota(
            f"Quota {number}",
            measure=chance.choice(["count", "minutes", "nights", "guests"]),
            period=chance.choice(PERIODS),
            limit=chance.choice([0, 1, 2, 120]),
            per=chance.choice(["member", "household"]),
            kind=chance.choice(["", "court", "class"]),
            prime_time_only=chance.choice([True, False]),
        )
    for weekday in range(7):
        PrimeTime.objects.create(
            name="Evening", kind="court", weekday=weekday, starts=time(17), ends=time(20)
        )
    starts_at = at_club(chance.randint(1, 6), chance.randint(5, 20))
    Closure.objects.create(
        facility=chance.choice([court, pool]),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=chance.choice([1, 30])),
        reason="Rain.",
        confirmed_at=at_club(1, 0),
    )
    owner = MemberFactory.create(birth_date=chance.choice([None, date(1980, 2, 29), date(2015, 6, 4)]))
    other = MemberFactory.create(
        membership=owner.membership, relation=Relation.SPOUSE, can_book=chance.choice([True, False])
    )
    stranger = MemberFactory.create()
    owner.membership.valid_to = chance.choice([None, date(2026, 6, 3)])
    owner.membership.standing = chance.choice(["good", "good", "delinquent"])
    owner.membership.save()
    if chance.random() < 0.3:
        PrivilegeHold.objects.create(
            member=owner,
            source="manual",
            scope="booking",
            reason="A talk first.",
            starts_at=at_club(1, 0),
            until=at_club(chance.randint(1, 4), 12),
        )
    return [court, pool, night, rooms], [owner, other, stranger]


def act(chance: random.Random, facilities: list[Facility], members: list[Member], now: datetime) -> None:
    """Somebody books, or gives something back."""
    member = chance.choice(members)
    mine = Reservation.objects.filter(member=member, state__in=["HELD", "CONFIRMED"]).order_by("pk").first()
    try:
        if mine is not None and chance.random() < 0.3:
            services.cancel_reservation(reservation=mine, by=actor_of(member), reason="", now=now)
            return
        facility = chance.choice(facilities[:3])
        wish = wish_for(
            facility, day=chance.randint(1, 7), hour=chance.randint(6, 21), slots=chance.randint(1, 3)
        )
        book(member, wish, now=now)
    except DomainError:
        pass  # the club's rules refused it, which is as good a state as any


class TestGetOpenDays:
    @pytest.mark.parametrize("seed", range(12))
    def test_says_what_availability_says_whatever_the_rules_and_bookings(
        self, seed: int, travel: time_machine.Traveller
    ) -> None:
        chance = random.Random(seed)
        facilities, members = make_world(chance)
        now = at_club(1, 0)
        for _step in range(6):
            now += timedelta(minutes=chance.choice([7, 60, 60, 185, 24 * 60]))
            travel.move_to(now)
            for _booking in range(3):
                act(chance, facilities, members, now)
            for facility in facilities:
                party = chance.choice([None, 1, 2, 3]) if facility.takes == "person" else None
                for member in members:
                    assert_same(facility, member, now, party=party)

    def test_shows_every_kind_of_refusal_in_those_worlds(self, travel: time_machine.Traveller) -> None:
        """The worlds above would be worth nothing if nothing happened in them."""
        seen_states, seen_reasons = set(), set()
        for seed in (1, 2, 3, 5, 8):
            chance = random.Random(seed)
            Reservation.objects.all().delete()
            owner = MemberFactory.create()
            court = make_facility(
                f"Court {seed}",
                terms={"min_notice_minutes": 240, "open_days_ahead": 3, "buffer_after_minutes": 15},
            )
            make_quota(f"One {seed}", period="concurrent", limit=1, facility=court)
            Closure.objects.create(
                facility=court,
                starts_at=at_club(2, 15),
                ends_at=at_club(2, 18),
                reason="Rain.",
                confirmed_at=at_club(1, 0),
            )
            book(owner, wish_for(court, hour=chance.randint(9, 12)), now=at_club(1, 8))
            for member in (owner, MemberFactory.create()):
                days = assert_same(court, member, at_club(1, 8))
                seen_states |= states(days)
                seen_reasons |= reasons(days)
        assert seen_states == {"free", "taken", "closed", "refused"}
        assert seen_reasons >= {
            "in_the_past",
            "too_short_notice",
            "not_yet_released",
            "quota_exceeded",
            "closed",
            "slot_taken",
        }

    @pytest.mark.parametrize(
        "now",
        [
            at_club(1, 10),
            at_club(1, 10) - timedelta(microseconds=1),
            at_club(1, 10) + timedelta(microseconds=1),
            at_club(1, 9, 15),
            at_club(1, 9, 15) + timedelta(microseconds=1),
            datetime(2026, 5, 31, 16, 0, tzinfo=UTC),
        ],
    )
    def test_turns_at_the_same_instant(self, now: datetime, owner: Member) -> None:
        assert_same(make_facility("Short Notice", terms={"min_notice_minutes": 45}), owner, now)
        assert_same(make_facility("No Notice"), owner, now)

    def test_frees_a_hold_when_it_falls_due_and_holds_it_when_the_clock_goes_back(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 10})
        held = book(owner, wish_for(court), now=now)
        assert held.expires_at is not None
        for instant in (now, held.expires_at - HOUR / 60, held.expires_at, now):
            days = assert_same(court, stranger, instant)
            taken = [slot for _on, slots in days for slot in slots if slot.state == "taken"]
            assert len(taken) == (0 if instant == held.expires_at else 1)

    def test_asks_twice_of_days_that_it_keeps(self, owner: Member, court: Facility, now: datetime) -> None:
        def asked() -> int:
            with CaptureQueriesContext(connection) as said:
                get_open_days(
                    facility_id=court.public_id,
                    member_id=owner.pk,
                    first=date(2026, 6, 1),
                    last=date(2026, 6, 7),
                    party=None,
                    now=now,
                )
            return len(said)

        asked()
        assert asked() == 2
        book(owner, wish_for(court), now=now)
        assert asked() == 3
        assert asked() == 2

    def test_keeps_no_more_than_its_share(
        self, owner: Member, court: Facility, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_days, "MOST_KEPT", 5)
        assert_same(court, owner, now)
        assert len(open_days._kept) == 5

    def test_knows_no_facility_that_is_not_shown(self, owner: Member, court: Facility, now: datetime) -> None:
        court.state = "draft"
        court.save()
        with pytest.raises(NotFoundError):
            get_open_days(
                facility_id=court.public_id,
                member_id=owner.pk,
                first=date(2026, 6, 1),
                last=date(2026, 6, 1),
                party=None,
                now=now,
            )

    def test_finds_a_facility_younger_than_what_the_process_remembers(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        assert_same(court, owner, now)
        young = make_facility("Young Court")
        asked: dict[str, Any] = {
            "facility_id": young.public_id,
            "member_id": owner.pk,
            "first": date(2026, 6, 1),
            "last": date(2026, 6, 3),
            "party": None,
            "now": now,
        }
        found = flattened(get_open_days(**asked))
        assert found == [(day.on, day.slots) for day in get_availability(**asked).days]
