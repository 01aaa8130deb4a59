"""Hours and holidays that change under bookings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import pytest

from accounts.models import Member
from bcc.core.actors import Actor
from bcc.core.intervals import Interval
from facilities.models import Facility, Holiday, OpeningPeriod, OpeningSpan
from facilities.models.hours import Weekday
from facilities.services.fit import MisfitError
from reservations import services
from reservations.models import Reservation
from reservations.models.reservation import Type
from reservations.policies.states import State
from reservations.services import closures
from reservations.services.closures import Decision
from reservations.services.errors import UndecidedBookingsError
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms
from tests.reservations.bookings import book, wish_for
from tests.reservations.closures.bookings import (
    CANCEL,
    KEEP,
    shorten,
    state_of,
    told,
    wish_of_nights,
)

# Rules in memory leave out closures that are over by the clock of the machine.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestChangeHours:
    def change(
        self,
        *facilities: Facility,
        apply: Callable[[], None],
        by: Actor,
        now: datetime,
        decisions: dict[int, Decision] | None = None,
    ) -> None:
        services.change_hours(
            facilities=facilities,
            apply=apply,
            decisions=decisions or {},
            by=by,
            reason="It closes at noon.",
            now=now,
        )

    def test_asks_about_what_it_leaves_outside_and_nothing_else(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(court, apply=shorten(court, closes=12), by=by, now=now)

        assert refused.value.hits == [later]
        assert OpeningSpan.objects.filter(closes=time(22)).count() == 7

    def test_cancels_and_keeps_as_decided(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(
            court,
            apply=shorten(court, closes=10),
            by=by,
            now=now,
            decisions={booked.pk: KEEP, later.pk: CANCEL},
        )

        assert state_of(booked) == State.CONFIRMED
        assert state_of(later) == State.CANCELLED_CLUB
        assert told(booked.member) == ["reservation_confirmed", "reservation_kept"]  # type: ignore[arg-type]  # a member's
        assert booked.events.latest("pk").reason == "It closes at noon."
        assert OpeningSpan.objects.filter(closes=time(10)).count() == 7

    def test_asks_nothing_when_nobody_is_left_outside(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(court, apply=shorten(court, closes=12), by=by, now=now)

        assert OpeningSpan.objects.filter(closes=time(12)).count() == 7
        assert booked.events.count() == 1

    def test_leaves_alone_what_was_outside_before(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(court, apply=shorten(court, closes=12), by=by, now=now, decisions={later.pk: KEEP})

        self.change(court, apply=shorten(court, closes=11), by=by, now=now)

        assert later.events.filter(action="kept").count() == 1

    def test_leaves_alone_what_the_club_booked_for_itself(
        self, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.block_facility(
            facility_id=court.pk,
            interval=Interval(at_club(2, 19), at_club(2, 20)),
            type=Type.BLOCKED,
            title="Paint",
            by=by,
            now=now,
        )

        self.change(court, apply=shorten(court, closes=12), by=by, now=now)

    def test_sees_a_booking_that_came_between_the_look_and_the_lock(
        self,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lock_for = closures.lock_for

        def somebody_is_faster(*args: object, **kwargs: object) -> None:
            book(stranger, wish_for(court, hour=14), now=now)
            lock_for(*args, **kwargs)  # type: ignore[arg-type]  # as given

        monkeypatch.setattr(closures, "lock_for", somebody_is_faster)
        with pytest.raises(UndecidedBookingsError):
            self.change(court, apply=shorten(court, closes=12), by=by, now=now)

    def test_refuses_hours_that_do_not_fall_on_the_cells(
        self, court: Facility, by: Actor, now: datetime
    ) -> None:
        def at_ten_past() -> None:
            OpeningSpan.objects.filter(period__facility=court).update(opens=time(6, 10))

        with pytest.raises(MisfitError, match="Correct") as refused:
            self.change(court, apply=at_ten_past, by=by, now=now)

        assert list(refused.value.errors) == ["opens"]
        assert OpeningSpan.objects.filter(opens=time(6)).count() == 7

    def test_asks_about_a_span_past_midnight(self, owner: Member, by: Actor, now: datetime) -> None:
        bar = make_facility("Late lane", kind="lane", opens=time(18), closes=time(2), next_day=True)
        late = book(owner, wish_for(bar, day=3, hour=1), now=now)

        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(bar, apply=shorten(bar, closes=1), by=by, now=now)

        assert refused.value.hits == [late]

    def test_asks_about_stays_with_a_night_on_a_closed_date(
        self, owner: Member, by: Actor, now: datetime
    ) -> None:
        rooms = make_rooms()
        stay = services.create_reservation(
            wish=wish_of_nights(rooms, first=5, nights=3),
            member_id=owner.pk,
            membership_id=owner.membership_id,
            by=by,
            now=now,
        )

        def close_on(day: int) -> Callable[[], None]:
            def apply() -> None:
                OpeningPeriod.objects.create(
                    facility=rooms,
                    name="Works",
                    starts_on=date(2026, 6, day),
                    ends_on=date(2026, 6, day),
                    priority=5,
                )

            return apply

        self.change(rooms, apply=close_on(8), by=by, now=now)  # the day of departure
        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(rooms, apply=close_on(7), by=by, now=now)
        assert refused.value.hits == [stay]


class TestHolidays:
    @pytest.fixture
    def short_holidays(self, court: Facility) -> Facility:
        """On holidays the court closes at noon."""
        OpeningSpan.objects.create(
            period=court.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(6), closes=time(12)
        )
        return court

    def confirm(
        self, *facilities: Facility, by: Actor, now: datetime, decisions: dict[int, Decision] | None = None
    ) -> None:
        holiday, _new = Holiday.objects.get_or_create(on=date(2026, 6, 2), defaults={"name": "Test Day"})

        def apply() -> None:
            holiday.is_confirmed = True
            holiday.save()

        services.change_hours(
            facilities=facilities, apply=apply, decisions=decisions or {}, by=by, reason="Test Day.", now=now
        )

    def test_asks_about_the_bookings_of_every_facility_with_holiday_hours(
        self,
        booked: Reservation,
        later: Reservation,
        owner: Member,
        short_holidays: Facility,
        by: Actor,
        now: datetime,
    ) -> None:
        other = make_facility("Court Two")
        OpeningSpan.objects.create(
            period=other.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(9), closes=time(12)
        )
        early = book(owner, wish_for(other, hour=8), now=now)

        with pytest.raises(UndecidedBookingsError) as refused:
            self.confirm(short_holidays, other, by=by, now=now)
        assert refused.value.hits == [early, later]
        assert not Holiday.objects.get().is_confirmed

        self.confirm(short_holidays, other, by=by, now=now, decisions={early.pk: CANCEL, later.pk: KEEP})
        assert Holiday.objects.get().is_confirmed
        assert [state_of(one) for one in (booked, early, later)] == [
            "CONFIRMED",
            "CANCELLED_CLUB",
            "CONFIRMED",
        ]

    def test_touches_nothing_where_there_are_no_holiday_hours(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.confirm(by=by, now=now)

        assert Holiday.objects.get().is_confirmed
        assert booked.events.count() == 1
