"""Quote and create over the API."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Member
from bcc.core import nudges
from facilities.models import Facility
from reservations.models import Guest, Reservation
from tests.conftest import at_club
from tests.factories import make_facility, make_quota
from tests.reservations.api.calls import RESERVATIONS, Body, Client, post

pytestmark = pytest.mark.django_db


class TestCreate:
    def test_answers_with_the_whole_reservation(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        response = post(client_of(owner), RESERVATIONS, body_of(party=2, notes="Rackets, please."))

        assert response.status_code == 201, response.content
        data = response.json()
        assert data["state"] == "CONFIRMED"
        assert data["starts_at"] == "2026-06-02T02:00:00Z"
        assert [one["kind"] for one in data["participants"]] == ["member", "tbd"]
        assert data["member"]["member_no"] == owner.member_no

    def test_a_slot_that_is_only_taken_is_a_conflict_with_alternatives(
        self, client_of: Client, owner: Member, stranger: Member, body_of: Body
    ) -> None:
        post(client_of(owner), RESERVATIONS, body_of())

        response = post(client_of(stranger), RESERVATIONS, body_of())

        assert (response.status_code, response.json()["code"]) == (409, "slot_taken")
        alternative = response.json()["alternatives"][0]
        retry = {key: alternative[key] for key in ("facility", "starts_at", "ends_at")}
        assert post(client_of(stranger), RESERVATIONS, retry).status_code == 201

    def test_a_refusal_names_every_rule_with_limit_and_count(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        make_quota("One a day", limit=1)
        client = client_of(owner)
        post(client, RESERVATIONS, body_of(hour=10))

        response = post(client, RESERVATIONS, body_of(hour=12, party=9))

        assert response.status_code == 422
        rules = {rule["code"]: rule for rule in response.json()["rules"]}
        assert set(rules) == {"quota_exceeded", "party_size"}
        assert (rules["quota_exceeded"]["limit"], rules["quota_exceeded"]["current"]) == (1, 1)

    def test_the_same_key_replays_the_reply(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client, key = client_of(owner), str(uuid4())

        first = post(client, RESERVATIONS, body_of(), **{"Idempotency-Key": key})
        second = post(client, RESERVATIONS, body_of(), **{"Idempotency-Key": key})

        assert first.content == second.content
        assert second["Idempotency-Replayed"] == "true"
        assert Reservation.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"starts_at": "2026-06-02T10:00:00"}, "starts_at"),
            ({"starts_at": "2026-02-30T10:00:00Z"}, "starts_at"),
            ({"ends_at": "2025-02-29T10:00:00Z"}, "ends_at"),
            ({"ends_at": "2026-06-02T02:00:00Z"}, "ends_at"),
            ({"facility": "court"}, "facility"),
            ({"facility": 7}, "facility"),
            ({"party": 0}, "party"),
            ({"party": "two"}, "party"),
            ({"party": 10**12}, "party"),
            ({"notes": "a\x00b"}, "notes"),
            ({"participants": [{"guest_name": "A", "member": str(uuid4())}]}, "participants"),
            ({"participants": "all"}, "participants"),
            ({"state": "CONFIRMED"}, "state"),
        ],
    )
    def test_bad_input_names_the_field(
        self, client_of: Client, owner: Member, body_of: Body, change: dict[str, Any], field: str
    ) -> None:
        response = post(client_of(owner), RESERVATIONS, {**body_of(), **change})

        assert response.status_code == 400, response.content
        assert response["Content-Type"] == "application/problem+json"
        assert any(name.startswith(field) for name in response.json()["errors"])

    def test_midnight_at_the_club_belongs_to_its_own_day(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        late = make_facility("Night Court", closes=time(2), next_day=True)
        make_quota("One a day", limit=1)
        client = client_of(owner)
        body = body_of(late, day=2, hour=23)
        after = {**body, "starts_at": body["ends_at"], "ends_at": at_club(3, 1).isoformat()}

        assert post(client, RESERVATIONS, body).status_code == 201
        assert post(client, RESERVATIONS, after).status_code == 201
        assert sorted(str(row.starts_on) for row in Reservation.objects.all()) == ["2026-06-02", "2026-06-03"]

    def test_a_draft_facility_is_not_there(
        self, client_of: Client, owner: Member, court: Facility, body_of: Body
    ) -> None:
        body = body_of()
        court.state = "draft"
        court.save()

        assert post(client_of(owner), RESERVATIONS, body).status_code == 404


class TestReply:
    @pytest.mark.parametrize("hold", [None, 10])
    def test_is_what_a_look_at_it_says(
        self, client_of: Client, owner: Member, stranger: Member, body_of: Body, hold: int | None
    ) -> None:
        """The reply is made of what the booking knows; a look reads the rows."""
        hall = make_facility(
            "Party Hall",
            kind="hall",
            lanes=2,
            terms={"party_max": 9, "guests_max": 4, "hold_minutes": hold, "cancellation_cutoff_minutes": 90},
        )
        client = client_of(owner)
        people = [{"member": str(stranger.public_id)}, {"guest_name": "Test Guest"}]
        for body in (
            body_of(hall, hour=9),
            body_of(hall, hour=10, party=6, participants=people, notes="Ärger"),
            body_of(hall, hour=11, party=3, participants=people),
        ):
            booked = post(client, RESERVATIONS, body)
            assert booked.status_code == 201, booked.json()
            assert booked.content == client.get(f"{RESERVATIONS}/{booked.json()['id']}").content
            assert booked.json()["state"] == ("HELD" if hold else "CONFIRMED")


# On PostgreSQL claims, people, event and notices are one statement: three less.
TOGETHER = 3 if connection.vendor == "postgresql" else 0


@pytest.mark.engine
class TestStatements:
    """With BEGIN and COMMIT. Each is a round trip to the database, in the time that the locks are held."""

    @pytest.fixture(autouse=True)
    def no_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In the tests the worker's task runs at once, in the request."""
        monkeypatch.setattr(nudges, "task", lambda nudge: True)

    @pytest.mark.django_db(transaction=True)
    def test_of_a_booking_are_twelve_where_inserts_leave_together(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        court = make_facility("Counted Court")
        assert self.counted(client_of(owner), body_of, court, key=True) == 15 - TOGETHER
        assert self.counted(client_of(owner), body_of, court, key=False) == 13 - TOGETHER

    @pytest.mark.django_db(transaction=True)
    def test_of_a_place_with_lanes_are_one_more(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        pool = make_facility("Counted Pool", kind="class", lanes=5)
        assert self.counted(client_of(owner), body_of, pool, key=True) == 16 - TOGETHER

    def counted(self, client: APIClient, body_of: Body, facility: Facility, *, key: bool) -> int:
        headers = {"Idempotency-Key": str(uuid4())} if key else {}
        # The first of a process reads the rules, and who it is.
        assert post(client, RESERVATIONS, body_of(facility, hour=7 + key)).status_code == 201
        with CaptureQueriesContext(connection) as said:
            booked = post(client, RESERVATIONS, body_of(facility, hour=10 + key), **headers)
        assert booked.status_code == 201
        return len(said)


class TestQuote:
    def test_holds_nothing_and_says_what_would_be(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 10})

        response = post(client_of(owner), f"{RESERVATIONS}/quote", body_of(court))

        assert response.status_code == 200, response.content
        assert response.json()["state"] == "HELD"
        assert response.json()["terms"]
        assert not Reservation.objects.exists()

    def test_refuses_as_a_booking_would(self, client_of: Client, owner: Member, body_of: Body) -> None:
        response = post(client_of(owner), f"{RESERVATIONS}/quote", body_of(day=25))

        assert response.status_code == 422
        assert response.json()["rules"][0]["retry_at"] == "2026-06-17T23:00:00Z"


class TestGuests:
    def test_a_guest_is_on_the_household_list_once(
        self, client_of: Client, owner: Member, spouse: Member
    ) -> None:
        made = post(client_of(owner), "/api/v1/guests", {"name": "A Guest", "guest_class": "sponsored"})

        assert made.status_code == 201, made.content
        listed = client_of(spouse).get("/api/v1/guests").json()["results"]
        assert [one["name"] for one in listed] == ["A Guest"]

    def test_another_household_does_not_see_them(
        self, client_of: Client, owner: Member, stranger: Member
    ) -> None:
        Guest.objects.create(host=owner, name="A Guest")

        assert client_of(stranger).get("/api/v1/guests").json()["results"] == []
