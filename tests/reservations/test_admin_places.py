"""Closures, hours, holidays, facilities and spaces in the back office, as staff of each group meet them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from accounts.models import Member, Notification, User
from bcc.core.actors import Actor
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility, Holiday, OpeningPeriod, OpeningSpan, ReservationPolicy, Space
from facilities.models.hours import Weekday
from reservations import services
from reservations.admin import hours
from reservations.models import Reservation
from reservations.models.reservation import Type
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import CategoryFactory, make_facility, make_rooms, make_space, make_version
from tests.reservations.bookings import book, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]

ADMIN = "/admin/facilities"
LISTS = ["closure", "facility", "holiday", "openingperiod", "space"]
READERS = {"Front Desk", "Facilities", "Ops", "Auditor"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def grounds(make_staff: Callable[[str], User]) -> Client:
    return signed_in(make_staff("Facilities"))


@pytest.fixture
def wait_until(grounds: Client, travel: time_machine.Traveller) -> Callable[[datetime], None]:
    """The clock moves on; sessions last a shift, so the browser signs in again."""

    def wait(instant: datetime) -> None:
        travel.move_to(instant)
        grounds.force_login(User.objects.get(display_name="Test Facilities"))

    return wait


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from ten to eleven."""
    return book(owner, wish_for(court), now=now)


