"""Who comes, and the room they get."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import Member
from bcc.core.errors import InvalidError, RuleError, WrongStateError
from facilities.models import Facility
from reservations import services
from reservations.models import Guest, Participant, Reservation
from reservations.services.booking import Companion
from reservations.services.errors import ReservationMovedOnError
from tests.factories import MemberFactory, make_facility, make_quota
from tests.reservations.bookings import (
    STAFF,
    actor_of,
    assert_sound,
    book,
    codes,
    last_event,
    wish_for,
)
from tests.reservations.changes.looks import image

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


class TestSetParticipants:
    @pytest.fixture
    def booked(self, owner: Member, court: Facility, now: datetime) -> Reservation:
        return book(owner, wish_for(court, party=4), now=now)

    def name(self, reservation: Reservation, *companions: Companion, now: datetime) -> Reservation:
        return services.set_participants(reservation=reservation, companions=companions, by=STAFF, now=now)

    def test_names_the_party_anew_and_keeps_its_size(
        self, booked: Reservation, spouse: Member, now: datetime
    ) -> None:
        self.name(booked, Companion(guest_name="One"), Companion(guest_name="Two"), now=now)
        named = self.name(booked, Companion(member=spouse.public_id), Companion(guest_name="One"), now=now)

        assert list(named.participants.order_by("position").values_list("kind", flat=True)) == [
            "member",
            "member",
            "guest",
            "tbd",
        ]
        assert (named.guest_count, named.version) == (1, 3)
        assert last_event(named)[0] == "party_changed"
        assert named.events.filter(action="party_changed").count() == 2

    def test_a_guest_named_again_is_the_same_guest(
        self, booked: Reservation, owner: Member, now: datetime
    ) -> None:
        self.name(booked, Companion(guest_name="One Guest"), now=now)
        self.name(booked, Companion(guest_name="one guest"), now=now)

        assert [guest.name for guest in Guest.objects.filter(host=owner)] == ["One Guest"]

    def test_refuses_too_many_guests_and_changes_nothing(self, owner: Member, now: datetime) -> None:
        booked = book(owner, wish_for(make_facility("Few", terms={"guests_max": 1}), party=4), now=now)
        before = image(booked)

        with pytest.raises(RuleError) as refused:
            self.name(booked, Companion(guest_name="One"), Companion(guest_name="Two"), now=now)

        assert codes(refused) == {"too_many_guests"}
        assert image(booked) == before
        assert not Guest.objects.exists()

    def test_a_quota_of_bookings_says_nothing_about_who_comes(
        self, booked: Reservation, owner: Member, court: Facility, now: datetime
    ) -> None:
        """Staff set a quota aside, or tightened it: the booking stands, and its people may be named."""
        book(owner, wish_for(court, hour=15), now=now)
        make_quota("One a day", limit=1)

        assert self.name(booked, Companion(guest_name="One"), now=now).guest_count == 1

    def test_a_quota_of_guests_does(self, booked: Reservation, now: datetime) -> None:
        make_quota("One guest a day", measure="guests", limit=1)

        assert self.name(booked, Companion(guest_name="One"), now=now).guest_count == 1
        with pytest.raises(RuleError) as refused:
            self.name(booked, Companion(guest_name="One"), Companion(guest_name="Two"), now=now)
        assert codes(refused) == {"quota_exceeded"}

    def test_what_is_over_has_no_party_to_name(
        self, booked: Reservation, owner: Member, now: datetime
    ) -> None:
        services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)

        with pytest.raises(ReservationMovedOnError):
            self.name(booked, now=now)


class TestNamedOnce:
    """Each place of a party is somebody else; a name does not fill two."""

    @pytest.mark.parametrize("who", ["the member", "a member", "a guest"])
    def test_nobody_is_named_twice(
        self, owner: Member, spouse: Member, court: Facility, now: datetime, who: str
    ) -> None:
        guest = Guest.objects.create(host=owner, name="A Guest")
        one = {
            "the member": Companion(member=owner.public_id),
            "a member": Companion(member=spouse.public_id),
            "a guest": Companion(guest=guest.public_id),
        }[who]
        twice = (one,) if who == "the member" else (one, one)

        with pytest.raises(InvalidError) as refused:
            book(owner, wish_for(court, party=4, companions=twice), now=now)

        assert refused.value.errors["participants"][0][0] == "named_twice"
        assert not Reservation.objects.exists()

    def test_two_guests_of_one_name_are_two_guests(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        twins = (Companion(guest_name="A Guest"), Companion(guest_name="A Guest"))

        for day in (2, 3):
            book(owner, wish_for(court, day=day, party=3, companions=twins), now=now)

        assert Guest.objects.filter(host=owner).count() == 2
        assert Participant.objects.filter(kind="guest").count() == 4

    def test_a_guest_who_is_named_by_name_comes_as_often_as_the_same_guest_may(
        self, owner: Member, spouse: Member, now: datetime
    ) -> None:
        court = make_facility("Guests", terms={"same_guest_limit": 1})
        named = (Companion(guest_name="A Guest"),)
        book(owner, wish_for(court, day=2, party=2, companions=named), now=now)

        with pytest.raises(RuleError) as refused:
            book(spouse, wish_for(court, day=3, party=2, companions=named), now=now)

        assert codes(refused) == {"same_guest_limit"}

    def test_a_name_on_another_households_list_is_somebody_else(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        theirs = Guest.objects.create(host=MemberFactory.create(), name="A Guest")

        book(owner, wish_for(court, party=2, companions=(Companion(guest_name="A Guest"),)), now=now)

        assert not theirs.visits.exists()


class TestAssignRoom:
    def test_is_written_in_the_history_and_moves_no_claim(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)

        services.assign_room(reservation=booked, room_no="204", by=STAFF, now=now)

        booked.refresh_from_db()
        assert booked.room_no == "204"
        assert last_event(booked)[0] == "room_assigned"
        assert_sound(now)

    def test_is_not_for_what_is_over(self, owner: Member, court: Facility, now: datetime) -> None:
        booked = book(owner, wish_for(court), now=now)
        services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)

        with pytest.raises(WrongStateError):
            services.assign_room(reservation=booked, room_no="204", by=STAFF, now=now)
