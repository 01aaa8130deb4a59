from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bcc.core.intervals import Interval
from facilities.policies.hours import Period, Span
from reservations.policies.occupancy import Taken
from reservations.policies.rules.place import BufferRule, CapacityRule, ClosureRule, OpeningRule, SlotRule
from reservations.policies.terms import ClosureFacts, SpaceFacts, Terms
from tests.reservations.policies.asks import (
    BERLIN,
    HOUR,
    MANILA,
    MINUTE,
    SECOND,
    SPACE,
    always,
    facility_of,
    judged,
    local,
    make_ask,
    only,
    rooms,
)


class TestSlotRule:
    @pytest.mark.parametrize(
        ("start", "minutes", "code"),
        [
            ((10, 0), 60, None),
            ((10, 0), 180, None),
            ((10, 30), 60, "not_a_slot"),
            ((10, 0), 59, "not_a_slot"),
            ((10, 0), 61, "not_a_slot"),
            ((10, 0), 240, "slot_count"),
            ((10, 1), 60, "not_a_slot"),
        ],
        ids=["one", "three", "off-the-start", "short", "long", "four", "a-minute-late"],
    )
    def test_takes_whole_slots_from_a_start_of_the_facility(
        self, start: tuple[int, int], minutes: int, code: str | None
    ) -> None:
        starts_at = local(2, *start)
        ask = make_ask(starts_at=starts_at, ends_at=starts_at + minutes * MINUTE, terms=Terms(max_slots=3))

        assert [failure.code for failure in judged(SlotRule(), ask)] == ([code] if code else [])

    @pytest.mark.parametrize(("slots", "limit"), [(1, 2), (2, None), (3, None), (4, 3)])
    def test_says_the_number_of_slots_that_was_missed(self, slots: int, limit: int | None) -> None:
        ask = make_ask(ends_at=local(2, 10) + slots * HOUR, terms=Terms(min_slots=2, max_slots=3))

        expected = [] if limit is None else [("slot_count", limit, slots)]
        assert [(one.code, one.limit, one.current) for one in judged(SlotRule(), ask)] == expected

    def test_counts_slots_from_the_opening_time(self) -> None:
        half_past = always(time(6, 30), time(22, 30))

        assert judged(SlotRule(), make_ask(starts_at=local(2, 10), periods=half_past))
        assert not judged(SlotRule(), make_ask(starts_at=local(2, 10, 30), periods=half_past))

    def test_knows_the_slots_after_midnight_of_the_evening_before(self) -> None:
        night = always(time(18, 30), time(2, 30), next_day=True)

        assert not judged(SlotRule(), make_ask(starts_at=local(3, 0, 30), periods=night))
        assert judged(SlotRule(), make_ask(starts_at=local(3, 0), periods=night))

    def test_where_an_evening_runs_into_a_morning_a_slot_of_either_will_do(self) -> None:
        evening, morning = Span(1, time(18, 30), time(2, 30), True), Span(2, time(0), time(8))
        both = (Period(date(2020, 1, 1), None, 0, True, (evening, morning)),)

        # Tuesday's evening counts at half past, Wednesday's morning at the full hour.
        assert not judged(SlotRule(), make_ask(starts_at=local(3, 0, 30), periods=both))
        assert not judged(SlotRule(), make_ask(starts_at=local(3, 1), periods=both))
        assert judged(SlotRule(), make_ask(starts_at=local(3, 1, 15), periods=both))

    def test_outside_the_hours_the_length_alone_is_judged(self) -> None:
        """What is wrong there is the hour, which OpeningRule says."""
        assert not judged(SlotRule(), make_ask(starts_at=local(2, 3, 17)))
        assert judged(SlotRule(), make_ask(starts_at=local(2, 3), ends_at=local(2, 3, 30)))

    def test_the_doubled_hour_has_one_slot_and_it_is_the_first(self) -> None:
        first = datetime(2026, 10, 25, 0, tzinfo=UTC)
        day = always(time(0), time(6))

        assert not judged(SlotRule(), make_ask(starts_at=first, periods=day, zone=BERLIN))
        assert (
            only(SlotRule(), make_ask(starts_at=first + HOUR, periods=day, zone=BERLIN)).code == "not_a_slot"
        )


class TestSlotRuleOfNights:
    def stay(self, starts_at: datetime, ends_at: datetime, **terms: Any) -> Any:
        return make_ask(
            starts_at=starts_at, ends_at=ends_at, facility=rooms(), terms=Terms(**{"max_slots": 3, **terms})
        )

    @pytest.mark.parametrize(
        ("starts_at", "ends_at", "code"),
        [
            (local(2, 14), local(3, 12), None),
            (local(2, 14), local(5, 12), None),
            (local(2, 14), local(6, 12), "slot_count"),
            (local(2, 14) + SECOND, local(3, 12), "not_a_slot"),
            (local(2, 14), local(3, 12) - SECOND, "not_a_slot"),
            (local(2, 14), local(2, 20), "not_a_slot"),
        ],
        ids=["one", "three", "four", "late-check-in", "early-check-out", "no-night"],
    )
    def test_takes_stays_from_check_in_to_check_out(
        self, starts_at: datetime, ends_at: datetime, code: str | None
    ) -> None:
        failures = judged(SlotRule(), self.stay(starts_at, ends_at))

        assert [failure.code for failure in failures] == ([code] if code else [])

    def test_says_the_number_of_nights_that_was_missed(self) -> None:
        failure = only(SlotRule(), self.stay(local(2, 14), local(3, 12), min_slots=2))

        assert (failure.code, failure.limit, failure.current) == ("slot_count", 2, 1)


