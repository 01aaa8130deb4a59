"""Who may open the pages of places, and closing one with bookings under it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import Member, Notification, User
from bcc.core.actors import Actor
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility, Space
from reservations import services
from reservations.models import Reservation
from reservations.models.reservation import Type
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.admin_places.pages import (
    ADMIN,
    LISTS,
    READERS,
    closing,
    decided,
    faults,
    in_force,
    rows,
    said,
    signed_in,
    state_of,
)
from tests.reservations.bookings import book, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestWhoMay:
    @pytest.mark.parametrize("page", LISTS)
    def test_read(self, each_staff: User, court: Facility, page: str) -> None:
        opened = signed_in(each_staff).get(f"{ADMIN}/{page}/").status_code
        assert opened == (200 if each_staff.groups.get().name in READERS else 403)

    @pytest.mark.parametrize("page", LISTS)
    def test_add(self, each_staff: User, court: Facility, page: str) -> None:
        client = signed_in(each_staff)
        opened = client.get(f"{ADMIN}/{page}/add/").status_code
        sent = client.post(f"{ADMIN}/{page}/add/", {}).status_code
        assert {opened, sent} == ({200} if each_staff.groups.get().name == "Facilities" else {403})

    def test_retire(self, each_staff: User, court: Facility) -> None:
        client, allowed = signed_in(each_staff), each_staff.groups.get().name == "Facilities"
        page = f"{ADMIN}/facility/{court.pk}/retire/"
        assert client.get(page).status_code == (200 if allowed else 403)
        assert client.post(page).status_code == (302 if allowed else 403)
        assert Facility.objects.get().state == ("retired" if allowed else "published")

    def test_lift(self, each_staff: User, court: Facility, now: datetime) -> None:
        closure = in_force(court, now=now)
        client, allowed = signed_in(each_staff), each_staff.groups.get().name == "Facilities"
        page = f"{ADMIN}/closure/{closure.pk}/lift/"
        assert client.get(page).status_code == (200 if allowed else 403)
        assert client.post(page).status_code == (302 if allowed else 403)
        assert Closure.objects.exists() is not allowed

    def test_see_no_button_they_may_not_press(self, front_desk: User, court: Facility, now: datetime) -> None:
        closure, client = in_force(court, now=now), signed_in(front_desk)
        for page in (f"facility/{court.pk}", f"closure/{closure.pk}"):
            content = client.get(f"{ADMIN}/{page}/change/").content.decode()
            assert "/retire/" not in content
            assert "/lift/" not in content
            assert 'name="_save"' not in content

    def test_edit_closures_only_with_the_right_to_close(
        self, make_staff: Callable[[str], User], court: Facility
    ) -> None:
        """A group of the club's own that may edit the rows alone cannot cancel bookings by it."""
        user = make_staff("Facilities")
        close = user.groups.get().permissions.get(codename="close_facilities")
        user.groups.get().permissions.remove(close)
        client = signed_in(user)

        for page in ("closure", "holiday", "openingperiod"):
            assert client.post(f"{ADMIN}/{page}/add/", {}).status_code == 403
        assert client.get(f"{ADMIN}/facility/{court.pk}/retire/").status_code == 403
        assert client.get(f"{ADMIN}/facility/{court.pk}/change/").status_code == 200

    def test_nobody_unknown(self, court: Facility) -> None:
        for page in LISTS:
            assert Client().get(f"{ADMIN}/{page}/").status_code == 302


