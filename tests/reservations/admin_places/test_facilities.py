"""Facilities and spaces: described, retired, bound to each other."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import Member
from facilities.models import Facility, ReservationPolicy, Space
from reservations import services
from reservations.models import Reservation
from tests.conftest import at_club
from tests.factories import CategoryFactory, make_facility, make_rooms, make_space, make_version
from tests.reservations.admin_places.pages import (
    ADMIN,
    decided,
    describing,
    faults,
    rows,
    said,
    state_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


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
