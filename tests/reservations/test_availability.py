"""What is free, slot by slot, for one member, in three queries with the rules in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from accounts.models import Member
from bcc.core.errors import NotFoundError, RuleError
from facilities.models import Closure, Facility, Holiday, OpeningSpan
from reservations import services
from reservations.models import Reservation, SlotClaim, Type
from reservations.selectors.availability import Slot, get_availability
from reservations.selectors.rulebook import current_rules
from reservations.services.booking import Wish
from reservations.services.errors import SlotTakenError
from tests.conftest import at_club
from tests.factories import (
    MemberFactory,
    make_facility,
    make_quota,
    make_rooms,
    make_space,
    make_version,
)
from tests.reservations.bookings import STAFF, actor_of, book, wish_for

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def slots(
    facility: Facility,
    member: Member,
    now: datetime,
    *,
    first: int = 2,
    last: int | None = None,
    party: int | None = None,
) -> list[Slot]:
    found = get_availability(
        facility_id=facility.public_id,
        member_id=member.pk,
        first=date(2026, 6, first),
        last=date(2026, 6, last or first),
        party=party,
        now=now,
    )
    return [slot for day in found.days for slot in day.slots]


def slot(facility: Facility, member: Member, now: datetime, *, day: int = 2, hour: int = 10) -> Slot:
    return next(
        one for one in slots(facility, member, now, first=day) if one.interval.starts_at == at_club(day, hour)
    )


def reasons(found: Slot) -> list[str]:
    return [failure.code for failure in found.reasons]


@contextmanager
def counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


class TestSlots:
    def test_are_those_of_the_opening_hours(self, court: Facility, owner: Member, now: datetime) -> None:
        found = slots(court, owner, now)

        assert [one.interval.starts_at for one in found] == [at_club(2, hour) for hour in range(6, 22)]
        assert {(one.state, one.left) for one in found} == {("free", 1)}

    def test_of_a_policy_of_more_slots_are_the_shortest_bookings(self, owner: Member, now: datetime) -> None:
        pair = make_facility("Pair", terms={"min_slots": 2, "max_slots": 2})

        found = slots(pair, owner, now)

        assert {one.interval.minutes for one in found} == {120}
        assert found[-1].interval.ends_at == at_club(2, 22)

    def test_of_a_night_are_stays(self, owner: Member, stranger: Member, now: datetime) -> None:
        rooms = make_rooms(rooms=2)
        for member in (owner, stranger):
            wish = Wish(rooms.public_id, at_club(3, 14), at_club(5, 12))
            book(member, wish, now=now)

        found = slots(rooms, owner, now, first=2, last=5)

        assert [(one.state, one.left) for one in found] == [
            ("free", 2),
            ("taken", 0),
            ("taken", 0),
            ("free", 2),
        ]

    def test_over_midnight_stand_with_the_day_on_which_they_open(self, owner: Member, now: datetime) -> None:
        late = make_facility("Late", opens=time(20), closes=time(2), next_day=True)

        assert [one.interval.starts_at for one in slots(late, owner, now)][-1] == at_club(3, 1)

    def test_there_are_none_where_nobody_of_the_category_books(
        self, court: Facility, owner: Member, now: datetime
    ) -> None:
        policy = court.policies.get()
        policy.valid_from = date(2026, 6, 3)
        policy.save()

        assert slots(court, owner, now) == []
        assert len(slots(court, owner, now, first=3)) == 16

    def test_of_a_holiday_are_its_own(self, court: Facility, owner: Member, now: datetime) -> None:
        period = court.opening_periods.get()
        OpeningSpan.objects.create(period=period, weekday=7, opens=time(8), closes=time(10))
        Holiday.objects.create(on=date(2026, 6, 2), name="A holiday", is_confirmed=True)

        assert [one.interval.starts_at for one in slots(court, owner, now)] == [at_club(2, 8), at_club(2, 9)]

    def test_a_facility_that_is_not_shown_is_not_there(
        self, court: Facility, owner: Member, now: datetime
    ) -> None:
        court.publish_from = now + MINUTE
        court.save()

        with pytest.raises(NotFoundError):
            slots(court, owner, now)
        assert slots(court, owner, now + MINUTE)

    def test_nobody_asks_for_a_member_who_is_gone(self, court: Facility, now: datetime) -> None:
        with pytest.raises(NotFoundError):
            get_availability(
                facility_id=court.public_id,
                member_id=0,
                first=date(2026, 6, 2),
                last=date(2026, 6, 2),
                party=None,
                now=now,
            )


class TestTheNextAnswer:
    """Whatever changes shows at once: nothing but the rules is remembered, and those by their mark."""

    def test_shows_a_booking_and_its_neighbours_buffer(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        court = make_facility("Buffered", terms={"buffer_after_minutes": 15})
        assert slot(court, stranger, now).state == "free"

        book(owner, wish_for(court), now=now)

        found = [slot(court, stranger, now, hour=hour) for hour in (9, 10, 11, 12)]
        assert [one.state for one in found] == ["taken", "taken", "taken", "free"]
        assert [one.left for one in found] == [1, 0, 1, 1]

    def test_shows_a_closure(
        self, court: Facility, owner: Member, now: datetime, travel: time_machine.Traveller
    ) -> None:
        assert slot(court, owner, now).state == "free"

        Closure.objects.create(
            space=court.spaces.get(),
            starts_at=at_club(2, 9),
            ends_at=at_club(2, 11),
            reason="Resurfacing.",
            confirmed_at=now,
        )

        assert [slot(court, owner, now, hour=hour).state for hour in (8, 9, 10, 11)] == [
            "free",
            "closed",
            "closed",
            "free",
        ]

    def test_does_not_show_a_closure_that_is_not_in_force(
        self, court: Facility, owner: Member, now: datetime, travel: time_machine.Traveller
    ) -> None:
        Closure.objects.create(
            facility=court, starts_at=at_club(2, 9), ends_at=at_club(2, 11), reason="Perhaps."
        )

        assert slot(court, owner, now).state == "free"

    def test_shows_an_edit_of_the_policy(self, court: Facility, owner: Member, now: datetime) -> None:
        assert slot(court, owner, now).state == "free"

        make_version(court.policies.get(), number=2, min_notice_days=3)

        found = slot(court, owner, now)
        assert (found.state, reasons(found)) == ("refused", ["too_short_notice"])

    def test_shows_an_expired_hold(self, owner: Member, stranger: Member, now: datetime) -> None:
        court = make_facility("Held", terms={"hold_minutes": 10})
        book(owner, wish_for(court), now=now)

        states = [slot(court, stranger, now + after * MINUTE).state for after in (0, 9, 10)]

        assert states == ["taken", "taken", "free"]

    def test_shows_a_cancellation(
        self, court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)
        services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)

        assert slot(court, stranger, now).state == "free"

    def test_shows_what_is_taken_of_a_hall_by_its_halves(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        east, west = make_space("East half"), make_space("West half")
        one = make_facility("East hall", kind="hall", spaces=[east])
        both = make_facility("Grand hall", kind="hall", spaces=[east, west])
        book(owner, wish_for(one, hour=10), now=now)
        book(owner, wish_for(both, hour=14), now=now)

        assert [slot(both, stranger, now, hour=hour).state for hour in (10, 12, 14)] == [
            "taken",
            "free",
            "taken",
        ]
        assert [slot(one, stranger, now, hour=hour).state for hour in (10, 12, 14)] == [
            "taken",
            "free",
            "taken",
        ]

    def test_shows_what_the_club_blocks(self, court: Facility, owner: Member, now: datetime) -> None:
        services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.EVENT,
            title="Cup",
            by=STAFF,
            now=now,
        )

        assert slot(court, owner, now).state == "taken"


class TestForThisMember:
    def test_two_members_differ_where_their_quotas_do(
        self, court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        make_quota("One a day", limit=1)
        book(owner, wish_for(court, hour=8), now=now)

        mine, theirs = slots(court, owner, now), slots(court, stranger, now)

        assert {one.state for one in mine} == {"refused", "taken"}
        assert [one.state for one in theirs].count("free") == 15
        failure = mine[-1].reasons[0]
        assert (failure.code, failure.limit, failure.current) == ("quota_exceeded", 1, 1)

    def test_a_household_shares_its_quota(
        self, court: Facility, owner: Member, spouse: Member, now: datetime
    ) -> None:
        make_quota("One a day", limit=1, per="household")
        book(owner, wish_for(court, hour=8), now=now)

        assert slot(court, spouse, now).state == "refused"

    def test_a_taken_slot_says_so_even_where_a_rule_refuses_it_too(
        self, court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        make_quota("One a day", limit=1)
        book(owner, wish_for(court, hour=10), now=now)
        book(stranger, wish_for(court, hour=8), now=now)

        found = slot(court, stranger, now, hour=10)

        assert found.state == "taken"
        assert reasons(found) == ["quota_exceeded", "slot_taken"]

    def test_the_party_is_the_smallest_that_the_policy_takes_unless_said(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        pool = make_facility("Pool", kind="class", lanes=5, takes="person", terms={"party_min": 2})
        book(owner, wish_for(pool, party=3), now=now)

        assert slot(pool, stranger, now).state == "free"
        three = next(
            one for one in slots(pool, stranger, now, party=3) if one.interval.starts_at == at_club(2, 10)
        )
        assert (three.state, three.left) == ("taken", 2)

    def test_agrees_with_what_a_booking_answers(
        self, court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        """Every slot that is free can be quoted, and every other is refused for the same reasons."""
        make_quota("Five a week", period="week", limit=5)
        for hour in (7, 9, 10, 13):
            book(owner, wish_for(court, hour=hour), now=now)

        for one in slots(court, stranger, now, first=1, last=2):
            wish = Wish(court.public_id, one.interval.starts_at, one.interval.ends_at)
            try:
                services.quote(wish=wish, member_id=stranger.pk, now=now)
                refused: set[str] = set()
            except (RuleError, SlotTakenError) as error:
                refused = {rule.code for rule in error.rules}
            assert refused == set(reasons(one))


class TestQueries:
    def test_are_three_whatever_is_booked(self, owner: Member, stranger: Member, now: datetime) -> None:
        lanes = make_facility("Lanes", kind="class", lanes=20, terms={"open_days_ahead": 30})
        current_rules()

        with counting() as empty:
            slots(lanes, owner, now, last=8)
        fill(lanes, now)
        with counting() as full:
            found = slots(lanes, owner, now, last=8)

        assert Reservation.objects.count() == 2016
        assert len(empty) == len(full) == 3
        assert {one.left for one in found} == {2}

    def test_are_as_many_for_a_month_as_for_a_day(
        self, court: Facility, owner: Member, now: datetime
    ) -> None:
        slots(court, owner, now)

        with counting() as day:
            slots(court, owner, now)
        with counting() as month:
            slots(court, owner, now, first=1, last=30)

        assert len(day) == len(month) == 3

    def test_reading_new_rules_takes_as_many_for_many_facilities(
        self, court: Facility, owner: Member, now: datetime
    ) -> None:
        with counting() as few:
            slots(court, owner, now)
        for number in range(5):
            make_facility(f"Court number {number}")
        with counting() as many:
            slots(court, owner, now)

        assert len(many) == len(few) > 3


def fill(lanes: Facility, now: datetime) -> None:
    """2,016 bookings: eighteen in each of the sixteen hours of seven days."""
    version = lanes.policies.get().versions.get()
    members = [MemberFactory.create() for _number in range(18)]
    rows = [
        Reservation(
            facility=lanes,
            member=member,
            membership=member.membership,
            policy_version=version,
            state="CONFIRMED",
            starts_at=at_club(day, hour),
            ends_at=at_club(day, hour) + HOUR,
            starts_on=date(2026, 6, day),
            created_at=now,
        )
        for day in range(2, 9)
        for hour in range(6, 22)
        for member in members
    ]
    Reservation.objects.bulk_create(rows)
    space = lanes.spaces.get()
    SlotClaim.objects.bulk_create(
        SlotClaim(space=space, cell_start=row.starts_at + 15 * MINUTE * n, lane=index % 18, reservation=row)
        for index, row in enumerate(rows)
        for n in range(4)
    )