@pytest.fixture
def later(stranger: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from two to three."""
    return book(stranger, wish_for(court, hour=14), now=now)


def closing(target: Facility | Space, **change: Any) -> dict[str, Any]:
    """What the form of a closure sends: tomorrow from eight to six."""
    return {
        "facility": target.pk if isinstance(target, Facility) else "",
        "space": target.pk if isinstance(target, Space) else "",
        "starts_at": "2026-06-02T08:00",
        "ends_at": "2026-06-02T18:00",
        "reason": "The net is torn.",
        "handling": "notify",
    } | change


def hidden(response: Any) -> dict[str, Any]:
    """What the page of decisions sends along by itself."""
    page = response.content.decode()
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def decided(response: Any, **decisions: Any) -> dict[str, Any]:
    """The page filled in: ``decided(page, decisions={booking.pk: "keep"}, reason="…")``."""
    chosen = {f"decision-{pk}": value for pk, value in decisions.pop("decisions", {}).items()}
    reason = {"decide-reason": decisions.pop("reason")} if "reason" in decisions else {}
    return hidden(response) | chosen | reason | decisions


def rows(response: Any) -> list[tuple[Any, ...]]:
    return [(row.booking.pk, row.chosen, row.is_new) for row in response.context["rows"]]


def faults(response: Any) -> list[str]:
    form = response.context["adminform"].form
    return [str(text) for texts in form.errors.values() for text in texts]


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def state_of(reservation: Reservation) -> str:
    return Reservation.objects.get(pk=reservation.pk).state


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


def in_force(target: Facility, *, now: datetime, day: int = 2) -> Closure:
    return Closure.objects.create(
        facility=target,
        starts_at=at_club(day, 8),
        ends_at=at_club(day, 18),
        reason="Works.",
        confirmed_at=now,
    )


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


class TestClosureList:
    def test_says_what_is_in_force_and_how_many_it_hits(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        in_force(court, now=now)
        in_force(court, now=now, day=1)
        Closure.objects.create(
            space=court.spaces.get(), starts_at=at_club(2, 8), ends_at=at_club(2, 12), reason="Paint."
        )

        content = grounds.get(f"{ADMIN}/closure/").content.decode()

        for text in (
            "in force from 2 Jun, 08:00",
            "closed now",
            "draft, not in force",
            "Court One and all on it",
        ):
            assert text in content
        assert re.findall(r'field-bookings_hit">([^<]+)<', content) == ["1", "2", "–"]

    @pytest.mark.parametrize(("when", "found"), [("coming", 1), ("draft", 1), ("over", 1), ("", 3)])
    def test_can_be_narrowed(
        self, grounds: Client, court: Facility, now: datetime, when: str, found: int
    ) -> None:
        in_force(court, now=now)
        Closure.objects.filter(pk=in_force(court, now=now).pk).update(confirmed_at=None)
        Closure.objects.filter(pk=in_force(court, now=now).pk).update(
            starts_at=at_club(1, 5), ends_at=at_club(1, 6)
        )
        listed = grounds.get(f"{ADMIN}/closure/", {"when": when})
        assert listed.context["cl"].result_count == found

    def test_one_that_is_over_is_history(
        self, grounds: Client, court: Facility, now: datetime, wait_until: Callable[[datetime], None]
    ) -> None:
        closure = in_force(court, now=now)
        wait_until(at_club(3, 8))
        page = f"{ADMIN}/closure/{closure.pk}/change/"

        assert 'name="_save"' not in grounds.get(page).content.decode()
        assert grounds.post(page, closing(court)).status_code == 403
        assert grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/").status_code == 403

    def test_a_draft_is_deleted_and_one_in_force_is_not(
        self, grounds: Client, court: Facility, now: datetime
    ) -> None:
        closure = in_force(court, now=now)
        page = f"{ADMIN}/closure/{closure.pk}/delete/"
        assert grounds.post(page, {"post": "yes"}).status_code == 403

        Closure.objects.update(confirmed_at=None)
        assert grounds.post(page, {"post": "yes"}).status_code == 302
        assert not Closure.objects.exists()


class TestLifting:
    def test_ends_it_now(
        self, grounds: Client, court: Facility, now: datetime, wait_until: Callable[[datetime], None]
    ) -> None:
        closure = in_force(court, now=now)
        wait_until(at_club(2, 9))
        page = f"{ADMIN}/closure/{closure.pk}/lift/"

        assert "Members can book the time again" not in grounds.get(page).content.decode()
        assert "stay cancelled" in grounds.get(page).content.decode()
        sent = grounds.post(page, follow=True)

        assert said(sent) == ["The closure was lifted. Members can book the time again."]
        assert Closure.objects.get().ends_at == at_club(2, 9)

    def test_takes_one_away_that_has_not_begun(self, grounds: Client, court: Facility, now: datetime) -> None:
        closure = in_force(court, now=now)
        assert grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/").status_code == 302
        assert not Closure.objects.exists()

    def test_has_nothing_to_do_with_a_draft(self, grounds: Client, court: Facility, now: datetime) -> None:
        closure = in_force(court, now=now)
        Closure.objects.update(confirmed_at=None)

        sent = grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/", follow=True)

        assert "not in force" in said(sent)[0]
        assert Closure.objects.exists()

    def test_finds_no_other(self, grounds: Client) -> None:
        assert grounds.get(f"{ADMIN}/closure/77/lift/").status_code == 404


def spans(*days: int, opens: str = "06:00", closes: str = "22:00") -> dict[str, Any]:
    """The rows of a new period: all eight are sent, and those without times are left out."""
    body: dict[str, Any] = {"spans-TOTAL_FORMS": 8, "spans-INITIAL_FORMS": 0}
    for day in range(8):
        times = {"opens": opens, "closes": closes} if day in days else {"opens": "", "closes": ""}
        body |= {f"spans-{day}-{name}": value for name, value in {"weekday": day, **times}.items()}
    return body


def kept_spans(period: OpeningPeriod, **times: str) -> dict[str, Any]:
    """The rows of a period as they stand, each with the given times instead."""
    rows = list(period.spans.order_by("weekday", "opens", "pk"))
    body: dict[str, Any] = {"spans-TOTAL_FORMS": len(rows), "spans-INITIAL_FORMS": len(rows)}
    for number, span in enumerate(rows):
        shown = {
            "id": span.pk,
            "period": period.pk,
            "weekday": span.weekday,
            "opens": f"{span.opens:%H:%M}",
            "closes": f"{span.closes:%H:%M}",
        }
        body |= {f"spans-{number}-{name}": value for name, value in (shown | times).items()}
    return body


class TestOpeningPeriods:
    def body(self, **change: Any) -> dict[str, Any]:
        return {
            "name": "All year",
            "starts_on": "2020-01-01",
            "ends_on": "",
            "priority": 0,
            "override": "on",
        } | change

    def works(self, court: Facility, **change: Any) -> dict[str, Any]:
        """A period over tomorrow that opens nothing."""
        dates = {"starts_on": "2026-06-02", "ends_on": "2026-06-02"}
        return self.body(facility=court.pk, name="Works", priority=5, **dates) | spans() | change

    def test_a_new_one_begins_with_a_row_for_each_day(self, grounds: Client, court: Facility) -> None:
        page = grounds.get(f"{ADMIN}/openingperiod/add/")
        formset = page.context["inline_admin_formsets"][0].formset
        assert [form.initial["weekday"] for form in formset.forms] == list(range(8))

    def test_are_written_with_the_rows_that_have_times(self, grounds: Client, court: Facility) -> None:
        season = self.body(facility=court.pk, name="Season", starts_on="2026-07-01", priority=5)
        sent = grounds.post(f"{ADMIN}/openingperiod/add/", season | spans(5, 6, closes="18:00"))

        assert sent.status_code == 302
        period = OpeningPeriod.objects.get(name="Season")
        assert [(span.weekday, span.closes) for span in period.spans.order_by("weekday")] == [
            (5, time(18)),
            (6, time(18)),
        ]

    def test_ask_about_what_they_leave_outside(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        period = court.opening_periods.get()
        page = f"{ADMIN}/openingperiod/{period.pk}/change/"
        asked = grounds.post(page, self.body() | kept_spans(period, closes="12:00"))
        assert rows(asked) == [(later.pk, "", False)]
        assert not OpeningSpan.objects.filter(closes=time(12)).exists()

        sent = grounds.post(page, decided(asked, decisions={later.pk: "cancel"}, reason="It closes at noon."))

        assert sent.status_code == 302
        assert OpeningSpan.objects.filter(closes=time(12)).count() == 7
        assert state_of(later) == State.CANCELLED_CLUB
        event = later.events.latest("pk")
        assert (event.actor_name, event.reason) == ("Test Facilities", "It closes at noon.")

    def test_ask_for_the_reason_that_members_read(
        self, grounds: Client, later: Reservation, court: Facility
    ) -> None:
        period = court.opening_periods.get()
        page = f"{ADMIN}/openingperiod/{period.pk}/change/"
        asked = grounds.post(page, self.body() | kept_spans(period, closes="12:00"))
        asked = grounds.post(page, decided(asked, decisions={later.pk: "cancel"}, reason=" "))

        assert asked.context["reason"].errors
        assert "members need a reason" in asked.context["problems"][0]
        assert rows(asked) == [(later.pk, "cancel", False)]
        assert state_of(later) == State.CONFIRMED

    def test_ask_when_a_new_one_closes_a_day(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        add = f"{ADMIN}/openingperiod/add/"
        asked = grounds.post(add, self.works(court))
        assert rows(asked) == [(booked.pk, "", False), (later.pk, "", False)]
        assert not OpeningPeriod.objects.filter(name="Works").exists()

        ticked = {booked.pk: "keep", later.pk: "cancel"}
        assert grounds.post(add, decided(asked, decisions=ticked, reason="Works.")).status_code == 302
        assert OpeningPeriod.objects.get(name="Works").spans.count() == 0
        assert [state_of(booked), state_of(later)] == ["CONFIRMED", "CANCELLED_CLUB"]

    def test_ask_when_one_is_deleted(self, grounds: Client, booked: Reservation, court: Facility) -> None:
        page = f"{ADMIN}/openingperiod/{court.opening_periods.get().pk}/delete/"
        asked = grounds.post(page, {"post": "yes"})
        assert rows(asked) == [(booked.pk, "", False)]
        assert court.opening_periods.exists()

        sent = grounds.post(page, decided(asked, decisions={booked.pk: "keep"}, reason="Closed for good."))
        assert sent.status_code == 302
        assert not court.opening_periods.exists()

    def test_refuse_hours_that_do_not_fall_on_the_cells_and_say_why(
        self, grounds: Client, court: Facility
    ) -> None:
        period = court.opening_periods.get()
        page = f"{ADMIN}/openingperiod/{period.pk}/change/"
        refused = grounds.post(page, self.body() | kept_spans(period, opens="06:10"))

        assert faults(refused) == [
            (
                "Court One has cells of 15 minutes, and slots from 06:10 on do not start on them. "
                "Change the hours, or the grid of the space."
            )
        ]
        assert OpeningSpan.objects.filter(opens=time(6)).count() == 7

    def test_refuse_a_day_that_ends_before_it_begins(self, grounds: Client, court: Facility) -> None:
        add = f"{ADMIN}/openingperiod/add/"
        body = self.body(facility=court.pk, starts_on="2026-07-01") | spans(0, opens="10:00", closes="02:00")
        assert "Tick the box if it closes on the next day." in grounds.post(add, body).content.decode()

    def test_are_listed_by_week(self, grounds: Client, court: Facility) -> None:
        period = court.opening_periods.get()
        OpeningSpan.objects.filter(period=period, weekday__in=[5, 6]).update(closes=time(18))
        OpeningSpan.objects.filter(period=period, weekday=2).delete()
        OpeningSpan.objects.create(period=period, weekday=Weekday.HOLIDAY, opens=time(9), closes=time(18))
        OpeningSpan.objects.create(period=period, weekday=6, opens=time(19), closes=time(21))
        OpeningPeriod.objects.create(
            facility=court, name="Works", starts_on=date(2026, 6, 2), ends_on=date(2026, 6, 3)
        )

        assert hours.week_of(period) == [
            ("Monday – Tuesday", "06:00–22:00"),
            ("Thursday – Friday", "06:00–22:00"),
            ("Saturday", "06:00–18:00"),
            ("Sunday", "06:00–18:00, 19:00–21:00"),
            ("holiday", "09:00–18:00"),
        ]
        content = grounds.get(f"{ADMIN}/openingperiod/").content.decode()
        for text in (
            "Monday – Tuesday: 06:00–22:00",
            "from 1 Jan 2020 on",
            "2 Jun 2026 – 3 Jun 2026",
            "closed",
        ):
            assert text in content

    @pytest.mark.parametrize(("dates", "found"), [("now", 1), ("coming", 2), ("over", 1), ("", 3)])
    def test_can_be_narrowed(self, grounds: Client, court: Facility, dates: str, found: int) -> None:
        for year in (2025, 2027):
            OpeningPeriod.objects.create(
                facility=court, name="Works", starts_on=date(year, 6, 2), ends_on=date(year, 6, 3)
            )
        listed = grounds.get(f"{ADMIN}/openingperiod/", {"dates": dates})
        assert listed.context["cl"].result_count == found


class TestHolidays:
    @pytest.fixture
    def short_holidays(self, court: Facility) -> Facility:
        """On holidays the court closes at noon."""
        OpeningSpan.objects.create(
            period=court.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(6), closes=time(12)
        )
        return court

    @pytest.fixture
    def holiday(self) -> Holiday:
        return Holiday.objects.create(on=date(2026, 6, 2), name="Test Day")

    def test_confirming_asks_about_what_the_hours_of_holidays_leave_outside(
        self, grounds: Client, later: Reservation, short_holidays: Facility, holiday: Holiday
    ) -> None:
        page = f"{ADMIN}/holiday/{holiday.pk}/change/"
        body = {"on": "2026-06-02", "name": "Test Day", "is_confirmed": "on"}
        asked = grounds.post(page, body)
        assert rows(asked) == [(later.pk, "", False)]
        assert "Tue 2 Jun 2026: Test Day" in asked.content.decode()

        sent = grounds.post(page, decided(asked, decisions={later.pk: "cancel"}, reason="It is Test Day."))

        assert sent.status_code == 302
        assert Holiday.objects.get().is_confirmed
        assert state_of(later) == State.CANCELLED_CLUB

    def test_several_are_confirmed_at_once(
        self, grounds: Client, later: Reservation, short_holidays: Facility, holiday: Holiday
    ) -> None:
        Holiday.objects.create(on=date(2026, 6, 12), name="Another Day")
        body = {"action": "confirm", "_selected_action": list(Holiday.objects.values_list("pk", flat=True))}
        asked = grounds.post(f"{ADMIN}/holiday/", body)
        assert rows(asked) == [(later.pk, "", False)]
        assert not Holiday.objects.filter(is_confirmed=True).exists()

        answer = decided(asked, decisions={later.pk: "keep"}, reason="It is Test Day.")
        # The page carries both rows under one name.
        answer["_selected_action"] = body["_selected_action"]
        sent = grounds.post(f"{ADMIN}/holiday/", answer, follow=True)

        assert "2 holidays were confirmed." in said(sent)
        assert Holiday.objects.filter(is_confirmed=True).count() == 2

    def test_ask_nothing_where_no_hours_are_for_holidays(
        self, grounds: Client, later: Reservation, court: Facility, holiday: Holiday
    ) -> None:
        body = {"action": "confirm", "_selected_action": [holiday.pk]}
        sent = grounds.post(f"{ADMIN}/holiday/", body, follow=True)
        assert said(sent) == ["1 holiday was confirmed."]

    def test_taking_one_away_asks_too(
        self, grounds: Client, owner: Member, court: Facility, holiday: Holiday, now: datetime
    ) -> None:
        """On holidays it is open longer than usual."""
        OpeningSpan.objects.create(
            period=court.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(5), closes=time(22)
        )
        holiday.is_confirmed = True
        holiday.save()
        early = book(owner, wish_for(court, hour=5), now=now)

        asked = grounds.post(f"{ADMIN}/holiday/{holiday.pk}/delete/", {"post": "yes"})

        assert rows(asked) == [(early.pk, "", False)]
        assert Holiday.objects.exists()

    def test_are_listed_with_their_day(self, grounds: Client, holiday: Holiday) -> None:
        Holiday.objects.create(on=date(2026, 6, 12), name="Another Day", is_confirmed=True)
        content = grounds.get(f"{ADMIN}/holiday/").content.decode()
        for text in ("Tuesday", "not yet, so it does not count", "Friday"):
            assert text in content
        assert "delete_selected" not in content


def describing(facility: Facility, *spaces: Space, **change: Any) -> dict[str, Any]:
    """What the form of a facility sends, with exactly these spaces (its own unless given)."""
    links = list(facility.facility_spaces.order_by("pk")) if facility.pk else []
    body: dict[str, Any] = {
        "facility_spaces-TOTAL_FORMS": max(len(links), len(spaces)),
        "facility_spaces-INITIAL_FORMS": len(links),
    }
    chosen = [space.pk for space in spaces] or [link.space_id for link in links]
    for number, space_id in enumerate(chosen):
        body |= {
            f"facility_spaces-{number}-space": space_id,
            f"facility_spaces-{number}-facility": facility.pk,
        }
        if number < len(links):
            body[f"facility_spaces-{number}-id"] = links[number].pk
    return body | {
        "name": facility.name,
        "code": facility.code,
        "kind": facility.kind,
        "takes": facility.takes,
        "position": facility.position,
        "state": facility.state,
    } | change  # fmt: skip


class TestFacilities:
    def page(self, facility: Facility) -> str:
        return f"{ADMIN}/facility/{facility.pk}/change/"

    def test_are_described_while_bookings_come(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        sent = grounds.post(self.page(court), describing(court, description="Clay.", publish_from="soon"))
        assert sent.status_code == 200  # no date
        assert grounds.post(self.page(court), describing(court, description="Clay.")).status_code == 302
        assert Facility.objects.get().description == "Clay."

    def test_are_made_with_their_spaces(self, grounds: Client) -> None:
        space = make_space("New space")
        made = Facility(name="New Court", code="new-court", kind="court")
        body = describing(made, space) | {"facility_spaces-0-facility": ""}
        assert grounds.post(f"{ADMIN}/facility/add/", body).status_code == 302
        assert Facility.objects.get().spaces.get() == space

    def test_keep_their_spaces_while_bookings_come_and_say_whose(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        refused = grounds.post(
            self.page(court), describing(court, make_space("Elsewhere"), description="Clay.")
        )

        assert faults(refused) == [
            "Court One has bookings until 2 June 2026, 11:00 (Test Owner). Move them, or wait until then."
        ]
        assert court.spaces.get().name == "Court One"
        assert Facility.objects.get().description == ""

    def test_change_their_spaces_when_nobody_is_to_come(self, grounds: Client, court: Facility) -> None:
        assert grounds.post(self.page(court), describing(court, make_space("Elsewhere"))).status_code == 302
        assert court.spaces.get().name == "Elsewhere"

    def test_refuse_spaces_that_their_slots_do_not_fall_on(self, grounds: Client) -> None:
        squash = make_facility("Squash", terms={"slot_minutes": 45})
        refused = grounds.post(self.page(squash), describing(squash, make_space("Half hours", grid=30)))
        assert "slots of 45 minutes do not end on them" in faults(refused)[0]

    def test_refuse_a_kind_whose_policy_does_not_fit(self, grounds: Client, court: Facility) -> None:
        make_version(ReservationPolicy.objects.create(name="Lanes", kind="lane"), slot_minutes=20)
        refused = grounds.post(self.page(court), describing(court, kind="lane"))
        assert "slots of 20 minutes do not end on them" in faults(refused)[0]
        assert Facility.objects.get().kind == "court"

    def test_are_not_retired_by_the_form(self, grounds: Client, court: Facility) -> None:
        refused = grounds.post(self.page(court), describing(court, state="retired"))
        assert "state" in refused.context["adminform"].form.errors

    def test_show_the_rules_in_force_and_the_way_to_the_rest(
        self, grounds: Client, court: Facility, owner: Member
    ) -> None:
        seniors = ReservationPolicy.objects.create(
            name="Seniors", facility=court, category=CategoryFactory.create(code="senior", name="Senior")
        )
        make_version(seniors, open_days_ahead=9)

        content = grounds.get(self.page(court)).content.decode()

        assert "Court One policy, version 1" in content
        assert "Seniors, version 1 (Senior)" in content
        assert "9 days ahead" in content
        for model in ("openingperiod", "closure"):
            assert f"{ADMIN}/{model}/?facility__id__exact={court.pk}" in content
        assert f"{ADMIN}/reservationpolicy/{seniors.pk}/change/" in content
        assert "/admin/reservations/today/?kind=court" in content
        assert f"{ADMIN}/facility/{court.pk}/retire/" in content

    def test_say_that_nobody_can_book_without_a_policy(self, grounds: Client) -> None:
        bare = Facility.objects.create(name="Bare", code="bare", kind="court")
        assert "members cannot book" in grounds.get(self.page(bare)).content.decode()
        assert "none: nobody can book" in grounds.get(f"{ADMIN}/facility/").content.decode()

    def test_say_when_they_are_not_shown(self, grounds: Client, court: Facility) -> None:
        Facility.objects.update(publish_from=at_club(9, 8))
        assert "published, not shown at this time" in grounds.get(f"{ADMIN}/facility/").content.decode()

    def test_stay_in_the_books_with_bookings(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        sent = grounds.post(f"{ADMIN}/facility/{court.pk}/delete/", {"post": "yes"}, follow=True)
        assert said(sent) == ["Court One has bookings, past ones too, so it stays in the books. Retire it."]
        assert Facility.objects.exists()

    def test_stay_with_a_policy_and_go_without_either(self, grounds: Client, court: Facility) -> None:
        page = f"{ADMIN}/facility/{court.pk}/delete/"
        assert "a policy of its own" in said(grounds.post(page, {"post": "yes"}, follow=True))[0]

        bare = Facility.objects.create(name="Bare", code="bare", kind="court")
        assert grounds.post(f"{ADMIN}/facility/{bare.pk}/delete/", {"post": "yes"}).status_code == 302
        assert list(Facility.objects.all()) == [court]


class TestRetiring:
    def test_asks_about_every_coming_booking(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility
    ) -> None:
        page = f"{ADMIN}/facility/{court.pk}/retire/"
        asked = grounds.get(page)
        assert rows(asked) == [(booked.pk, "", False), (later.pk, "", False)]

        asked = grounds.post(page, decided(asked, decisions={booked.pk: "cancel"}, reason="Built over."))
        assert rows(asked) == [(booked.pk, "cancel", False), (later.pk, "", False)]
        assert Facility.objects.get().state == "published"

        asked = grounds.post(page, decided(asked, **{"decide-fill": "cancel"}))
        assert rows(asked) == [(booked.pk, "cancel", False), (later.pk, "cancel", False)]
        assert Facility.objects.get().state == "published"

        ticked = {booked.pk: "cancel", later.pk: "keep"}
        sent = grounds.post(page, decided(asked, decisions=ticked, reason="Built over."), follow=True)
        assert said(sent) == ["Court One is retired. Its bookings stay in the books."]
        assert Facility.objects.get().state == "retired"
        assert [state_of(booked), state_of(later)] == ["CANCELLED_CLUB", "CONFIRMED"]
        assert "/retire/" not in sent.content.decode()
        assert "Choose another state to bring it back." in sent.content.decode()

    def test_needs_no_word_where_nobody_is_to_come(self, grounds: Client, court: Facility) -> None:
        page = f"{ADMIN}/facility/{court.pk}/retire/"
        assert "Nobody has a coming booking." in grounds.get(page).content.decode()
        assert grounds.post(page).status_code == 302
        assert Facility.objects.get().state == "retired"
        assert said(grounds.get(page, follow=True))[-1] == "It is retired already."

    def test_tells_of_a_busy_database(
        self, grounds: Client, court: Facility, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**_kwargs: object) -> None:
            cause = sqlite3.OperationalError("database is locked")
            cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError("database is locked") from cause

        monkeypatch.setattr(services, "retire_facility", busy)
        answer = grounds.post(f"{ADMIN}/facility/{court.pk}/retire/")
        assert said(answer) == ["The database is busy, and nothing was saved. Try again in a moment."]

    def test_finds_no_other(self, grounds: Client) -> None:
        assert grounds.get(f"{ADMIN}/facility/77/retire/").status_code == 404


class TestSpaces:
    def body(self, space: Space, **change: Any) -> dict[str, Any]:
        return {
            "name": space.name, "code": space.code, "grid": space.grid, "lanes": space.lanes,
            "check_in_at": "14:00", "check_out_at": "12:00",
        } | change  # fmt: skip

    @pytest.mark.parametrize("change", [{"grid": 30}, {"lanes": 2}, {"is_retired": "on"}])
    def test_keep_what_bookings_rest_on_and_say_which(
        self, grounds: Client, booked: Reservation, court: Facility, change: dict[str, Any]
    ) -> None:
        space = court.spaces.get()
        refused = grounds.post(f"{ADMIN}/space/{space.pk}/change/", self.body(space, **change))

        assert faults(refused) == [
            "Court One is booked until 2 June 2026, 11:00 (Court One, Test Owner). Move the bookings or wait."
        ]
        again = Space.objects.get()
        assert (again.grid, again.lanes, again.is_retired) == (15, 1, False)

    def test_change_when_nobody_is_to_come(self, grounds: Client, court: Facility) -> None:
        space = court.spaces.get()
        sent = grounds.post(f"{ADMIN}/space/{space.pk}/change/", self.body(space, lanes=2, name="Two courts"))
        assert sent.status_code == 302
        assert (Space.objects.get().lanes, Space.objects.get().name) == (2, "Two courts")

    def test_are_made(self, grounds: Client) -> None:
        body = self.body(Space(name="New", code="new", grid=0, lanes=12))
        assert grounds.post(f"{ADMIN}/space/add/", body).status_code == 302
        assert Space.objects.get().is_nightly

    def test_are_not_retired_under_a_facility(self, grounds: Client, court: Facility) -> None:
        space = court.spaces.get()
        refused = grounds.post(f"{ADMIN}/space/{space.pk}/change/", self.body(space, is_retired="on"))
        assert "is used by Court One" in faults(refused)[0]

    def test_stay_while_a_facility_uses_them_and_while_booked(
        self, grounds: Client, booked: Reservation, court: Facility
    ) -> None:
        space = court.spaces.get()
        page = f"{ADMIN}/space/{space.pk}/delete/"
        assert "is used by Court One" in said(grounds.post(page, {"post": "yes"}, follow=True))[0]
        court.facility_spaces.all().delete()
        assert "is booked" in said(grounds.post(page, {"post": "yes"}, follow=True))[0]
        unused = make_space("Unused")
        assert grounds.post(f"{ADMIN}/space/{unused.pk}/delete/", {"post": "yes"}).status_code == 302

    def test_are_listed_with_who_uses_them(self, grounds: Client, court: Facility) -> None:
        make_rooms()
        content = grounds.get(f"{ADMIN}/space/").content.decode()
        assert "Garden Room" in content
        assert "one night" in content
