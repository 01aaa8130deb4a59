"""What a row alone refuses, in ``clean`` for who fills in a form and in the table for everyone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from facilities.models import (
    Announcement,
    Closure,
    Event,
    Facility,
    FacilitySpace,
    Holiday,
    OpeningPeriod,
    OpeningSpan,
    PolicyVersion,
    PrimeTime,
    QuotaRule,
    Rate,
    ReservationPolicy,
    Space,
)
from tests.factories import make_quota, make_space

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def faults(row: models.Model) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert all(text.endswith(".") for text in refused.value.messages)
    return set(refused.value.message_dict)


class TestOpeningPeriod:
    def test_does_not_end_before_it_begins(self, court: Facility) -> None:
        row = OpeningPeriod(facility=court, name="X", starts_on=JULY, ends_on=JUNE)
        assert "ends_on" in faults(row)
        row.ends_on = JULY
        row.full_clean()

    def test_has_no_twin_that_neither_would_win_against(self, court: Facility) -> None:
        twin = OpeningPeriod(facility=court, name="Twin", starts_on=date(2020, 1, 1))
        assert faults(twin) == {"__all__"}
        twin.priority = 1
        twin.full_clean()
        court.opening_periods.get().full_clean()


class TestOpeningSpan:
    @pytest.mark.parametrize(
        ("opens", "closes", "next_day", "fits"),
        [
            (6, 22, False, True),
            (22, 6, False, False),
            (6, 6, False, False),
            (22, 6, True, True),
            (6, 6, True, True),
            (6, 7, True, False),
        ],
    )
    def test_is_at_most_a_day_and_says_when_it_ends(
        self, court: Facility, opens: int, closes: int, next_day: bool, fits: bool
    ) -> None:
        row = OpeningSpan(
            period=court.opening_periods.get(), weekday=0, opens=time(opens), closes=time(closes),
            next_day=next_day,
        )  # fmt: skip
        if fits:
            row.full_clean()
        else:
            assert "closes" in faults(row)


class TestClosure:
    def test_is_of_a_facility_or_of_a_space(self, court: Facility, now: datetime) -> None:
        row = Closure(starts_at=now, ends_at=now + timedelta(hours=1), reason="Works")
        assert "__all__" in faults(row)
        row.facility, row.space = court, court.spaces.get()
        assert "__all__" in faults(row)
        row.facility = None
        row.full_clean()

    def test_ends_after_it_begins(self, court: Facility, now: datetime) -> None:
        row = Closure(facility=court, starts_at=now, ends_at=now, reason="Works")
        assert "ends_at" in faults(row)


class TestReservationPolicy:
    def test_is_bound_to_a_facility_or_a_kind(self, court: Facility) -> None:
        assert faults(ReservationPolicy(name="X")) == {"__all__"}
        assert faults(ReservationPolicy(name="X", facility=court, kind="court")) == {"__all__"}

    def test_shares_no_day_with_a_rival(self, court: Facility) -> None:
        rival = court.policies.get()
        row = ReservationPolicy(name="X", facility=court)
        with pytest.raises(ValidationError, match="“Court One policy” is for the same facility"):
            row.full_clean()
        rival.valid_until = JUNE
        rival.save()
        row.valid_from = JUNE
        assert faults(row) == {"__all__"}
        row.valid_from = JUNE + timedelta(days=1)
        row.full_clean()
        rival.full_clean()

    def test_does_not_end_before_it_begins(self) -> None:
        row = ReservationPolicy(name="X", kind="hall", valid_from=JULY, valid_until=JUNE)
        assert faults(row) == {"valid_until"}


class TestRate:
    def test_is_the_only_one_of_its_day(self, court: Facility) -> None:
        Rate.objects.create(facility=court, amount=1, valid_until=JUNE)
        assert faults(Rate(facility=court, amount=2, valid_from=JUNE)) == {"__all__"}
        Rate(facility=court, amount=2, valid_from=JUNE + timedelta(days=1)).full_clean()
        Rate(facility=court, amount=2, prime_time_only=True).full_clean()
        Rate.objects.get().full_clean()


class TestNames:
    def test_are_what_people_know_them_by(self, court: Facility, now: datetime) -> None:
        period = court.opening_periods.get()
        assert str(court) == "Court One"
        assert str(court.spaces.get()) == "Court One"
        assert str(period) == "All year"
        assert str(period.spans.get(weekday=0)) == "Monday 06:00–22:00"
        assert str(Holiday(on=JUNE, name="Club day")) == "2026-06-01 Club day"
        assert str(Closure(facility=court, reason="Works")) == "Court One: Works"
        assert str(make_quota("Two")) == "Two"
        assert str(Rate(facility=court, amount=5)) == "5 a slot"
        assert str(PrimeTime(name="Evenings")) == "Evenings"
        assert str(Announcement(title="New")) == "New"
        assert str(FacilitySpace.objects.get()) == f"{court.pk} / {court.spaces.get().pk}"


# Past every form: what the table itself refuses.
WRONG: dict[str, Callable[[Facility, Space, datetime], Any]] = {
    "an event that ends first": lambda court, space, now: Event(title="X", starts_at=now, ends_at=now),
    "a period that ends first": lambda court, space, now: OpeningPeriod(
        facility=court, name="X", starts_on=JULY, ends_on=JUNE
    ),
    "hours of more than a day": lambda court, space, now: OpeningSpan(
        period=court.opening_periods.get(), weekday=0, opens=time(6), closes=time(7), next_day=True
    ),
    "a closure of nothing": lambda court, space, now: Closure(starts_at=now, ends_at=now + timedelta(1)),
    "a closure of two": lambda court, space, now: Closure(
        facility=court, space=space, starts_at=now, ends_at=now + timedelta(1)
    ),
    "a closure that ends first": lambda court, space, now: Closure(space=space, starts_at=now, ends_at=now),
    "prime time that ends first": lambda court, space, now: PrimeTime(
        name="X", kind="court", weekday=0, starts=time(9), ends=time(8)
    ),
    "a space without a lane": lambda court, space, now: Space(code="x", name="X", lanes=0),
    "a check-out after check-in": lambda court, space, now: Space(
        code="x", name="X", check_in_at=time(12), check_out_at=time(13)
    ),
    "a space twice": lambda court, space, now: FacilitySpace(facility=court, space=court.spaces.get()),
    "a holiday twice": lambda court, space, now: Holiday(on=JUNE, name="X"),
    "a rule twice": lambda court, space, now: QuotaRule(name="Two a day", period="day", limit=1),
    "a version twice": lambda court, space, now: PolicyVersion(policy=court.policies.get(), number=1),
    "a second draft": lambda court, space, now: PolicyVersion(policy=court.policies.get(), number=3),
    "fewer slots than the fewest": lambda court, space, now: PolicyVersion(
        policy=court.policies.get(), number=3, published_at=now, min_slots=2, max_slots=1
    ),
    "a party of nobody": lambda court, space, now: PolicyVersion(
        policy=court.policies.get(), number=3, published_at=now, party_min=0
    ),
}


class TestTables:
    @pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
    def test_refuse(
        self, court: Facility, now: datetime, wrong: Callable[[Facility, Space, datetime], Any]
    ) -> None:
        Holiday.objects.create(on=JUNE, name="Club day")
        make_quota("Two a day")
        court.policies.get().versions.create(number=2)
        row = wrong(court, make_space("Spare"), now)

        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
