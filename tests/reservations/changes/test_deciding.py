"""Confirming, approving, moving."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from accounts.models import Member, Notification
from bcc.core.errors import InvalidError, RuleError, StaleVersionError, WrongStateError
from facilities.models import Facility
from reservations import services
from reservations.models import Guest, Reservation
from reservations.policies.states import State
from reservations.services.booking import Companion
from reservations.services.errors import ReservationMovedOnError, SlotTakenError, TooLateToCancelError
from reservations.services.move import change
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_version
from tests.reservations.bookings import (
    STAFF,
    actor_of,
    assert_sound,
    book,
    codes,
    last_event,
    wish_for,
)
from tests.reservations.changes.looks import HOUR, MINUTE, SECOND, image, told

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


class TestConfirmReservation:
    @pytest.fixture
    def held(self, owner: Member, now: datetime) -> Reservation:
        return book(owner, wish_for(make_facility("Held", terms={"hold_minutes": 10})), now=now)

    def test_leaves_the_hold(self, held: Reservation, owner: Member, now: datetime) -> None:
        confirmed = services.confirm_reservation(reservation=held, by=actor_of(owner), now=now + MINUTE)

        assert (confirmed.state, confirmed.expires_at, confirmed.version) == (State.CONFIRMED, None, 2)
        assert last_event(held) == ("moved", "CONFIRMED", owner.full_name)
        assert_sound(now)

    def test_again_changes_nothing(self, held: Reservation, owner: Member, now: datetime) -> None:
        services.confirm_reservation(reservation=held, by=actor_of(owner), now=now)
        before = image(held)

        again = services.confirm_reservation(reservation=held, by=actor_of(owner), now=now + HOUR)

        assert again.state == State.CONFIRMED
        assert image(held) == before

    def test_of_a_hold_asks_for_approval_where_the_policy_does(self, owner: Member, now: datetime) -> None:
        court = make_facility(
            "Both", terms={"hold_minutes": 10, "approval_required": True, "approval_sla_minutes": 60}
        )
        held = book(owner, wish_for(court), now=now)

        asked = services.confirm_reservation(reservation=held, by=actor_of(owner), now=now + MINUTE)

        assert (asked.state, asked.expires_at) == (State.PENDING_APPROVAL, now + 61 * MINUTE)

    def test_a_member_cannot_confirm_what_waits_for_the_club(self, owner: Member, now: datetime) -> None:
        asked = book(owner, wish_for(make_facility("Asked", terms={"approval_required": True})), now=now)

        with pytest.raises(ReservationMovedOnError):
            services.confirm_reservation(reservation=asked, by=actor_of(owner), now=now)

    def test_of_what_is_over_is_a_wrong_state(self, held: Reservation, owner: Member, now: datetime) -> None:
        services.cancel_reservation(reservation=held, by=actor_of(owner), reason="", now=now)

        with pytest.raises(WrongStateError):
            services.confirm_reservation(reservation=held, by=actor_of(owner), now=now)

    def test_who_books_after_the_last_hour_to_confirm_still_can(self, owner: Member, now: datetime) -> None:
        court = make_facility("Late", terms={"confirm_before_start_minutes": 180})

        waiting = book(owner, wish_for(court, day=1, hour=10), now=now)

        assert (waiting.state, waiting.expires_at) == (State.PENDING_CONFIRMATION, at_club(1, 10))
        assert services.expire_due(now=now + MINUTE) == 0
        services.confirm_reservation(reservation=waiting, by=actor_of(owner), now=now + HOUR)
        assert services.expire_due(now=at_club(1, 10)) == 0


class TestDecideApproval:
    @pytest.fixture
    def asked(self, owner: Member, now: datetime) -> Reservation:
        terms = {"approval_required": True, "approval_sla_minutes": 120, "confirm_within_minutes": 30}
        return book(owner, wish_for(make_facility("Asked", terms=terms)), now=now)

    def test_a_yes_asks_for_the_confirmation_that_the_policy_wants(
        self, asked: Reservation, now: datetime
    ) -> None:
        approved = services.decide_approval(
            reservation=asked, approve=True, by=STAFF, reason="", now=now + HOUR
        )

        assert (approved.state, approved.expires_at) == (
            State.PENDING_CONFIRMATION,
            now + HOUR + 30 * MINUTE,
        )
        assert told("reservation_pending_confirmation") == 1

    def test_a_yes_confirms_where_nothing_else_is_asked(self, owner: Member, now: datetime) -> None:
        asked = book(owner, wish_for(make_facility("Plain", terms={"approval_required": True})), now=now)

        approved = services.decide_approval(reservation=asked, approve=True, by=STAFF, reason="", now=now)

        assert (approved.state, approved.expires_at) == (State.CONFIRMED, None)

    def test_a_no_frees_the_place_and_says_why(self, asked: Reservation, now: datetime) -> None:
        denied = services.decide_approval(
            reservation=asked, approve=False, by=STAFF, reason="A tournament.", now=now
        )

        assert denied.state == State.DENIED
        assert not denied.claims.exists()
        assert last_event(denied) == ("moved", "DENIED", STAFF.name)
        message = Notification.objects.get(kind="reservation_denied", channel="in_app")
        assert message.context["reason"] == "A tournament."
        assert_sound(now)

    def test_is_taken_once(self, asked: Reservation, now: datetime) -> None:
        services.decide_approval(reservation=asked, approve=True, by=STAFF, reason="", now=now)
        before = image(asked)

        for approve in (True, False):
            with pytest.raises(ReservationMovedOnError):
                services.decide_approval(reservation=asked, approve=approve, by=STAFF, reason="", now=now)

        assert image(asked) == before


class TestRescheduleReservation:
    @pytest.fixture
    def booked(self, owner: Member, court: Facility, now: datetime) -> Reservation:
        return book(owner, wish_for(court), now=now)

    def move(
        self, reservation: Reservation, *, day: int = 3, hour: int = 15, slots: int = 1, **more: Any
    ) -> Reservation:
        starts_at = at_club(day, hour)
        return services.reschedule_reservation(
            **{
                "reservation": reservation,
                "starts_at": starts_at,
                "ends_at": starts_at + slots * HOUR,
                "by": actor_of(reservation.member) if reservation.member else STAFF,
                **more,
            }
        )

    def test_keeps_id_state_and_terms_and_moves_the_claims(
        self, booked: Reservation, court: Facility, now: datetime
    ) -> None:
        make_version(court.policies.get(), number=2, max_slots=3)

        moved = self.move(booked, slots=2, now=now)

        assert (moved.pk, moved.public_id, moved.state) == (booked.pk, booked.public_id, State.CONFIRMED)
        assert moved.policy_version_id == booked.policy_version_id
        assert (moved.starts_at, moved.ends_at, str(moved.starts_on)) == (
            at_club(3, 15),
            at_club(3, 17),
            "2026-06-03",
        )
        assert (moved.reschedules, moved.version, moved.claims.count()) == (1, 2, 8)
        assert_sound(now)

    def test_is_an_event_of_its_own_and_is_told_once(
        self, booked: Reservation, owner: Member, now: datetime
    ) -> None:
        self.move(booked, now=now)

        assert last_event(booked) == ("rescheduled", "CONFIRMED", owner.full_name)
        event = booked.events.get(action="rescheduled")
        assert event.details["from"][0] == "2026-06-02T02:00:00+00:00"
        assert event.details["to"][0] == "2026-06-03T07:00:00+00:00"
        assert told("reservation_rescheduled") == 1

    def test_frees_the_old_time_for_others(
        self, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        self.move(booked, now=now)

        assert book(stranger, wish_for(court), now=now).pk

    def test_may_overlap_where_it_was(self, booked: Reservation, now: datetime) -> None:
        moved = self.move(booked, day=2, hour=10, slots=2, now=now)

        assert moved.claims.count() == 8
        assert_sound(now)

    def test_does_not_stand_in_the_way_of_its_own_quota(self, booked: Reservation, now: datetime) -> None:
        make_quota("One a day", limit=1)

        assert self.move(booked, day=2, hour=15, now=now).starts_at == at_club(2, 15)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"day": 25}, RuleError),
            ({"slots": 4}, RuleError),
            ({"day": 2, "hour": 12}, SlotTakenError),
            ({"hour": 23}, RuleError),
            ({"slots": 0}, InvalidError),
        ],
        ids=["too-far", "too-long", "taken", "closed", "backward"],
    )
    def test_refused_leaves_everything_as_it_was(
        self,
        booked: Reservation,
        stranger: Member,
        court: Facility,
        now: datetime,
        change: dict[str, int],
        error: type[Exception],
    ) -> None:
        book(stranger, wish_for(court, hour=12), now=now)
        before = image(booked)

        with pytest.raises(error):
            self.move(booked, now=now, **change)

        assert image(booked) == before
        assert_sound(now)

    def test_is_judged_by_its_own_terms_and_the_quotas_in_force(
        self, booked: Reservation, court: Facility, owner: Member, now: datetime
    ) -> None:
        make_version(court.policies.get(), number=2, open_days_ahead=0)
        make_quota("None on Thursdays", limit=0, valid_from="2026-06-04", valid_until="2026-06-04")

        assert self.move(booked, day=3, now=now).starts_at == at_club(3, 15)
        with pytest.raises(RuleError) as refused:
            self.move(booked, day=4, now=now)
        assert codes(refused) == {"quota_exceeded"}

    def test_stops_at_the_limit_of_the_policy(self, owner: Member, now: datetime) -> None:
        booked = book(owner, wish_for(make_facility("Once", terms={"reschedule_limit": 1})), now=now)
        self.move(booked, hour=11, now=now)

        with pytest.raises(RuleError) as refused:
            self.move(booked, hour=12, now=now)

        failure = refused.value.rules[0]
        assert (failure.code, failure.limit, failure.current) == ("reschedule_limit", 1, 1)

    def test_staff_may_set_the_limit_aside_but_not_the_place(
        self, stranger: Member, owner: Member, now: datetime
    ) -> None:
        once = make_facility("Never", terms={"reschedule_limit": 0})
        booked = book(owner, wish_for(once), now=now)
        book(stranger, wish_for(once, hour=12), now=now)

        assert self.move(booked, day=3, by=STAFF, waive=True, now=now).starts_at == at_club(3, 15)
        with pytest.raises(SlotTakenError):
            self.move(booked, day=2, hour=12, by=STAFF, waive=True, now=now)

    @pytest.mark.parametrize("late_cancel", ["deny", "strike", "charge"])
    def test_inside_the_cutoff_it_is_too_late_whatever_a_late_cancellation_costs(
        self, owner: Member, now: datetime, late_cancel: str
    ) -> None:
        """Else what is to be paid for would first be moved away, and then be given back for nothing."""
        court = make_facility(
            "Strict", terms={"cancellation_cutoff_minutes": 120, "late_cancel": late_cancel}
        )
        booked = book(owner, wish_for(court), now=now)
        cutoff = at_club(2, 8)

        with pytest.raises(TooLateToCancelError) as refused:
            self.move(booked, hour=15, now=cutoff + SECOND)
        assert (refused.value.rules[0].limit, refused.value.rules[0].current) == (120, 119)
        assert self.move(booked, hour=15, now=cutoff).reschedules == 1

    def test_a_hold_keeps_its_deadline(self, owner: Member, now: datetime) -> None:
        held = book(owner, wish_for(make_facility("Held", terms={"hold_minutes": 60})), now=now)

        assert self.move(held, day=4, now=now + MINUTE).expires_at == now + HOUR
        assert held.state == State.HELD

    def test_a_hold_that_is_moved_closer_ends_with_its_start(self, owner: Member, now: datetime) -> None:
        held = book(owner, wish_for(make_facility("Held", terms={"hold_minutes": 300})), now=now)

        assert self.move(held, day=1, hour=9, now=now + MINUTE).expires_at == at_club(1, 9)

    def test_a_deadline_before_the_start_follows_the_start(self, owner: Member, now: datetime) -> None:
        court = make_facility("Before", terms={"confirm_before_start_minutes": 120})
        waiting = book(owner, wish_for(court), now=now)

        assert waiting.expires_at == at_club(2, 8)
        assert self.move(waiting, day=4, hour=15, now=now).expires_at == at_club(4, 13)
        assert self.move(waiting, day=1, hour=9, now=now).expires_at == at_club(1, 9)

    @pytest.mark.parametrize("state", ["checked in", "cancelled"])
    def test_what_has_begun_or_is_over_is_not_moved(
        self, booked: Reservation, owner: Member, now: datetime, state: str
    ) -> None:
        if state == "cancelled":
            services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)
        else:
            services.check_in(reservation=booked, by=STAFF, now=now)

        with pytest.raises(ReservationMovedOnError):
            self.move(booked, now=now)

    def test_what_the_club_booked_for_itself_is_not_moved_for_a_member(
        self, court: Facility, booked: Reservation, now: datetime
    ) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=booked.interval.shifted(5 * HOUR),
            type="BLOCKED",  # type: ignore[arg-type]  # the choice's value
            title="Lessons",
            by=STAFF,
            now=now,
        )

        with pytest.raises(ReservationMovedOnError):
            self.move(block, now=now)

    def test_counts_a_guest_for_the_new_day(self, owner: Member, now: datetime) -> None:
        court = make_facility("Guests", terms={"same_guest_limit": 1, "same_guest_days": 2})
        guest = Guest.objects.create(host=owner, name="A Guest")
        brought = (Companion(guest=guest.public_id),)
        book(owner, wish_for(court, day=6, party=2, companions=brought), now=now)
        other = book(owner, wish_for(court, day=3, party=2, companions=brought), now=now)

        with pytest.raises(RuleError) as refused:
            self.move(other, day=5, now=now)

        assert codes(refused) == {"same_guest_limit"}
        assert self.move(other, day=4, now=now).guest_count == 1


class TestOneWinner:
    def test_who_changes_an_older_version_is_refused(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)
        stale = Reservation.objects.get(pk=booked.pk)
        change(booked, now=now, values={"room_no": "1"})

        with pytest.raises(StaleVersionError):
            change(stale, now=now, values={"room_no": "2"})

        booked.refresh_from_db()
        assert (booked.room_no, booked.version) == ("1", 2)
