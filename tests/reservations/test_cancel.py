"""Giving a reservation back: in time, late, waived, and by the club."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Member, Notification
from bcc.core.errors import RuleError
from facilities.models import Facility
from reservations import services
from reservations.models import ChargeLine, Reservation, Strike, Type
from reservations.policies.states import State
from reservations.services.errors import ReservationMovedOnError, TooLateToCancelError
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_version
from tests.reservations.bookings import (
    STAFF,
    actor_of,
    assert_sound,
    book,
    last_event,
    wish_for,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
# The court of these tests is booked for Tuesday at ten, and may be given back until eight.
CUTOFF = at_club(2, 8)


def booked_with(owner: Member, now: datetime, **terms: Any) -> Reservation:
    court = make_facility("Strict", terms={"cancellation_cutoff_minutes": 120, **terms})
    return book(owner, wish_for(court), now=now)


def cancel(reservation: Reservation, *, now: datetime, **more: Any) -> Reservation:
    return services.cancel_reservation(
        **{
            "reservation": reservation,
            "by": actor_of(reservation.member) if reservation.member else STAFF,
            "reason": "Rain.",
            "now": now,
            **more,
        }
    )


class TestCancelReservation:
    def test_frees_the_slot_for_the_next_member(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)

        cancelled = cancel(booked, now=now)

        assert (cancelled.state, cancelled.ended_at) == (State.CANCELLED_MEMBER, now)
        assert not cancelled.claims.exists()
        assert book(stranger, wish_for(court), now=now).pk
        assert_sound(now)

    def test_costs_nothing_until_the_cutoff_itself(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, late_cancel="strike")

        cancelled = cancel(booked, now=CUTOFF)

        assert not cancelled.is_charged
        assert not Strike.objects.exists()
        assert booked.events.order_by("-pk")[0].details["cost"] == "free"

    def test_is_refused_after_it_and_says_since_when(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        with pytest.raises(TooLateToCancelError) as refused:
            cancel(booked, now=CUTOFF + SECOND)

        failure = refused.value.rules[0]
        assert (failure.code, failure.limit, failure.current) == ("too_late_to_cancel", 120, 119)
        booked.refresh_from_db()
        assert (booked.state, booked.claims.count()) == (State.CONFIRMED, 4)

    def test_costs_a_strike_where_the_policy_says_so(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, late_cancel="strike")

        cancel(booked, now=CUTOFF + SECOND)

        strike = Strike.objects.get()
        assert (strike.member, strike.reservation, strike.at) == (owner, booked, CUTOFF + SECOND)
        assert not ChargeLine.objects.exists()

    def test_is_charged_where_the_policy_says_so(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, late_cancel="charge", late_cancel_charge="350.00")

        cancelled = cancel(booked, now=CUTOFF + SECOND)

        line = ChargeLine.objects.get()
        assert (line.membership, line.amount) == (owner.membership, Decimal("350.00"))
        assert cancelled.is_charged
        assert not Strike.objects.exists()
        assert booked.events.order_by("-pk")[0].details == {
            "cost": "charge",
            "late_since": CUTOFF.isoformat(),
        }

    def test_counts_against_a_quota_when_it_was_charged_and_only_then(
        self, owner: Member, now: datetime
    ) -> None:
        make_quota("One a day", limit=1)
        booked = booked_with(owner, now, late_cancel="charge", late_cancel_charge="350.00")
        free = make_facility("Free")
        cancel(booked, now=CUTOFF + SECOND)

        with pytest.raises(RuleError):
            book(owner, wish_for(free, hour=15), now=CUTOFF + SECOND)

        in_time = book(owner, wish_for(free, day=3), now=now)
        cancel(in_time, now=now)
        assert book(owner, wish_for(free, day=3, hour=15), now=now).pk

    def test_costs_what_its_own_terms_say_whatever_the_policy_says_now(
        self, owner: Member, now: datetime
    ) -> None:
        booked = booked_with(owner, now, late_cancel="strike")
        make_version(booked.facility.policies.get(), number=2, cancellation_cutoff_minutes=0)

        cancel(booked, now=CUTOFF + SECOND)

        assert Strike.objects.count() == 1

    @pytest.mark.parametrize(
        "terms",
        [{"hold_minutes": 60 * 48}, {"approval_required": True, "approval_sla_minutes": 60 * 48}],
        ids=["held", "asked"],
    )
    def test_of_what_was_never_confirmed_costs_nothing(
        self, owner: Member, now: datetime, terms: dict[str, Any]
    ) -> None:
        waiting = booked_with(owner, now, **terms)

        assert cancel(waiting, now=CUTOFF + SECOND).state == State.CANCELLED_MEMBER

    def test_tells_the_member_once_even_if_called_twice(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)
        cancel(booked, now=now)

        with pytest.raises(ReservationMovedOnError):
            cancel(booked, now=now)

        told = Notification.objects.filter(kind="reservation_cancelled_member").order_by("channel")
        assert list(told.values_list("channel", flat=True)) == ["email", "in_app"]
        assert last_event(booked) == ("moved", "CANCELLED_MEMBER", owner.full_name)

    @pytest.mark.parametrize("late_cancel", ["strike", "charge"])
    def test_a_member_cannot_give_back_what_is_over(
        self, owner: Member, now: datetime, late_cancel: str
    ) -> None:
        booked = booked_with(owner, now, late_cancel=late_cancel)

        with pytest.raises(ReservationMovedOnError):
            cancel(booked, now=booked.ends_at)

        assert cancel(booked, now=booked.ends_at - SECOND).state == State.CANCELLED_MEMBER

    def test_who_is_checked_in_does_not_cancel(self, owner: Member, court: Facility, now: datetime) -> None:
        booked = book(owner, wish_for(court), now=now)
        services.check_in(reservation=booked, by=STAFF, now=now)

        with pytest.raises(ReservationMovedOnError):
            cancel(booked, now=now)

    def test_locks_the_same_member_out_for_a_while(
        self, owner: Member, spouse: Member, now: datetime
    ) -> None:
        court = make_facility("Lockout", terms={"rebook_lockout_minutes": 30})
        cancel(book(owner, wish_for(court), now=now), now=now)

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(court), now=now + timedelta(minutes=29))
        assert refused.value.rules[0].retry_at == now + timedelta(minutes=30)

        assert book(spouse, wish_for(court, hour=12), now=now).pk
        assert book(owner, wish_for(court), now=now + timedelta(minutes=30)).pk


class TestWaived:
    @pytest.mark.parametrize("late_cancel", ["deny", "strike", "charge"])
    def test_by_staff_it_costs_nothing(self, owner: Member, now: datetime, late_cancel: str) -> None:
        booked = booked_with(owner, now, late_cancel=late_cancel, late_cancel_charge="350.00")

        cancelled = cancel(booked, by=STAFF, waive=True, reason="Typhoon.", now=CUTOFF + SECOND)

        assert (cancelled.state, cancelled.is_charged) == (State.CANCELLED_MEMBER, False)
        assert not Strike.objects.exists()
        assert not ChargeLine.objects.exists()
        assert_sound(now)

    def test_staff_who_do_not_waive_are_held_to_the_cutoff(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        with pytest.raises(TooLateToCancelError):
            cancel(booked, by=STAFF, now=CUTOFF + SECOND)

    def test_staff_may_set_right_what_is_over(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now)

        cancelled = cancel(booked, by=STAFF, waive=True, now=booked.ends_at + SECOND)

        assert cancelled.state == State.CANCELLED_MEMBER


class TestCancelByClub:
    def test_costs_nothing_at_any_time_and_says_why(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, late_cancel="charge", late_cancel_charge="350.00")

        cancelled = services.cancel_by_club(
            reservation=booked, by=STAFF, reason="Flooded.", now=CUTOFF + SECOND
        )

        assert (cancelled.state, cancelled.is_charged) == (State.CANCELLED_CLUB, False)
        message = Notification.objects.get(kind="reservation_cancelled_club", channel="email")
        assert message.context["reason"] == "Flooded."
        assert not ChargeLine.objects.exists()
        assert_sound(now)

    def test_a_member_cannot_do_it(self, owner: Member, court: Facility, now: datetime) -> None:
        booked = book(owner, wish_for(court), now=now)

        with pytest.raises(ReservationMovedOnError):
            services.cancel_by_club(reservation=booked, by=actor_of(owner), reason="", now=now)

    def test_takes_back_what_the_club_booked_for_itself(self, court: Facility, now: datetime) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.EVENT,
            title="Tournament",
            by=STAFF,
            now=now,
        )

        cancelled = cancel(block, now=now)

        assert cancelled.state == State.CANCELLED_CLUB
        assert not Notification.objects.exists()
        assert_sound(now)
