"""One thing, many ways: however a reservation comes to be or changes, the claims are right afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Member, User
from bcc.core.errors import RuleError
from facilities.models import Closure, Facility
from reservations import services
from reservations.models import Reservation, Type
from reservations.services.booking import Companion, Wish
from reservations.services.closures import Decision
from reservations.services.errors import SlotTakenError
from reservations.services.standing import apply_standings
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms, make_space
from tests.reservations.bookings import STAFF, actor_of, assert_sound, book, wish_for

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
Client = Callable[[Member | User], APIClient]


class Club:
    """A hall in two halves, one of which asks for a hold, a pool by the person, and rooms by type."""

    def __init__(self, owner: Member, stranger: Member, client_of: Client, now: datetime) -> None:
        east, west = make_space("East half"), make_space("West half")
        terms = {"hold_minutes": 10, "no_show_after_minutes": 15, "on_bad_standing": "cancel"}
        self.half = make_facility("East hall", kind="hall", spaces=[east], terms=terms)
        self.hall = make_facility("Grand hall", kind="hall", spaces=[east, west])
        self.pool = make_facility("Pool", kind="class", lanes=5, takes="person")
        self.rooms = make_rooms(rooms=2)
        self.owner, self.stranger, self.client_of, self.now = owner, stranger, client_of, now

    def booked(self, facility: Facility | None = None, *, hour: int = 10) -> Reservation:
        """A confirmed booking of the half, unless said."""
        made = book(self.owner, wish_for(facility or self.half, hour=hour), now=self.now)
        return services.confirm_reservation(reservation=made, by=actor_of(self.owner), now=self.now)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self.client_of(self.owner).post(f"/api/v1/reservations{path}", body or {}, format="json")
        assert response.status_code < 300, response.content
        return response.json()

    def posted(self, facility: Facility, **more: Any) -> dict[str, Any]:
        wish = wish_for(facility)
        made: dict[str, Any] = self.post(
            "",
            {
                "facility": str(facility.public_id),
                "starts_at": wish.starts_at.isoformat(),
                "ends_at": wish.ends_at.isoformat(),
                **more,
            },
        )
        return made


def by_the_app(club: Club) -> None:
    club.posted(club.pool, party=3)


def by_the_app_step_by_step(club: Club) -> None:
    made = club.posted(club.half)
    club.post(f"/{made['id']}/confirm")
    times = {"starts_at": at_club(3, 15).isoformat(), "ends_at": at_club(3, 16).isoformat()}
    club.post(f"/{made['id']}/reschedule", times)
    club.post(f"/{made['id']}/cancel", {"reason": "Rain."})


def by_staff(club: Club) -> None:
    services.create_reservation(
        wish=wish_for(club.hall),
        member_id=club.owner.pk,
        membership_id=club.owner.membership_id,
        by=STAFF,
        now=club.now,
        waive=True,
    )


def by_the_club_for_itself(club: Club) -> None:
    services.block_facility(
        facility_id=club.pool.pk,
        interval=wish_for(club.pool).interval,
        type=Type.EVENT,
        title="Cup",
        by=STAFF,
        now=club.now,
        lanes=3,
    )


def a_stay_moved_by_a_night(club: Club) -> None:
    stay = Wish(club.rooms.public_id, at_club(5, 14), at_club(7, 12))
    made = book(club.owner, stay, now=club.now)
    services.reschedule_reservation(
        reservation=made, starts_at=at_club(6, 14), ends_at=at_club(9, 12), by=STAFF, now=club.now
    )


def expired_by_the_scheduler(club: Club) -> None:
    book(club.owner, wish_for(club.half), now=club.now)
    services.expire_due(now=club.now + 10 * MINUTE)


def expired_by_who_needs_the_place(club: Club) -> None:
    book(club.owner, wish_for(club.half), now=club.now)
    book(club.stranger, wish_for(club.hall), now=club.now + 10 * MINUTE)


def moved_onto_what_is_due(club: Club) -> None:
    book(club.owner, wish_for(club.half), now=club.now)
    theirs = book(club.stranger, wish_for(club.hall, hour=15), now=club.now)
    later = club.now + 10 * MINUTE
    services.reschedule_reservation(
        reservation=theirs, starts_at=at_club(2, 10), ends_at=at_club(2, 11), by=STAFF, now=later
    )


def denied(club: Club) -> None:
    asked = make_facility("Asked", terms={"approval_required": True})
    made = book(club.owner, wish_for(asked), now=club.now)
    services.decide_approval(reservation=made, approve=False, by=STAFF, reason="", now=club.now)


def cancelled_by_a_relative(club: Club) -> None:
    services.cancel_reservation(reservation=club.booked(), by=actor_of(club.owner), reason="", now=club.now)


def cancelled_by_the_club(club: Club) -> None:
    services.cancel_by_club(reservation=club.booked(), by=STAFF, reason="", now=club.now)


def cancelled_by_a_closure(club: Club) -> None:
    booked, kept = club.booked(), club.booked(hour=12)
    closure = Closure(
        space=club.half.spaces.get(), starts_at=at_club(2, 9), ends_at=at_club(2, 14), reason="Leak."
    )
    decisions = {booked.pk: Decision.CANCEL, kept.pk: Decision.KEEP}
    services.close(closure=closure, decisions=decisions, by=STAFF, now=club.now)


def cancelled_by_retiring(club: Club) -> None:
    booked = club.booked()
    services.retire_facility(
        facility=club.half,
        decisions={booked.pk: Decision.CANCEL},
        by=STAFF,
        reason="Rebuilt.",
        now=club.now,
    )


def cancelled_by_standing(club: Club) -> None:
    club.booked()
    membership = club.owner.membership
    membership.standing, membership.standing_changed_at = "suspended", club.now + MINUTE
    membership.save()
    assert apply_standings(now=club.now + MINUTE) == 1


def checked_in_and_completed(club: Club) -> None:
    services.check_in(reservation=club.booked(), by=STAFF, now=at_club(2, 10))
    assert services.complete_finished(now=at_club(2, 11)) == 1


def a_no_show(club: Club) -> None:
    club.booked()
    assert services.mark_no_shows(now=at_club(2, 10, 15)) == 1


def named_anew(club: Club) -> None:
    made = book(club.owner, wish_for(club.pool, party=3), now=club.now)
    services.set_participants(
        reservation=made,
        companions=(Companion(guest_name="A Guest"),),
        by=STAFF,
        now=club.now,
    )


def refused(club: Club) -> None:
    booked = club.booked()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: book(club.stranger, wish_for(club.hall), now=club.now),
        lambda: services.reschedule_reservation(
            reservation=booked, starts_at=at_club(2, 23), ends_at=at_club(3, 0), by=STAFF, now=club.now
        ),
    )
    for attempt in attempts:
        with pytest.raises((RuleError, SlotTakenError)):
            attempt()


WAYS: tuple[Callable[[Club], None], ...] = (
    by_the_app,
    by_the_app_step_by_step,
    by_staff,
    by_the_club_for_itself,
    a_stay_moved_by_a_night,
    expired_by_the_scheduler,
    expired_by_who_needs_the_place,
    moved_onto_what_is_due,
    denied,
    cancelled_by_a_relative,
    cancelled_by_the_club,
    cancelled_by_a_closure,
    cancelled_by_retiring,
    cancelled_by_standing,
    checked_in_and_completed,
    a_no_show,
    named_anew,
    refused,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_leaves_the_claims_as_they_must_be(
    way: Callable[[Club], None],
    owner: Member,
    stranger: Member,
    client_of: Client,
    now: datetime,
    travel: time_machine.Traveller,
) -> None:
    way(Club(owner, stranger, client_of, now))

    assert Reservation.objects.exists()
    assert_sound(now)


def test_the_audit_sees_what_is_wrong(owner: Member, court: Facility, now: datetime) -> None:
    """The control: a state that was written past its door is found."""
    booked = book(owner, wish_for(court), now=now)
    Reservation.objects.filter(pk=booked.pk).update(state="EXPIRED")

    with pytest.raises(AssertionError, match="does not occupy"):
        assert_sound(now)
