"""Lists, availability and privileges over the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Member
from bcc.core import transactions
from facilities.models import Closure, Facility, PolicyVersion, Space
from reservations.models import Reservation, SlotClaim
from reservations.selectors import open_days
from tests.conftest import at_club
from tests.factories import MemberFactory, make_facility, make_quota
from tests.reservations.api.calls import RESERVATIONS, RULEBOOK_QUERIES, Body, Client, fresh_credentials, post

pytestmark = pytest.mark.django_db


class TestList:
    def test_pages_by_key_in_three_queries_however_many(
        self, client_of: Client, owner: Member, court: Facility, now: datetime, body_of: Body
    ) -> None:
        client = client_of(owner)
        post(client, RESERVATIONS, body_of(hour=6))
        client.get(RESERVATIONS)
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(f"{RESERVATIONS}?when=upcoming")
        for hour in range(7, 22):
            post(client, RESERVATIONS, body_of(hour=hour))

        with CaptureQueriesContext(connection) as many:
            page = client.get(f"{RESERVATIONS}?when=upcoming&page_size=10").json()

        assert len(many) == len(few) <= 3
        assert len(page["results"]) == 10
        rest = client.get(page["next"]).json()
        assert len(rest["results"]) == 6
        starts = [row["starts_at"] for row in page["results"] + rest["results"]]
        assert starts == sorted(starts)

    def test_past_and_upcoming_are_apart(
        self, client_of: Client, owner: Member, body_of: Body, travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), RESERVATIONS, body_of(day=2))
        post(client_of(owner), RESERVATIONS, body_of(day=4))
        travel.move_to(at_club(3, 12))
        client = APIClient()
        client.credentials(**fresh_credentials(owner, at_club(3, 12)))

        past = client.get(f"{RESERVATIONS}?when=past").json()["results"]
        upcoming = client.get(f"{RESERVATIONS}?when=upcoming").json()["results"]

        assert [row["starts_at"][:10] for row in past] == ["2026-06-02"]
        assert [row["starts_at"][:10] for row in upcoming] == ["2026-06-04"]

    @pytest.mark.parametrize("query", ["when=soon", "state=held", "sort=asc", "page_size=0", "cursor=abc"])
    def test_refuses_parameters_that_are_no_values(
        self, client_of: Client, owner: Member, query: str
    ) -> None:
        response = client_of(owner).get(f"{RESERVATIONS}?{query}")

        assert response.status_code == 400
        assert query.split("=")[0] in response.json()["errors"]


class TestAvailability:
    def path(self, facility: Facility, query: str = "from=2026-06-02&to=2026-06-08") -> str:
        return f"/api/v1/facilities/{facility.public_id}/availability?{query}"

    def slot(self, client: APIClient, facility: Facility, *, day: int = 2, hour: int = 10) -> dict[str, Any]:
        wanted = at_club(day, hour).strftime("%Y-%m-%dT%H:%M:%SZ")
        days = client.get(self.path(facility)).json()["days"]
        found: dict[str, Any] = next(
            slot for one in days for slot in one["slots"] if slot["starts_at"] == wanted
        )
        return found

    def test_shows_a_week_of_slots_with_reasons(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        data = client_of(owner).get(self.path(court)).json()

        assert [len(day["slots"]) for day in data["days"]] == [16] * 7
        assert {slot["state"] for slot in data["days"][0]["slots"]} == {"free"}
        assert data["days"][6]["slots"][0]["state"] == "free"

    def test_a_booking_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, stranger: Member, court: Facility, body_of: Body
    ) -> None:
        assert self.slot(client_of(stranger), court)["state"] == "free"
        post(client_of(owner), RESERVATIONS, body_of())

        slot = self.slot(client_of(stranger), court)

        assert (slot["state"], slot["left"]) == ("taken", 0)
        assert [reason["code"] for reason in slot["reasons"]] == ["slot_taken"]

    def test_a_closure_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        client = client_of(owner)
        self.slot(client, court)
        Closure.objects.create(
            facility=court,
            starts_at=at_club(2, 9),
            ends_at=at_club(2, 12),
            reason="Resurfacing.",
            confirmed_at=now,
        )

        assert self.slot(client, court)["state"] == "closed"

    def test_a_policy_edit_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        client = client_of(owner)
        self.slot(client, court)
        policy = court.policies.get()
        PolicyVersion.objects.create(policy=policy, number=2, published_at=now, open_days_ahead=0)

        slot = self.slot(client, court)

        assert slot["state"] == "refused"
        assert slot["reasons"][0]["code"] == "not_yet_released"

    def test_an_expired_hold_shows_in_the_next_answer(
        self,
        client_of: Client,
        owner: Member,
        stranger: Member,
        body_of: Body,
        travel: time_machine.Traveller,
    ) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 5})
        post(client_of(owner), RESERVATIONS, body_of(court))
        client = client_of(stranger)
        assert self.slot(client, court)["state"] == "taken"

        travel.shift(timedelta(minutes=5))

        assert self.slot(client, court)["state"] == "free"

    def test_differs_where_the_members_quotas_do(
        self, client_of: Client, owner: Member, stranger: Member, court: Facility, body_of: Body
    ) -> None:
        make_quota("One a day", limit=1)
        post(client_of(owner), RESERVATIONS, body_of(hour=8))

        assert self.slot(client_of(owner), court)["reasons"][0]["code"] == "quota_exceeded"
        assert self.slot(client_of(stranger), court)["state"] == "free"

    def test_answers_in_four_queries_with_nothing_and_with_two_thousand_bookings(
        self, client_of: Client, owner: Member, now: datetime
    ) -> None:
        lanes = make_facility("Lanes", kind="class", lanes=20, terms={"open_days_ahead": 30})
        client = client_of(owner)
        cold, _data = self.counted(client, lanes)
        kept, _data = self.counted(client, lanes)
        open_days.forget()
        warm, _data = self.counted(client, lanes)
        self.fill(lanes, now)
        # Once a second a process asks whether anybody's session ended; not in the measured request.
        self.counted(client, make_facility("Another"))

        full, data = self.counted(client, lanes)

        assert max(warm, full) <= 4
        assert warm == full
        assert cold <= 4 + RULEBOOK_QUERIES
        assert kept == self.counted(client, lanes)[0] == 2
        assert {slot["left"] for slot in data["days"][0]["slots"]} == {2}

    def counted(self, client: APIClient, facility: Facility) -> tuple[int, Any]:
        """How many queries one answer takes, and the answer."""
        seen: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = client.get(self.path(facility))
        assert response.status_code == 200
        return len(seen), response.json()

    def fill(self, lanes: Facility, now: datetime) -> None:
        """2,016 bookings: eighteen in each of the sixteen hours of seven days."""
        version = lanes.policies.get().versions.get()
        members = [MemberFactory.create() for _number in range(18)]
        rows = [
            Reservation(
                facility=lanes,
                member=member,
                membership=member.membership,
                policy_version=version,
                state="CONFIRMED",
                starts_at=at_club(day, hour),
                ends_at=at_club(day, hour) + timedelta(hours=1),
                starts_on=date(2026, 6, day),
                created_at=now,
            )
            for day in range(2, 9)
            for hour in range(6, 22)
            for member in members
        ]
        Reservation.objects.bulk_create(rows)
        space = lanes.spaces.get()
        transactions.lock_rows(Space, [space.pk])  # as whoever takes something of it does
        SlotClaim.objects.bulk_create(
            SlotClaim(
                space=space,
                cell_start=row.starts_at + timedelta(minutes=15 * n),
                lane=index % 18,
                reservation=row,
            )
            for index, row in enumerate(rows)
            for n in range(4)
        )

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=2026-02-30", "from"),
            ("from=2026-06-08&to=2026-06-02", "to"),
            ("from=2026-06-01&to=2026-12-31", "to"),
            ("party=0", "party"),
            ("days=7", "days"),
        ],
    )
    def test_bad_input_names_the_parameter(
        self, client_of: Client, owner: Member, court: Facility, query: str, field: str
    ) -> None:
        response = client_of(owner).get(self.path(court, query))

        assert response.status_code == 400
        assert field in response.json()["errors"]

    def test_an_unchanged_answer_is_a_304(self, client_of: Client, owner: Member, court: Facility) -> None:
        client = client_of(owner)
        tag = client.get(self.path(court))["ETag"]

        assert client.get(self.path(court), headers={"If-None-Match": tag}).status_code == 304


class TestPrivileges:
    def test_says_what_is_left(
        self, client_of: Client, owner: Member, body_of: Body, travel: time_machine.Traveller
    ) -> None:
        make_quota("Two a week", period="week", limit=2)
        post(client_of(owner), RESERVATIONS, body_of())

        data = client_of(owner).get("/api/v1/me/privileges").json()

        quota = data["quotas"][0]
        assert (quota["used"], quota["left"], quota["until"]) == (1, 1, "2026-06-07")
