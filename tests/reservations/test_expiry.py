"""Deadlines that pass: by the scheduler, and by whoever needs the place before it comes round."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Member, Notification
from bcc.core.actors import COMMAND, SCHEDULER
from bcc.core.errors import StaleVersionError
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, SlotClaim, Type
from reservations.policies.states import State
from reservations.services import messages
from reservations.services.errors import ReservationMovedOnError, SlotTakenError
from reservations.services.expiry import expire_if_due
from tests.conftest import at_club
from tests.factories import make_facility, make_quota
from tests.reservations.bookings import (
    STAFF,
    actor_of,
    assert_sound,
    book,
    last_event,
    wish_for,
)

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
MINUTE, TICK = timedelta(minutes=1), timedelta(microseconds=1)


@pytest.fixture
def held_court(db: None) -> Facility:
    return make_facility("Held Court", terms={"hold_minutes": 10, "max_slots": 3})


@pytest.fixture
def held(owner: Member, held_court: Facility, now: datetime) -> Reservation:
    return book(owner, wish_for(held_court), now=now)


class TestExpireDue:
    def test_ends_a_due_hold_and_frees_its_claims(self, held: Reservation, now: datetime) -> None:
        assert services.expire_due(now=now + 10 * MINUTE) == 1

        held.refresh_from_db()
        assert (held.state, held.expires_at, held.ended_at) == (State.EXPIRED, None, now + 10 * MINUTE)
        assert last_event(held) == ("moved", "EXPIRED", "scheduler")
        assert_sound(now)

    def test_leaves_a_hold_alone_before_its_deadline(self, held: Reservation, now: datetime) -> None:
        assert services.expire_due(now=now + 10 * MINUTE - TICK) == 0

        held.refresh_from_db()
        assert held.state == State.HELD

    def test_two_schedulers_end_it_once_and_tell_once(self, held: Reservation, now: datetime) -> None:
        later = now + 10 * MINUTE

        assert [services.expire_due(now=later), services.expire_due(now=later)] == [1, 0]

        assert held.events.filter(to_state="EXPIRED").count() == 1
        told = Notification.objects.filter(kind="reservation_expired").order_by("channel")
        assert list(told.values_list("channel", flat=True)) == ["email", "in_app"]

    def test_names_who_did_it(self, held: Reservation, now: datetime) -> None:
        services.expire_due(now=now + 10 * MINUTE, by=COMMAND)

        assert last_event(held)[2] == COMMAND.name

    def test_is_right_after_ticks_that_were_missed(
        self, held_court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        for hour, member in ((8, owner), (9, stranger), (10, owner)):
            book(member, wish_for(held_court, hour=hour), now=now + hour * MINUTE)

        assert services.expire_due(now=now + 19 * MINUTE) == 2
        assert services.expire_due(now=now + timedelta(days=3)) == 1
        assert not SlotClaim.objects.exists()

    def test_goes_through_more_than_one_batch(
        self, held_court: Facility, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("reservations.services.expiry.BATCH", 2)
        for hour in range(7, 12):
            book(owner, wish_for(held_court, hour=hour), now=now)

        assert services.expire_due(now=now + 10 * MINUTE) == 5

    def test_keeps_the_grace_of_the_policy(self, owner: Member, now: datetime) -> None:
        court = make_facility("Patient", terms={"hold_minutes": 10, "expiry_grace_minutes": 5})
        reservation = book(owner, wish_for(court), now=now)

        assert reservation.expires_at == now + 15 * MINUTE
        assert services.expire_due(now=now + 15 * MINUTE - TICK) == 0
        assert services.expire_due(now=now + 15 * MINUTE) == 1

    def test_leaves_what_was_confirmed_between_the_look_and_the_lock(
        self, held: Reservation, owner: Member, now: datetime
    ) -> None:
        services.confirm_reservation(reservation=held, by=actor_of(owner), now=now)

        assert expire_if_due(pk=held.pk, now=now + 10 * MINUTE, by=SCHEDULER) is False

    def test_leaves_what_was_given_a_later_deadline_between_the_look_and_the_lock(
        self, held: Reservation, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def late(reservation: Reservation, _rules: object) -> Reservation:
            reservation.expires_at = now + 11 * MINUTE
            return reservation

        monkeypatch.setattr("reservations.services.expiry.locked", late)

        assert expire_if_due(pk=held.pk, now=now + 10 * MINUTE, by=SCHEDULER) is False

    def test_goes_on_after_one_that_somebody_changed_meanwhile(
        self, held: Reservation, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_late(**_given: object) -> bool:
            raise StaleVersionError

        monkeypatch.setattr("reservations.services.expiry.move_each", too_late)
        monkeypatch.setattr("reservations.services.expiry.expire_if_due", too_late)

        assert services.expire_due(now=now + 10 * MINUTE) == 0

    def test_one_that_cannot_be_expired_keeps_nobody_else_waiting(
        self, held_court: Facility, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = [book(owner, wish_for(held_court, hour=hour), now=now) for hour in (8, 9, 10)]
        bad = held[1].pk
        tell, tell_each = messages.tell, messages.tell_each

        def break_one(reservation: Reservation, **more: Any) -> None:
            if reservation.pk == bad:
                raise RuntimeError("a defect")
            tell(reservation, **more)

        def break_all(reservations: list[Reservation], **more: Any) -> None:
            if any(one.pk == bad for one in reservations):
                raise RuntimeError("a defect")
            tell_each(reservations, **more)

        monkeypatch.setattr(messages, "tell", break_one)
        monkeypatch.setattr(messages, "tell_each", break_all)

        with pytest.raises(RuntimeError):
            services.expire_due(now=now + 10 * MINUTE)

        assert list(Reservation.objects.filter(state=State.HELD).values_list("pk", flat=True)) == [bad]
        assert_sound(now)

    def test_leaves_the_rest_to_the_next_run_when_the_database_is_away(
        self, held: Reservation, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[int] = []

        def away(**_given: object) -> None:
            tried.append(1)
            raise OperationalError("the connection is closed")

        monkeypatch.setattr("reservations.services.expiry.move_each", lambda *_a, **_k: away())

        with pytest.raises(OperationalError):
            services.expire_due(now=now + 10 * MINUTE)

        assert len(tried) == 1
        held.refresh_from_db()
        assert held.state == State.HELD

    def test_costs_as_many_statements_for_many_as_for_few(self, owner: Member, now: datetime) -> None:
        """All of one household on one court, so that the locks are the same too."""
        court = make_facility("Busy Court", terms={"hold_minutes": 10})
        counted = []
        for day, hours in ((2, range(8, 10)), (3, range(6, 22))):
            for hour in hours:
                book(owner, wish_for(court, day=day, hour=hour), now=now)
            with CaptureQueriesContext(connection) as seen:
                assert services.expire_due(now=now + 10 * MINUTE) == len(hours)
            counted.append(len(seen))

        assert counted[0] == counted[1]

    def test_does_not_touch_what_has_no_deadline(self, owner: Member, court: Facility, now: datetime) -> None:
        book(owner, wish_for(court), now=now)

        assert services.expire_due(now=now + timedelta(days=30)) == 0


class TestPolicyEdits:
    def test_never_shorten_a_deadline_that_was_given(
        self, held: Reservation, held_court: Facility, now: datetime
    ) -> None:
        policy = held_court.policies.get()
        policy.versions.create(number=2, published_at=now, hold_minutes=1, max_slots=3)

        assert services.expire_due(now=now + 9 * MINUTE) == 0
        held.refresh_from_db()
        assert held.expires_at == now + 10 * MINUTE


class TestExpireInTheWay:
    """A late scheduler never blocks anybody: whoever needs the place ends what is due over it."""

    def test_a_booking_ends_what_is_due_over_its_cells(
        self, held: Reservation, stranger: Member, now: datetime
    ) -> None:
        later = now + 10 * MINUTE

        assert book(stranger, wish_for(held.facility), now=later).state == State.HELD

        held.refresh_from_db()
        assert held.state == State.EXPIRED
        assert last_event(held) == ("moved", "EXPIRED", "booking")
        assert_sound(later)

    def test_a_booking_a_moment_before_the_deadline_does_not(
        self, held: Reservation, stranger: Member, now: datetime
    ) -> None:
        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(held.facility), now=now + 10 * MINUTE - TICK)

    def test_a_move_ends_what_is_due_over_its_new_cells(
        self, held: Reservation, stranger: Member, now: datetime
    ) -> None:
        later = now + 10 * MINUTE
        theirs = book(stranger, wish_for(held.facility, hour=15), now=later)

        services.reschedule_reservation(
            reservation=theirs,
            starts_at=held.starts_at,
            ends_at=held.ends_at,
            by=actor_of(stranger),
            now=later,
        )

        held.refresh_from_db()
        theirs.refresh_from_db()
        assert (held.state, theirs.starts_at) == (State.EXPIRED, held.starts_at)
        assert_sound(later)

    def test_the_club_blocking_the_place_ends_it_too(self, held: Reservation, now: datetime) -> None:
        later = now + 10 * MINUTE

        services.block_facility(
            facility_id=held.facility_id,
            interval=held.interval,
            type=Type.BLOCKED,
            title="Resurfacing",
            by=STAFF,
            now=later,
        )

        held.refresh_from_db()
        assert held.state == State.EXPIRED
        assert_sound(later)

    def test_a_due_hold_of_the_household_does_not_count_against_its_quota(
        self, held: Reservation, owner: Member, spouse: Member, now: datetime
    ) -> None:
        make_quota("One a day", per="household", limit=1)

        assert book(spouse, wish_for(held.facility, hour=15), now=now + 10 * MINUTE).pk

        held.refresh_from_db()
        assert held.state == State.EXPIRED

    def test_what_is_due_elsewhere_is_left_to_the_scheduler(
        self, held: Reservation, stranger: Member, now: datetime
    ) -> None:
        book(stranger, wish_for(held.facility, hour=11), now=now + 10 * MINUTE)

        held.refresh_from_db()
        assert held.state == State.HELD

    def test_a_hold_over_one_half_is_ended_by_who_wants_the_hall(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        half = make_facility("East hall", kind="hall", terms={"hold_minutes": 10})
        hall = make_facility("Grand hall", kind="hall", spaces=list(half.spaces.all()))
        waiting = book(owner, wish_for(half), now=now)

        assert book(stranger, wish_for(hall), now=now + 10 * MINUTE).pk

        waiting.refresh_from_db()
        assert waiting.state == State.EXPIRED


class TestAfterTheDeadline:
    def test_a_confirmation_comes_too_late(self, held: Reservation, owner: Member, now: datetime) -> None:
        with pytest.raises(ReservationMovedOnError):
            services.confirm_reservation(reservation=held, by=actor_of(owner), now=now + 10 * MINUTE)

    def test_one_a_moment_before_does_not(self, held: Reservation, owner: Member, now: datetime) -> None:
        confirmed = services.confirm_reservation(
            reservation=held, by=actor_of(owner), now=now + 10 * MINUTE - TICK
        )

        assert confirmed.state == State.CONFIRMED

    @pytest.mark.parametrize("approve", [True, False])
    def test_staff_decide_too_late_too(self, owner: Member, now: datetime, approve: bool) -> None:
        court = make_facility("Asked", terms={"approval_required": True, "approval_sla_minutes": 60})
        asked = book(owner, wish_for(court), now=now)

        with pytest.raises(ReservationMovedOnError):
            services.decide_approval(
                reservation=asked, approve=approve, by=STAFF, reason="", now=now + 60 * MINUTE
            )

        assert services.expire_due(now=now + 60 * MINUTE) == 1

    def test_a_move_comes_too_late(self, held: Reservation, owner: Member, now: datetime) -> None:
        with pytest.raises(ReservationMovedOnError):
            services.reschedule_reservation(
                reservation=held,
                starts_at=at_club(2, 15),
                ends_at=at_club(2, 16),
                by=actor_of(owner),
                now=now + 10 * MINUTE,
            )
