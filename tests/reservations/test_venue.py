"""At the venue, and the sweeps that do the same by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Member, Notification
from bcc.core.actors import COMMAND, SCHEDULER
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Strike, Type
from reservations.policies.states import State
from reservations.services.errors import ReservationMovedOnError, WrongVenueCodeError
from reservations.services.venue import venue_code
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.bookings import (
    STAFF,
    actor_of,
    assert_sound,
    book,
    last_event,
    wish_for,
)

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STARTS, ENDS = at_club(2, 10), at_club(2, 11)


def booked_with(owner: Member, now: datetime, **terms: Any) -> Reservation:
    return book(owner, wish_for(make_facility("Watched", terms=terms)), now=now)


def code_of(reservation: Reservation) -> str:
    return venue_code(reservation.facility, reservation.starts_on)


class TestVenueCode:
    def test_is_four_digits_of_a_facility_and_a_day(self, court: Facility) -> None:
        other = make_facility("Court Two")
        on, next_day = STARTS.date(), STARTS.date() + timedelta(days=1)

        found = [venue_code(court, on), venue_code(court, next_day), venue_code(other, on)]

        assert all(len(one) == 4 and one.isdigit() for one in found)
        assert len(set(found)) == 3
        assert venue_code(court, on) == found[0]


class TestCheckIn:
    def test_by_the_member_takes_the_code_of_the_venue(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        done = services.check_in(
            reservation=booked, by=actor_of(owner), code=code_of(booked), now=STARTS - 5 * MINUTE
        )

        assert done.state == State.CHECKED_IN
        assert last_event(booked) == ("moved", "CHECKED_IN", owner.full_name)
        assert done.claims.count() == 4
        assert_sound(now)

    @pytest.mark.parametrize("code", [None, "", "0", "ありがとう", "é" * 8])
    def test_refuses_any_other_code(self, owner: Member, now: datetime, code: str | None) -> None:
        booked = booked_with(owner, now)

        with pytest.raises(WrongVenueCodeError) as refused:
            services.check_in(reservation=booked, by=actor_of(owner), code=code, now=STARTS)

        assert refused.value.rules[0].code == "wrong_venue_code"
        booked.refresh_from_db()
        assert booked.state == State.CONFIRMED

    def test_refuses_the_code_of_another_day(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        with pytest.raises(WrongVenueCodeError):
            services.check_in(
                reservation=booked,
                by=actor_of(owner),
                code=venue_code(booked.facility, at_club(3, 12).date()),
                now=STARTS,
            )

    @pytest.mark.parametrize(
        ("at", "opens"),
        [
            (STARTS - 20 * MINUTE - SECOND, False),
            (STARTS - 20 * MINUTE, True),
            (ENDS - SECOND, True),
            (ENDS, False),
        ],
        ids=["too-early", "opens", "last-second", "over"],
    )
    def test_by_the_member_is_open_from_the_policys_minutes_until_the_end(
        self, owner: Member, now: datetime, at: datetime, opens: bool
    ) -> None:
        booked = booked_with(owner, now, check_in_from_minutes=20)

        def check_in() -> Reservation:
            return services.check_in(reservation=booked, by=actor_of(owner), code=code_of(booked), now=at)

        if opens:
            assert check_in().state == State.CHECKED_IN
        else:
            with pytest.raises(ReservationMovedOnError):
                check_in()

    def test_by_staff_takes_no_code_and_any_time_before_the_end(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        assert services.check_in(reservation=booked, by=STAFF, now=now).state == State.CHECKED_IN

    def test_by_staff_after_the_end_is_too_late(self, owner: Member, now: datetime) -> None:
        with pytest.raises(ReservationMovedOnError):
            services.check_in(reservation=booked_with(owner, now), by=STAFF, now=ENDS)

    def test_again_changes_nothing(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)
        services.check_in(reservation=booked, by=STAFF, now=STARTS)

        again = services.check_in(reservation=booked, by=actor_of(owner), code=None, now=STARTS)

        assert (again.state, again.version) == (State.CHECKED_IN, 2)

    def test_is_for_what_is_confirmed(self, owner: Member, now: datetime) -> None:
        with pytest.raises(ReservationMovedOnError):
            services.check_in(reservation=booked_with(owner, now, hold_minutes=9999), by=STAFF, now=now)

    def test_is_not_for_what_the_club_booked_for_itself(self, court: Facility, now: datetime) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.STAFF,
            title="Lesson",
            by=STAFF,
            now=now,
        )

        with pytest.raises(ReservationMovedOnError):
            services.check_in(reservation=block, by=STAFF, now=STARTS)

    def test_is_told_in_the_app_and_not_by_mail(self, owner: Member, now: datetime) -> None:
        services.check_in(reservation=booked_with(owner, now), by=STAFF, now=STARTS)

        told = Notification.objects.filter(kind="reservation_checked_in")
        assert list(told.values_list("channel", flat=True)) == ["in_app"]


class TestMarkNoShow:
    def test_frees_the_place_and_costs_a_strike(self, owner: Member, stranger: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        services.mark_no_show(reservation=booked, by=STAFF, reason="Nobody came.", now=STARTS)

        booked.refresh_from_db()
        assert booked.state == State.NO_SHOW
        assert last_event(booked) == ("moved", "NO_SHOW", STAFF.name)
        assert Strike.objects.get().member == owner
        walk_in = services.create_reservation(
            wish=wish_for(booked.facility),
            member_id=stranger.pk,
            membership_id=stranger.membership_id,
            by=STAFF,
            now=STARTS + 5 * MINUTE,
            waive=True,
        )
        assert walk_in.state == State.CONFIRMED
        assert_sound(now)

    def test_is_not_before_the_start(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        with pytest.raises(ReservationMovedOnError):
            services.mark_no_show(reservation=booked, by=STAFF, now=STARTS - SECOND)

    def test_happens_once(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)
        services.mark_no_show(reservation=booked, by=STAFF, now=STARTS)

        with pytest.raises(ReservationMovedOnError):
            services.mark_no_show(reservation=booked, by=STAFF, now=STARTS)

        assert Strike.objects.count() == 1

    def test_of_what_the_club_booked_for_itself_is_nobodys_strike(
        self, court: Facility, now: datetime
    ) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.STAFF,
            title="Lesson",
            by=STAFF,
            now=now,
        )

        services.mark_no_show(reservation=block, by=STAFF, now=STARTS)

        assert not Strike.objects.exists()

    def test_the_scheduler_cannot_before_the_policy_gives_it_up(self, owner: Member, now: datetime) -> None:
        """Looked at again under the lock: it may have been moved, or its policy may wait for nobody."""
        booked = booked_with(owner, now, no_show_after_minutes=15)
        other = book(owner, wish_for(make_facility("Free"), hour=12), now=now)

        with pytest.raises(ReservationMovedOnError):
            services.mark_no_show(reservation=booked, by=SCHEDULER, now=STARTS + 15 * MINUTE - SECOND)
        with pytest.raises(ReservationMovedOnError):
            services.mark_no_show(reservation=other, by=SCHEDULER, now=at_club(2, 13))


class TestMarkNoShows:
    def test_marks_what_its_policy_gives_up_by_now(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, no_show_after_minutes=15)

        done = [
            services.mark_no_shows(now=STARTS + 15 * MINUTE - SECOND),
            services.mark_no_shows(now=STARTS + 15 * MINUTE),
            services.mark_no_shows(now=STARTS + 15 * MINUTE),
        ]

        assert done == [0, 1, 0]
        assert last_event(booked) == ("moved", "NO_SHOW", SCHEDULER.name)
        assert Strike.objects.count() == 1

    def test_gives_up_at_the_start_where_the_policy_waits_for_nobody(
        self, owner: Member, now: datetime
    ) -> None:
        booked_with(owner, now, no_show_after_minutes=0)

        assert services.mark_no_shows(now=STARTS - SECOND) == 0
        assert services.mark_no_shows(now=STARTS, by=COMMAND) == 1

    def test_leaves_who_came_and_where_nobody_has_to_check_in(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        came = booked_with(owner, now, no_show_after_minutes=15)
        services.check_in(reservation=came, by=STAFF, now=STARTS)
        book(stranger, wish_for(make_facility("Free")), now=now)

        assert services.mark_no_shows(now=ENDS + timedelta(days=1)) == 0

    def test_a_sweep_goes_on_after_one_that_staff_settled_meanwhile(
        self, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        booked_with(owner, now, no_show_after_minutes=15)

        def settled(**_given: object) -> None:
            raise ReservationMovedOnError

        monkeypatch.setattr("reservations.services.venue.mark_no_show", settled)

        assert services.mark_no_shows(now=ENDS) == 0


class TestCompleteFinished:
    def test_completes_who_checked_in_and_who_need_not(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        came = booked_with(owner, now, no_show_after_minutes=15)
        services.check_in(reservation=came, by=STAFF, now=STARTS)
        need_not = book(stranger, wish_for(make_facility("Free")), now=now)

        done = [services.complete_finished(now=at) for at in (ENDS - SECOND, ENDS, ENDS)]

        assert done == [0, 2, 0]
        for reservation in (came, need_not):
            assert last_event(reservation) == ("moved", "COMPLETED", SCHEDULER.name)
        assert_sound(ENDS)

    def test_leaves_who_has_to_check_in_and_did_not(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, no_show_after_minutes=90)

        assert services.complete_finished(now=ENDS) == 0
        assert services.mark_no_shows(now=STARTS + 90 * MINUTE) == 1

    def test_frees_what_the_club_booked_for_itself(self, court: Facility, now: datetime) -> None:
        services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.BLOCKED,
            title="Nets",
            by=STAFF,
            now=now,
        )

        assert services.complete_finished(now=ENDS) == 1
        assert_sound(ENDS)

    def test_leaves_what_was_moved_between_the_look_and_the_lock(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)
        services.reschedule_reservation(
            reservation=booked, starts_at=at_club(3, 10), ends_at=at_club(3, 11), by=STAFF, now=now
        )

        with pytest.raises(ReservationMovedOnError):
            services.complete_reservation(reservation=booked, by=SCHEDULER, now=ENDS)

    def test_staff_may_complete_earlier(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        done = services.complete_reservation(reservation=booked, by=STAFF, now=STARTS + 30 * MINUTE)

        assert done.state == State.COMPLETED
        assert not done.claims.exists()