class TestClosing:
    ADD = f"{ADMIN}/closure/add/"

    def test_is_done_at_once_where_nobody_is_hit(
        self, grounds: Client, court: Facility, now: datetime
    ) -> None:
        sent = grounds.post(self.ADD, closing(court))

        assert sent.status_code == 302
        closure = Closure.objects.get()
        assert (closure.starts_at, closure.ends_at) == (at_club(2, 8), at_club(2, 18))
        assert closure.confirmed_at == now

    def test_asks_first_about_every_booking_that_it_hits(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court))

        assert page.status_code == 200
        assert rows(page) == [(booked.pk, "", False), (later.pk, "", False)]
        content = page.content.decode()
        for text in (
            "Tue 2 Jun 2026, 10:00 – 11:00",
            "Test Owner",
            "Court One",
            "confirmed",
            "The net is torn.",
        ):
            assert text in content
        assert booked.member is not None
        assert str(booked.member.user and booked.member.user.email) in content
        assert not Closure.objects.exists()

    def test_carries_the_decisions_out(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        sent = grounds.post(self.ADD, decided(page, decisions={booked.pk: "cancel", later.pk: "keep"}))

        assert sent.status_code == 302
        assert [state_of(booked), state_of(later)] == [State.CANCELLED_CLUB, State.CONFIRMED]
        assert Closure.objects.get().confirmed_at is not None
        event = booked.events.latest("pk")
        assert (event.actor_name, event.reason) == ("Test Facilities", "The net is torn.")
        mails = Notification.objects.filter(channel="email", kind="reservation_cancelled_club")
        assert mails.get().user == booked.member.user  # type: ignore[union-attr]  # a member's

    def test_saves_nothing_while_one_is_undecided_and_keeps_what_was_ticked(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        page = grounds.post(self.ADD, decided(page, decisions={booked.pk: "cancel"}))

        assert rows(page) == [(booked.pk, "cancel", False), (later.pk, "", False)]
        assert page.context["problems"] == ["Nothing was saved: 1 booking has no decision yet."]
        assert state_of(booked) == State.CONFIRMED
        assert not Closure.objects.exists()

    def test_shows_a_booking_that_came_in_between_undecided_and_marked(
        self,
        grounds: Client,
        booked: Reservation,
        stranger: Member,
        court: Facility,
        now: datetime,
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        came = book(stranger, wish_for(court, hour=12), now=now)
        page = grounds.post(self.ADD, decided(page, decisions={booked.pk: "cancel"}))

        assert rows(page) == [(booked.pk, "cancel", False), (came.pk, "", True)]
        assert "1 booking came after this list was shown" in page.content.decode()
        assert state_of(booked) == State.CONFIRMED

    @pytest.mark.parametrize("choice", ["keep", "cancel"])
    def test_ticks_one_column_for_all_without_saving(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility, choice: str
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        page = grounds.post(self.ADD, decided(page, **{"decide-fill": choice}))

        assert rows(page) == [(booked.pk, choice, False), (later.pk, choice, False)]
        assert page.context["problems"] == []
        assert 'aria-describedby="question" novalidate' in page.content.decode()
        assert not Closure.objects.exists()

        ticked = {booked.pk: choice, later.pk: choice}
        assert grounds.post(self.ADD, decided(page, decisions=ticked)).status_code == 302
        assert {state_of(booked), state_of(later)} == {"CONFIRMED" if choice == "keep" else "CANCELLED_CLUB"}

    def test_ticks_nothing_for_a_booking_that_was_not_on_the_page(
        self, grounds: Client, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        came = book(stranger, wish_for(court, hour=12), now=now)
        page = grounds.post(self.ADD, decided(page, **{"decide-fill": "cancel"}))

        assert rows(page) == [(booked.pk, "cancel", False), (came.pk, "", True)]

    def test_takes_no_word_for_a_decision_that_is_none(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        page = grounds.post(
            self.ADD, decided(page, decisions={booked.pk: "whatever", "x": "keep"}, **{"decide-fill": "all"})
        )
        assert rows(page) == [(booked.pk, "", False)]
        page = grounds.post(self.ADD, decided(page, decisions={booked.pk: "whatever"}))
        assert rows(page) == [(booked.pk, "", False)]

    def test_offers_only_to_keep_who_is_there(
        self, grounds: Client, booked: Reservation, court: Facility, wait_until: Callable[[datetime], None]
    ) -> None:
        services.check_in(reservation=booked, by=Actor("staff", "Test"), now=at_club(2, 10))
        wait_until(at_club(2, 10, 30))

        page = grounds.post(self.ADD, closing(court, starts_at="2026-06-02T10:30"))
        assert "They are there already" in page.content.decode()
        page = grounds.post(self.ADD, decided(page, decisions={booked.pk: "cancel"}))
        assert rows(page) == [(booked.pk, "", False)]
        assert grounds.post(self.ADD, decided(page, decisions={booked.pk: "keep"})).status_code == 302

    def test_says_who_is_told_nothing(
        self, grounds: Client, booked: Reservation, court: Facility, now: datetime
    ) -> None:
        Member.objects.update(user=None)

        page = grounds.post(self.ADD, closing(court))

        assert "Has no sign-in and is not told. Call them." in page.content.decode()

    def test_lists_what_the_club_booked_for_itself_by_its_title(
        self, grounds: Client, court: Facility, now: datetime
    ) -> None:
        services.block_facility(
            facility_id=court.pk,
            interval=Interval(at_club(2, 9), at_club(2, 10)),
            type=Type.EVENT,
            title="Clinic",
            by=Actor("staff", "Test"),
            now=now,
        )
        page = grounds.post(self.ADD, closing(court))
        assert "Clinic" in page.content.decode()

    def test_can_be_left_as_a_draft_and_decided_later(
        self, grounds: Client, booked: Reservation, court: Facility, now: datetime
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        sent = grounds.post(self.ADD, decided(page, _draft="1"), follow=True)
        closure = Closure.objects.get()
        assert closure.confirmed_at is None
        assert "closes nothing yet" in " ".join(said(sent))
        assert "draft, not in force" in sent.content.decode()

        change = f"{ADMIN}/closure/{closure.pk}/change/"
        page = grounds.post(change, closing(court))
        assert rows(page) == [(booked.pk, "", False)]
        assert grounds.post(change, decided(page, decisions={booked.pk: "keep"})).status_code == 302
        closure.refresh_from_db()
        assert closure.confirmed_at == now

    def test_goes_back_to_the_form_as_it_was_filled_in(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court))
        form = grounds.post(self.ADD, decided(page, **{"decide-back": "1"}))

        assert faults(form) == ["Nothing is saved yet. Change what you like and save again."]
        assert 'value="The net is torn."' in form.content.decode()
        assert 'value="2026-06-02T08:00"' in form.content.decode()
        assert not Closure.objects.exists()

    def test_asks_about_a_change_of_one_in_force_only_what_it_hits_anew(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        page = grounds.post(self.ADD, closing(court, ends_at="2026-06-02T12:00"))
        grounds.post(self.ADD, decided(page, decisions={booked.pk: "keep"}))
        change = f"{ADMIN}/closure/{Closure.objects.get().pk}/change/"

        page = grounds.post(change, closing(court))

        assert rows(page) == [(booked.pk, "keep", False), (later.pk, "", False)]
        assert "Kept before; not told again." in page.content.decode()
        assert 'name="_draft"' not in page.content.decode()
        sent = grounds.post(change, decided(page, decisions={booked.pk: "keep", later.pk: "cancel"}))
        assert sent.status_code == 302
        assert [state_of(booked), state_of(later)] == ["CONFIRMED", "CANCELLED_CLUB"]

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"ends_at": "2026-06-02T07:00"}, "It must be later than the start. Correct one of the two."),
            ({"ends_at": "2026-05-02T07:00"}, "This is over already. Choose a later end."),
            ({"facility": ""}, "Choose either a facility or a space, not both."),
        ],
    )
    def test_says_on_the_form_what_is_wrong(
        self, grounds: Client, court: Facility, change: dict[str, Any], fault: str
    ) -> None:
        assert fault in faults(grounds.post(self.ADD, closing(court, **change)))
        assert not Closure.objects.exists()

    def test_offers_nothing_that_is_retired(self, grounds: Client, court: Facility) -> None:
        gone = make_facility("Old Court")
        Facility.objects.filter(pk=gone.pk).update(state="retired")
        Space.objects.filter(facilities=gone).update(is_retired=True)

        content = grounds.get(self.ADD).content.decode()

        assert "Court One" in content
        assert "Old Court" not in content

    def test_tells_of_a_busy_database(
        self, grounds: Client, court: Facility, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**_kwargs: object) -> None:
            cause = sqlite3.OperationalError("database is locked")
            cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError("database is locked") from cause

        monkeypatch.setattr(services, "close", busy)

        answer = grounds.post(self.ADD, closing(court))

        assert faults(answer) == ["The database is busy, and nothing was saved. Try again in a moment."]
