"""What a closure hits, putting it in force, and lifting it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Member
from bcc.core.actors import Actor
from bcc.core.errors import DomainError
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility
from reservations import services
from reservations.models import Reservation, SlotClaim
from reservations.models.reservation import Type
from reservations.policies.states import State
from reservations.selectors.closures import counting_hits, get_hits
from reservations.services import closures
from reservations.services.errors import UndecidedBookingsError
from tests.conftest import at_club
from tests.factories import make_facility, make_space
from tests.reservations.bookings import book, wish_for
from tests.reservations.closures.bookings import (
    CANCEL,
    KEEP,
    closure_of,
    state_of,
    told,
)

# Rules in memory leave out closures that are over by the clock of the machine.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestGetHits:
    def test_finds_what_overlaps_and_nothing_that_only_touches(
        self, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        assert list(get_hits(closure_of(court), now=now)) == [booked, later]
        assert list(get_hits(closure_of(court, hours=(11, 14)), now=now)) == []
        assert list(get_hits(closure_of(court, hours=(14, 15)), now=now)) == [later]

    def test_leaves_out_what_is_over_or_given_back(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.cancel_by_club(reservation=later, by=by, reason="Rain.", now=now)

        assert list(get_hits(closure_of(court), now=at_club(2, 11))) == []
        assert list(get_hits(closure_of(court), now=now)) == [booked]

    def test_finds_every_facility_on_a_space(self, owner: Member, stranger: Member, now: datetime) -> None:
        north, south = make_space("North half"), make_space("South half")
        whole = make_facility("Whole hall", spaces=[north, south])
        half = make_facility("South hall", spaces=[south])
        on_both = book(owner, wish_for(whole, hour=10), now=now)
        on_south = book(stranger, wish_for(half, hour=12), now=now)

        assert list(get_hits(closure_of(south), now=now)) == [on_both, on_south]
        assert list(get_hits(closure_of(north), now=now)) == [on_both]

    def test_is_what_the_list_counts(
        self, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        space = court.spaces.get()
        for closure in (closure_of(court), closure_of(space), closure_of(court, hours=(14, 16))):
            closure.save()

        counted = counting_hits(Closure.objects.order_by("pk"), now=now)

        assert [one.hits for one in counted] == [2, 2, 1]  # type: ignore[attr-defined]  # annotated
        for one in counted:
            assert one.hits == get_hits(one, now=now).count()  # type: ignore[attr-defined]  # annotated


class TestClose:
    def test_cancels_and_keeps_as_decided(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        assert state_of(booked) == State.CANCELLED_CLUB
        assert state_of(later) == State.CONFIRMED
        later.refresh_from_db()
        assert later.needs_attention
        assert Closure.objects.get().confirmed_at == closure.confirmed_at == now

    def test_frees_the_claims_of_what_it_cancels_alone(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        assert not SlotClaim.objects.filter(reservation=booked).exists()
        assert SlotClaim.objects.filter(reservation=later).count() == 4

    def test_writes_who_did_it_and_why_into_both_histories(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        moved, kept = booked.events.latest("pk"), later.events.latest("pk")
        assert (moved.action, moved.from_state, moved.to_state) == ("moved", "CONFIRMED", "CANCELLED_CLUB")
        assert (kept.action, kept.from_state, kept.to_state) == ("kept", "CONFIRMED", "CONFIRMED")
        for event in (moved, kept):
            assert (event.actor_kind, event.actor_name, event.actor_user_id) == ("staff", by.name, by.user_id)
            assert (event.reason, event.at) == ("The net is torn.", now)

    def test_refuses_while_one_is_undecided_and_changes_nothing(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=now)

        assert refused.value.reservations == [later]
        assert refused.value.hits == [booked, later]
        assert (state_of(booked), state_of(later)) == (State.CONFIRMED, State.CONFIRMED)
        assert not Closure.objects.exists()
        assert booked.events.count() == 1
        assert told(booked.member) == ["reservation_confirmed"]  # type: ignore[arg-type]  # a member's booking

    def test_sees_a_booking_that_came_between_the_look_and_the_lock(
        self,
        booked: Reservation,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lock_for = closures.lock_for
        came: list[Reservation] = []

        def somebody_is_faster(*args: object, **kwargs: object) -> None:
            came.append(book(stranger, wish_for(court, hour=12), now=now))
            lock_for(*args, **kwargs)  # type: ignore[arg-type]  # as given

        monkeypatch.setattr(closures, "lock_for", somebody_is_faster)
        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=now)

        assert refused.value.reservations == came
        assert refused.value.hits == [booked, *came]
        assert state_of(booked) == State.CONFIRMED

    @pytest.mark.parametrize(
        ("handling", "about_kept"),
        [("keep", []), ("notify", ["reservation_kept"]), ("cancel", ["reservation_kept"])],
    )
    def test_tells_members_of_kept_bookings_as_the_handling_says(
        self,
        booked: Reservation,
        later: Reservation,
        owner: Member,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        handling: str,
        about_kept: list[str],
    ) -> None:
        services.close(
            closure=closure_of(court, handling=handling),
            decisions={booked.pk: CANCEL, later.pk: KEEP},
            by=by,
            now=now,
        )

        assert told(owner) == ["reservation_confirmed", "reservation_cancelled_club"]
        assert told(stranger) == ["reservation_confirmed", *about_kept]

    def test_lets_nobody_book_inside_it(
        self, stranger: Member, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        with pytest.raises(DomainError):
            book(stranger, wish_for(court, hour=12), now=now)
        assert book(stranger, wish_for(court, hour=18), now=now).pk

    def test_offers_only_to_keep_who_is_there_already(
        self, booked: Reservation, court: Facility, by: Actor
    ) -> None:
        services.check_in(reservation=booked, by=by, now=at_club(2, 10))

        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(
                closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=at_club(2, 10, 30)
            )
        assert refused.value.reservations == [booked]

        services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=at_club(2, 10, 30))
        assert state_of(booked) == State.CHECKED_IN

    def test_asks_again_only_about_what_a_change_hits_anew(
        self,
        booked: Reservation,
        later: Reservation,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
    ) -> None:
        closure = services.close(
            closure=closure_of(court, hours=(8, 12)), decisions={booked.pk: KEEP}, by=by, now=now
        )
        closure.ends_at = at_club(2, 18)

        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure, decisions={}, by=by, now=now + timedelta(hours=1))
        assert refused.value.reservations == [later]
        assert refused.value.hits == [booked, later]
        assert refused.value.kept == {booked.pk}

        services.close(closure=closure, decisions={later.pk: CANCEL}, by=by, now=now + timedelta(hours=1))
        closure.refresh_from_db()
        assert (closure.ends_at, closure.confirmed_at) == (at_club(2, 18), now)
        assert booked.events.filter(action="kept").count() == 1
        assert state_of(later) == State.CANCELLED_CLUB

    def test_cancels_what_was_kept_before_if_staff_change_their_mind(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=now)

        services.close(closure=closure, decisions={booked.pk: CANCEL}, by=by, now=now)

        assert state_of(booked) == State.CANCELLED_CLUB

    def test_asks_about_everything_again_under_another_handling(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=now)
        closure.handling = Closure.Handling.CANCEL

        with pytest.raises(UndecidedBookingsError):
            services.close(closure=closure, decisions={}, by=by, now=now)

    def test_cancels_on_every_facility_of_a_space(
        self, owner: Member, stranger: Member, by: Actor, now: datetime
    ) -> None:
        north, south = make_space("North half"), make_space("South half")
        whole = make_facility("Whole hall", spaces=[north, south])
        half = make_facility("South hall", spaces=[south])
        hits = [
            book(owner, wish_for(whole, hour=10), now=now),
            book(stranger, wish_for(half, hour=12), now=now),
        ]

        services.close(
            closure=closure_of(south),
            decisions=dict.fromkeys([hit.pk for hit in hits], CANCEL),
            by=by,
            now=now,
        )

        assert not SlotClaim.objects.exists()

    def test_keeps_what_the_club_booked_for_itself(self, court: Facility, by: Actor, now: datetime) -> None:
        event = services.block_facility(
            facility_id=court.pk,
            interval=Interval(at_club(2, 9), at_club(2, 10)),
            type=Type.EVENT,
            title="Clinic",
            by=by,
            now=now,
        )

        services.close(closure=closure_of(court), decisions={event.pk: KEEP}, by=by, now=now)

        assert state_of(event) == State.CONFIRMED


class TestLiftClosure:
    def test_ends_one_that_has_begun(self, court: Facility, by: Actor, now: datetime) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(2, 9))

        assert Closure.objects.get().ends_at == at_club(2, 9)

    @pytest.mark.parametrize("hour", [7, 8])
    def test_takes_one_away_that_has_not(self, court: Facility, by: Actor, now: datetime, hour: int) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(2, hour))

        assert not Closure.objects.exists()

    def test_leaves_one_that_is_over_as_it_was(self, court: Facility, by: Actor, now: datetime) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(3, 9))

        assert Closure.objects.get().ends_at == at_club(2, 18)

    def test_lets_members_book_again(
        self, stranger: Member, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)
        services.lift_closure(closure=closure, now=now)

        assert book(stranger, wish_for(court, hour=12), now=now).pk
