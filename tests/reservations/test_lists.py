"""Lists: who sees what of a household, upcoming and past, page by page; and a member's privileges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Member, PrivilegeHold, User
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Strike
from reservations.selectors.calendar import calendar_of
from reservations.selectors.lists import list_reservations
from reservations.selectors.standing import get_privileges
from reservations.services.booking import Wish
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_rooms
from tests.reservations.bookings import STAFF, actor_of, book, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
Client = Callable[[Member | User], APIClient]


def listed(member: Member, now: datetime, *, when: str | None = None, state: str | None = None) -> set[Any]:
    fresh = Member.objects.with_household().get(pk=member.pk)
    rows = list_reservations(member=fresh, when=when, state=state, now=now)
    return set(rows.values_list("pk", flat=True))


class TestVisibility:
    @pytest.fixture
    def bookings(
        self,
        owner: Member,
        spouse: Member,
        dependent: Member,
        stranger: Member,
        court: Facility,
        now: datetime,
    ) -> dict[str, int]:
        people = {"owner": owner, "spouse": spouse, "dependent": dependent, "stranger": stranger}
        return {
            name: book(member, wish_for(court, hour=8 + number), now=now).pk
            for number, (name, member) in enumerate(people.items())
        }

    def test_principal_and_spouse_see_the_households(
        self, bookings: dict[str, int], owner: Member, spouse: Member, now: datetime
    ) -> None:
        household = {bookings[name] for name in ("owner", "spouse", "dependent")}

        assert listed(owner, now) == household
        assert listed(spouse, now) == household

    def test_a_dependent_sees_their_own(
        self, bookings: dict[str, int], dependent: Member, now: datetime
    ) -> None:
        assert listed(dependent, now) == {bookings["dependent"]}

    def test_a_stranger_sees_their_own(
        self, bookings: dict[str, int], stranger: Member, now: datetime
    ) -> None:
        assert listed(stranger, now) == {bookings["stranger"]}

    def test_what_the_club_booked_for_itself_is_on_no_members_list(
        self, bookings: dict[str, int], court: Facility, owner: Member, now: datetime
    ) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court, hour=20).interval,
            type="BLOCKED",  # type: ignore[arg-type]  # the choice's value
            title="Nets",
            by=STAFF,
            now=now,
        )

        assert block.pk not in listed(owner, now)


class TestWhen:
    def test_what_ends_now_is_past_and_what_has_begun_is_upcoming(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)

        during, over = booked.ends_at - SECOND, booked.ends_at

        assert (listed(owner, during, when="upcoming"), listed(owner, during, when="past")) == (
            {booked.pk},
            set(),
        )
        assert (listed(owner, over, when="upcoming"), listed(owner, over, when="past")) == (
            set(),
            {booked.pk},
        )

    def test_one_state_at_a_time(self, owner: Member, court: Facility, now: datetime) -> None:
        kept = book(owner, wish_for(court, hour=8), now=now)
        gone = book(owner, wish_for(court, hour=9), now=now)
        services.cancel_reservation(reservation=gone, by=actor_of(owner), reason="", now=now)

        assert listed(owner, now, state="CONFIRMED") == {kept.pk}
        assert listed(owner, now, state="CANCELLED_MEMBER") == {gone.pk}
        assert listed(owner, now) == {kept.pk, gone.pk}


class TestPaging:
    """By key: a page never shows a row twice, nor passes one over, whatever is booked in between."""

    def pages(self, client: APIClient, path: str) -> list[list[str]]:
        found, url = [], path
        while url:
            data = client.get(url).json()
            found.append([row["starts_at"] for row in data["results"]])
            url = data["next"]
        return found

    def test_walks_both_ways_through_rows_of_one_time(
        self, client_of: Client, owner: Member, now: datetime
    ) -> None:
        for number in range(7):
            book(owner, wish_for(make_facility(f"Court {number}")), now=now)
        client = client_of(owner)

        first = client.get("/api/v1/reservations?when=upcoming&page_size=3").json()
        second = client.get(first["next"]).json()
        third = client.get(second["next"]).json()

        ids = [row["id"] for page in (first, second, third) for row in page["results"]]
        assert len(set(ids)) == len(ids) == 7
        assert third["next"] is None
        back = client.get(third["previous"]).json()
        assert [row["id"] for row in back["results"]] == [row["id"] for row in second["results"]]

    def test_a_booking_in_between_moves_nothing(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        for hour in (8, 10, 12, 14):
            book(owner, wish_for(court, hour=hour), now=now)
        client = client_of(owner)
        first = client.get("/api/v1/reservations?when=upcoming&page_size=2").json()

        book(owner, wish_for(court, hour=7), now=now)

        rest = client.get(first["next"]).json()["results"]
        assert [row["starts_at"] for row in rest] == ["2026-06-02T04:00:00Z", "2026-06-02T06:00:00Z"]

    def test_the_past_is_latest_first(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        for number in range(5):
            Reservation.objects.filter(pk=book(owner, wish_for(court, hour=8 + number), now=now).pk).update(
                starts_at=now - (number + 2) * DAY, ends_at=now - (number + 1) * DAY
            )

        (page,) = self.pages(client_of(owner), "/api/v1/reservations?when=past")

        assert page == sorted(page, reverse=True)
        assert len(page) == 5


class TestPrivileges:
    def test_count_each_quota_in_its_own_unit(self, owner: Member, court: Facility, now: datetime) -> None:
        make_quota("Three a week", period="week", limit=3)
        make_quota("Minutes a month", period="month", measure="minutes", kind="court", limit=200)
        make_quota("Nights a year", period="year", measure="nights", limit=10)
        make_quota("Two open", period="outstanding", limit=2)
        make_quota("One at a time", period="concurrent", limit=1)
        book(owner, wish_for(court, slots=2), now=now)
        rooms = make_rooms()
        book(owner, Wish(rooms.public_id, at_club(20, 14), at_club(23, 12)), now=now)

        found = {one.quota.name: one for one in get_privileges(member_id=owner.pk, now=now).quotas}

        used = {name: (one.used, one.left, str(one.until)) for name, one in found.items()}
        assert used == {
            "Three a week": (1, 2, "2026-06-07"),
            "Minutes a month": (120, 80, "2026-06-30"),
            "Nights a year": (3, 7, "2026-12-31"),
            "Two open": (2, 0, "None"),
        }

    def test_count_for_the_member_or_the_household(
        self, owner: Member, spouse: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("Mine", limit=5)
        make_quota("Ours", limit=5, per="household")
        book(owner, wish_for(court, day=1, hour=10), now=now)
        book(spouse, wish_for(court, day=1, hour=12), now=now)

        found = {one.quota.name: one.used for one in get_privileges(member_id=spouse.pk, now=now).quotas}

        assert found == {"Mine": 1, "Ours": 2}

    def test_leave_out_quotas_of_others_and_of_other_days(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("Tomorrow's", valid_from="2026-06-02")
        make_quota("Yesterday's", valid_until="2026-05-31")
        make_quota("Not active", is_active=False)

        assert get_privileges(member_id=owner.pk, now=now).quotas == ()

    def test_show_holds_in_force_and_strikes_that_stand(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        def hold(starts_at: datetime, until: datetime, **more: Any) -> PrivilegeHold:
            return PrivilegeHold.objects.create(
                member=owner,
                source="manual",
                scope="booking",
                reason="Unpaid.",
                starts_at=starts_at,
                until=until,
                **more,
            )

        bookings = [book(owner, wish_for(court, hour=hour), now=now) for hour in (8, 9, 10)]
        current = hold(now, now + DAY)
        hold(now - DAY, now)
        hold(now + SECOND, now + DAY)
        hold(now, now + DAY, lifted_at=now)
        recent = Strike.objects.create(member=owner, reservation=bookings[0], reason="A", at=now - DAY)
        Strike.objects.create(member=owner, reservation=bookings[1], reason="B", at=now - 366 * DAY)
        Strike.objects.create(member=owner, reservation=bookings[2], reason="C", at=now - DAY, waived_at=now)

        found = get_privileges(member_id=owner.pk, now=now)

        assert found.holds == (current,)
        assert found.strikes == (recent,)
        assert (found.standing, found.can_book) == ("good", True)


class TestCalendar:
    def test_is_one_event_with_the_times_in_utc(self, owner: Member, court: Facility, now: datetime) -> None:
        booked = book(owner, wish_for(court), now=now)

        text = calendar_of(booked, now=now).decode()

        for line in (
            "BEGIN:VEVENT",
            "DTSTART:20260602T020000Z",
            "DTEND:20260602T030000Z",
            "STATUS:CONFIRMED",
        ):
            assert line in text
        assert f"UID:{booked.public_id}@" in text

    def test_of_what_was_given_back_says_so_with_a_higher_number(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)
        gone = services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)

        text = calendar_of(gone, now=now).decode()

        assert "STATUS:CANCELLED" in text
        assert "SEQUENCE:2" in text
