"""Who may open them, the list, and one reservation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from time_machine import Traveller

from accounts.models import Member, User
from bcc.core.actors import Actor
from facilities.models import Facility
from reservations import services
from reservations.admin.reservation import reference_bounds
from reservations.admin.steps import STEPS
from reservations.models import Reservation
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms
from tests.reservations.admin_reservations.pages import (
    BOOKERS,
    LIST,
    OF_THE_DESK,
    READERS,
    TEST,
    fresh,
    page_of,
    wish_body,
)
from tests.reservations.bookings import book, wish_for
from tests.reservations.desk import count_queries, enter, text_of


class TestWhoMay:
    def test_read_reservations_is_one_table(self, each_staff: User, booked: Reservation) -> None:
        allowed = each_staff.groups.get().name in READERS
        client = enter(each_staff)
        for page in (LIST, page_of(booked)):
            assert client.get(page).status_code == (200 if allowed else 403)

    def test_take_steps_is_one_table(self, each_staff: User, booked: Reservation) -> None:
        allowed = each_staff.groups.get().name in OF_THE_DESK
        client = enter(each_staff)
        for step in STEPS:
            answer = client.post(page_of(booked, step.name))
            assert (answer.status_code != 403) is allowed, step.name
        if not allowed:
            assert fresh(booked).version == booked.version

    def test_book_and_test_is_one_table(self, each_staff: User, travel: Traveller) -> None:
        group = each_staff.groups.get().name
        client = enter(each_staff)
        assert client.get(f"{LIST}add/").status_code == (200 if group in BOOKERS else 403)
        allowed = group in {"Front Desk", "Facilities", "Ops", "Auditor"}
        assert client.get(TEST).status_code == (200 if allowed else 403)

    def test_nobody_without_signing_in(self, booked: Reservation, owner: Member) -> None:
        pages = [LIST, TEST, f"{LIST}add/", page_of(booked), page_of(booked, "cancel")]
        for page in pages:
            assert Client().get(page).status_code == 302
            assert enter(owner.user).get(page).status_code == 302

    def test_buttons_are_those_that_make_sense(
        self, desk: Client, make_staff: Callable[[str], User], booked: Reservation
    ) -> None:
        shown = text_of(desk.get(page_of(booked)))
        for label in ("Check in", "Move to another time", "Cancel for the member", "Cancel by the club"):
            assert f">{label}<" in shown
        for label in ("Approve", "No-show", "Assign a room", "Looked after", "Complete"):
            assert f">{label}<" not in shown
        assert 'class="steps"' not in text_of(enter(make_staff("Auditor")).get(page_of(booked)))

    def test_who_sees_less_is_shown_less(
        self, make_staff: Callable[[str], User], booked: Reservation
    ) -> None:
        shown = text_of(enter(make_staff("Membership")).get(page_of(booked)))
        assert "History" not in shown
        assert "Who comes" not in shown
        assert "What it holds" not in shown


class TestList:
    def test_is_in_club_time_with_member_and_state(
        self, desk: Client, booked: Reservation, owner: Member
    ) -> None:
        shown = text_of(desk.get(LIST))
        assert "<span>Tue 2 Jun 2026</span><span>10:00 – 11:00</span>" in shown
        assert f"<span>{owner.full_name}</span><span>{owner.member_no}</span>" in shown
        assert '<span class="state confirmed">confirmed</span>' in shown

    def test_asks_as_seldom_for_many_as_for_one(
        self, desk: Client, booked: Reservation, stranger: Member, now: datetime
    ) -> None:
        desk.get(LIST)
        few = count_queries(lambda: desk.get(LIST))
        for number in range(6):
            book(stranger, wish_for(make_facility(f"Court {number}"), hour=8 + number), now=now)
        assert count_queries(lambda: desk.get(LIST)) == few
        assert few <= 12

    @pytest.mark.parametrize(
        "asked",
        [
            "q={member.member_no}",
            "q={lower}",
            "q={member.last_name}",
            "q={reference}",
            "q={row.public_id}",
            "state__exact=CONFIRMED",
            "facility__id__exact={row.facility_id}",
            "type__exact=NORMAL",
            "needs_attention__exact=0",
            "starts_on__year=2026&starts_on__month=6&starts_on__day=2",
            "when=tomorrow",
            "when=week",
            "when=coming",
        ],
        ids=lambda asked: asked.split("=")[0] + asked[-12:].replace("{", "").replace("}", ""),
    )
    def test_finds_by(
        self,
        desk: Client,
        booked: Reservation,
        owner: Member,
        stranger: Member,
        now: datetime,
        asked: str,
    ) -> None:
        other = book(stranger, wish_for(make_facility("Court Two"), day=3), now=now - timedelta(days=1))
        services.cancel_by_club(reservation=other, by=Actor("staff", "x"), reason="Rain.", now=now)
        Reservation.objects.filter(pk=other.pk).update(
            type="EVENT", needs_attention=True, starts_at=at_club(1, 7) - timedelta(days=40),
            ends_at=at_club(1, 8) - timedelta(days=40), starts_on=at_club(1, 8).date() - timedelta(days=40),
        )  # fmt: skip
        values = {
            "member": owner,
            "row": booked,
            "lower": owner.member_no.lower().replace("-", " "),
            "reference": str(booked.public_id)[:8].upper(),
        }
        found = desk.get(f"{LIST}?{asked.format(**values)}")
        assert found.status_code == 200
        assert list(found.context["cl"].result_list) == [booked]

    @pytest.mark.parametrize(("when", "count"), [("today", 0), ("past", 0), ("nonsense", 1)])
    def test_does_not_find_by(self, desk: Client, booked: Reservation, when: str, count: int) -> None:
        assert len(desk.get(f"{LIST}?when={when}", follow=True).context["cl"].result_list) == count

    def test_a_stay_is_of_each_day_that_it_reaches_into(
        self, desk: Client, owner: Member, now: datetime
    ) -> None:
        rooms = make_rooms()
        stay = services.booking.Wish(rooms.public_id, at_club(1, 14), at_club(3, 12))
        row = book(owner, stay, now=now)
        for when in ("today", "tomorrow", "week"):
            assert list(desk.get(f"{LIST}?when={when}").context["cl"].result_list) == [row]

    @pytest.mark.parametrize("term", ["abcdefg", "1234567", "f" * 33, "owner"])
    def test_what_is_no_reference_is_not_looked_up_as_one(self, term: str) -> None:
        assert reference_bounds(term) is None


class TestDetail:
    def test_tells_who_comes_what_happened_and_what_it_holds(
        self, desk: Client, booked: Reservation, owner: Member
    ) -> None:
        desk.post(
            page_of(booked, "reschedule"), {"starts_at": "2026-06-03T15:00", "ends_at": "2026-06-03T16:00"}
        )
        shown = text_of(desk.get(page_of(booked)))
        assert str(booked.public_id)[:8] in shown
        assert f"{owner.full_name} ({owner.member_no})" in shown
        assert "created: confirmed" in shown
        assert "from Tue 2 Jun 2026, 10:00 – 11:00, to Wed 3 Jun 2026, 15:00 – 16:00" in shown
        assert "Test Front Desk" in shown
        assert "4 cells, Wed 3 Jun, 15:00 to Wed 3 Jun, 15:45" in shown
        assert "Court One policy v1" in shown

    def test_counts_those_who_are_not_named_yet(
        self, desk: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        row = book(owner, wish_for(court, party=4), now=now)
        shown = text_of(desk.get(page_of(row)))
        assert "+ 3" in shown
        assert shown.count("to be named") == 1

    def test_offers_nothing_to_edit(self, desk: Client, booked: Reservation) -> None:
        shown = text_of(desk.get(page_of(booked)))
        assert 'name="_save"' not in shown
        assert desk.post(page_of(booked), {"state": "EXPIRED"}).status_code == 403
        assert desk.post(f"{LIST}{booked.pk}/delete/", {"post": "yes"}).status_code == 403
        assert fresh(booked).state == State.CONFIRMED

    def test_of_what_the_club_booked_has_no_member(
        self, desk: Client, court: Facility, owner: Member, front_desk: User
    ) -> None:
        body = {"type": "EVENT", "member": "", "title": "Tournament", "ends_at": "2026-06-02T12:00"}
        desk.post(f"{LIST}add/", wish_body(court, owner, **body))
        row = Reservation.objects.get()
        assert (row.type, row.title, row.booked_by) == ("EVENT", "Tournament", front_desk)
        shown = text_of(desk.get(page_of(row)))
        assert "Nobody: it is the club's own." in shown
        assert ">Cancel for the member<" not in shown
