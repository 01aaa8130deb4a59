"""Opening periods and holidays."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from django.test import Client

from accounts.models import Member
from facilities.models import Facility, Holiday, OpeningPeriod, OpeningSpan
from facilities.models.hours import Weekday
from reservations.admin import hours
from reservations.models import Reservation
from reservations.policies.states import State
from tests.reservations.admin_places.pages import (
    ADMIN,
    decided,
    faults,
    kept_spans,
    rows,
    said,
    spans,
    state_of,
)
from tests.reservations.bookings import book, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


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
