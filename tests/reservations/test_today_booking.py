"""Booking for a member at the front desk."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from reservations.models import (
    Guest,
    Participant,
    Reservation,
    ReservationEvent,
)
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import (
    make_facility,
    make_quota,
    make_rooms,
)
from tests.reservations.front_desk import (
    PAGE,
    book,
    book_at,
    send,
    signed_in,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


@pytest.fixture
def desk(front_desk: User, travel: object) -> Client:
    return signed_in(front_desk)


class TestBook:
    def test_books_by_number_and_goes_back_to_the_cell(
        self, desk: Client, front_desk: User, owner: Member, court: Facility
    ) -> None:
        response = book_at(desk, court, owner.member_no.lower(), slots=2, party=2, notes="By phone.")

        row = Reservation.objects.get()
        assert (row.member_id, row.state, row.ends_at) == (owner.pk, State.CONFIRMED, at_club(2, 12))
        assert (row.booked_by_id, row.notes) == (front_desk.pk, "By phone.")
        assert response.status_code == 302
        assert response["Location"] == f"{PAGE}?date=2026-06-02#at-{court.pk}-021000"
        assert "Booked for Test Owner" in desk.get(PAGE).content.decode()

    def test_books_by_a_name_that_is_one_persons(self, desk: Client, owner: Member, court: Facility) -> None:
        book_at(desk, court, "owner test")
        assert Reservation.objects.get().member_id == owner.pk

    def test_asks_which_one_and_keeps_what_was_typed(
        self, desk: Client, owner: Member, stranger: Member, court: Facility
    ) -> None:
        response = book_at(desk, court, "test", notes="Keep me.")

        shown = response.content.decode()
        assert not Reservation.objects.exists()
        assert f'value="{owner.public_id}"' in shown
        assert f'value="{stranger.public_id}"' in shown
        assert 'value="Keep me."' in shown

        book_at(desk, court, "test", chosen=stranger.public_id)
        assert Reservation.objects.get().member_id == stranger.pk

    def test_find_shows_the_member_and_books_nothing(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        response = book_at(desk, court, owner.member_no, find=1)
        assert f'value="{owner.public_id}" checked' in response.content.decode()
        assert not Reservation.objects.exists()

    def test_says_when_nobody_is_called_so(self, desk: Client, court: Facility) -> None:
        assert "Nobody is called so." in book_at(desk, court, "Unheard").content.decode()

    def test_names_the_party_members_known_guests_and_new_ones(
        self, desk: Client, owner: Member, spouse: Member, court: Facility
    ) -> None:
        known = Guest.objects.create(host=spouse, name="Known Guest")

        book_at(
            desk, court, owner.member_no, party=4,
            companions=f"{spouse.member_no}\r\n known guest\nNew Guest\n{owner.member_no}",
        )  # fmt: skip

        people = Participant.objects.order_by("position")
        assert [one.member_id for one in people][:2] == [owner.pk, spouse.pk]
        assert people[2].guest_id == known.pk
        assert str(people[3].guest) == "New Guest"

    def test_more_people_than_places_are_refused_on_the_page(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        response = book_at(desk, court, owner.member_no, party=1, companions="Some Guest")
        assert "more people than the party has places" in response.content.decode()
        assert not Guest.objects.exists()

    def test_a_refusal_names_every_rule_and_keeps_what_was_typed(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        make_quota("One a day", limit=1)
        book(owner, court, hour=8)

        response = book_at(desk, court, owner.member_no, party=9, notes="Keep me.")

        shown = text_of(response)
        assert "The party may be at most 4." in shown
        assert "One a day: at most 1, 1 used." in shown
        assert "Nobody can set this aside." not in shown
        assert 'value="Keep me."' in response.content.decode()
        assert Reservation.objects.count() == 1

    def test_a_taken_slot_offers_alternatives_of_which_one_press_books(
        self, desk: Client, owner: Member, stranger: Member, court: Facility
    ) -> None:
        book(stranger, court)

        refused = book_at(desk, court, owner.member_no, notes="Keep me.")
        choice = re.search(r'name="take" value="([^"]+)"', refused.content.decode())
        assert choice is not None
        assert "Nobody can set this aside." in refused.content.decode()
        response = book_at(desk, court, owner.member_no, notes="Keep me.", take=choice[1])

        row = Reservation.objects.get(member=owner)
        assert response.status_code == 302
        assert (row.starts_at, row.notes) == (at_club(2, 9), "Keep me.")

    def test_house_rules_are_set_aside_with_a_reason_only(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        make_quota("One a day", limit=1)
        book(owner, court, hour=8)

        without = book_at(desk, court, owner.member_no, waive="on")
        assert "Say why the rules are set aside." in without.content.decode()
        assert Reservation.objects.count() == 1

        book_at(desk, court, owner.member_no, waive="on", reason="The manager said so.")
        event = ReservationEvent.objects.get(reservation__starts_at=at_club(2, 10))
        assert (event.reason, event.details) == ("The manager said so.", {"rules_waived": True})

    def test_the_place_is_never_set_aside(
        self, desk: Client, owner: Member, stranger: Member, court: Facility
    ) -> None:
        book(stranger, court)
        response = book_at(desk, court, owner.member_no, waive="on", reason="Please.")
        assert "Nobody can set this aside." in response.content.decode()
        assert Reservation.objects.count() == 1

    def test_a_button_pressed_twice_books_once(self, desk: Client, owner: Member) -> None:
        pool = make_facility("Pool", kind="class", lanes=30)
        once = uuid4()

        book_at(desk, pool, owner.member_no, once=once)
        again = book_at(desk, pool, owner.member_no, once=once)

        assert Reservation.objects.count() == 1
        assert "Nothing was done twice." in again.content.decode()

    def test_a_refused_form_may_be_sent_again(self, desk: Client, owner: Member, court: Facility) -> None:
        once = uuid4()
        book_at(desk, court, owner.member_no, once=once, party=9)
        book_at(desk, court, owner.member_no, once=once, party=2)
        assert Reservation.objects.get().party == 2

    def test_books_nights(self, desk: Client, owner: Member) -> None:
        rooms = make_rooms()
        response = send(
            desk, "book",
            **{
                "book-facility": rooms.public_id, "book-starts_at": "2026-06-03T06:00:00+00:00",
                "book-once": uuid4(), "book-member": owner.member_no, "book-slots": 2, "book-party": 2,
            },
        )  # fmt: skip
        row = Reservation.objects.get()
        assert (row.starts_on, row.nights, row.ends_at) == (date(2026, 6, 3), 2, at_club(5, 12))
        assert "date=2026-06-03#at-" in response["Location"]

    @pytest.mark.parametrize(
        "odd",
        [
            {"starts_at": "soon"},
            {"starts_at": "2026-06-02T10:00:00"},
            {"facility": "x"},
            {"slots": "99"},
            {"party": "0"},
            {"once": ""},
            {"member": ""},
        ],
        ids=lambda odd: "-".join([*odd, *(value or "empty" for value in odd.values())]),
    )
    def test_odd_input_books_nothing(
        self, desk: Client, owner: Member, court: Facility, odd: dict[str, str]
    ) -> None:
        said = {
            "facility": str(court.public_id), "starts_at": at_club(2, 10).isoformat(), "slots": "1",
            "once": str(uuid4()), "member": owner.member_no, "party": "1", **odd,
        }  # fmt: skip
        response = send(desk, "book", **{f"book-{name}": value for name, value in said.items()})
        assert response.status_code in (200, 302)
        assert not Reservation.objects.exists()