class TestOpeningRule:
    @pytest.mark.parametrize(
        ("starts_at", "ends_at", "is_open"),
        [
            (local(2, 6), local(2, 7), True),
            (local(2, 6) - SECOND, local(2, 7), False),
            (local(2, 21), local(2, 22), True),
            (local(2, 21), local(2, 22) + SECOND, False),
            (local(2, 22), local(2, 23), False),
        ],
        ids=["at-opening", "before", "at-closing", "over-closing", "after"],
    )
    def test_wants_the_whole_wish_inside(self, starts_at: datetime, ends_at: datetime, is_open: bool) -> None:
        failures = judged(OpeningRule(), make_ask(starts_at=starts_at, ends_at=ends_at))

        assert [one.code for one in failures] == ([] if is_open else ["outside_opening_hours"])

    def test_an_evening_over_midnight_belongs_to_its_own_date(self) -> None:
        night = always(time(18), time(2), next_day=True)

        assert not judged(OpeningRule(), make_ask(starts_at=local(3, 1), periods=night))
        assert judged(OpeningRule(), make_ask(starts_at=local(3, 1, 30), periods=night))

    @pytest.mark.parametrize(("zone", "is_open"), [(MANILA, True), (BERLIN, False)], ids=str)
    def test_hours_are_those_of_the_clubs_wall(self, zone: ZoneInfo, is_open: bool) -> None:
        """Ten in Manila is four in the morning in Berlin."""
        assert (not judged(OpeningRule(), make_ask(starts_at=local(2, 10), zone=zone))) is is_open

    @pytest.mark.parametrize(("first", "is_open"), [(1, True), (2, False), (4, False), (5, True)])
    def test_a_stay_is_open_on_each_date_of_its_nights(self, first: int, is_open: bool) -> None:
        """Closed on the night of Thursday 4 June 2026: a stay may end on it, and begin after it."""
        spans = tuple(Span(day, time(0), time(0), True) for day in range(7) if day != 3)
        periods = (Period(date(2020, 1, 1), None, 0, True, spans),)

        ask = make_ask(
            starts_at=local(first, 14), ends_at=local(first + 3, 12), facility=rooms(), periods=periods
        )

        assert (not judged(OpeningRule(), ask)) is is_open

    def test_a_wish_without_a_night_is_still_asked_for_its_date(self) -> None:
        ask = make_ask(starts_at=local(2, 14), ends_at=local(2, 20), facility=rooms(), periods=())

        assert judged(OpeningRule(), ask)


class TestClosureRule:
    closure = ClosureFacts(Interval(local(2, 9), local(2, 11)), "Resurfacing.")

    @pytest.mark.parametrize(("hour", "passes"), [(8, True), (9, False), (10, False), (11, True)])
    def test_refuses_what_it_overlaps_and_not_what_it_touches(self, hour: int, passes: bool) -> None:
        ask = make_ask(starts_at=local(2, hour), facility=facility_of(closures=(self.closure,)))

        assert (not judged(ClosureRule(), ask)) is passes

    def test_says_why_and_until_when(self) -> None:
        failure = only(ClosureRule(), make_ask(facility=facility_of(closures=(self.closure,))))

        assert failure.code == "closed"
        assert "Resurfacing." in failure.detail
        assert "2 June 2026, 11:00" in failure.detail

    def test_names_each_closure(self) -> None:
        assert len(judged(ClosureRule(), make_ask(facility=facility_of(closures=(self.closure,) * 2)))) == 2


class TestCapacityRule:
    def taken(self, lanes: int) -> list[Taken]:
        return [Taken(1, SPACE, Interval(local(2, 10), local(2, 11)), lanes)]

    @pytest.mark.parametrize(
        ("party", "used", "passes"), [(1, 4, True), (2, 3, True), (2, 4, False), (6, 0, False)]
    )
    def test_takes_a_lane_a_person_where_the_facility_says_so(
        self, party: int, used: int, passes: bool
    ) -> None:
        pool = facility_of(SpaceFacts(SPACE, 15, 5), per_person=True)
        ask = make_ask(facility=pool, taken=self.taken(used) if used else [], party=party)

        assert (not judged(CapacityRule(), ask)) is passes

    def test_takes_one_lane_a_booking_otherwise(self) -> None:
        gym = facility_of(SpaceFacts(SPACE, 15, 5))

        assert not judged(CapacityRule(), make_ask(facility=gym, taken=self.taken(4), party=9))
        assert judged(CapacityRule(), make_ask(facility=gym, taken=self.taken(5)))

    def test_says_how_many_there_are_and_how_many_are_taken(self) -> None:
        pool = facility_of(SpaceFacts(SPACE, 15, 5), per_person=True)

        failure = only(CapacityRule(), make_ask(facility=pool, taken=self.taken(4), party=2))

        assert (failure.code, failure.limit, failure.current) == ("slot_taken", 5, 4)

    def test_a_facility_without_spaces_has_no_room(self) -> None:
        facility = facility_of()
        bare = make_ask(facility=facility)
        object.__setattr__(facility, "spaces", ())

        failure = only(CapacityRule(), bare)

        assert (failure.limit, failure.current) == (0, 0)


class TestBufferRule:
    def test_is_a_conflict_like_a_taken_slot(self) -> None:
        neighbour = Taken(1, SPACE, Interval(local(2, 9), local(2, 10)), 1, buffer_after=15 * MINUTE)

        failure = only(BufferRule(), make_ask(taken=[neighbour]))

        assert failure.code == CapacityRule.code
        assert not judged(BufferRule(), make_ask(starts_at=local(2, 10, 15), taken=[neighbour]))
