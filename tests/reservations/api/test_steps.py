"""The steps of a reservation, and who of the household may take them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Member
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, SlotClaim
from reservations.services.venue import venue_code
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.api.calls import RESERVATIONS, Body, Client, fresh_credentials, post

pytestmark = pytest.mark.django_db


class TestSteps:
    @pytest.fixture
    def held(self, client_of: Client, owner: Member, body_of: Body) -> dict[str, Any]:
        court = make_facility("Held Court", terms={"hold_minutes": 10, "cancellation_cutoff_minutes": 120})
        data: dict[str, Any] = post(client_of(owner), RESERVATIONS, body_of(court)).json()
        return data

    def path(self, reservation: dict[str, Any], step: str = "") -> str:
        return f"{RESERVATIONS}/{reservation['id']}" + (f"/{step}" if step else "")

    def test_confirms_once_and_stays_confirmed(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)

        first = post(client, self.path(held, "confirm"))
        second = post(client, self.path(held, "confirm"))

        assert (first.json()["state"], first.json()["expires_at"]) == ("CONFIRMED", None)
        assert second.status_code == 200
        assert second.json()["version"] == first.json()["version"]

    def test_moves_and_keeps_its_id(self, client_of: Client, owner: Member, held: dict[str, Any]) -> None:
        body = {"starts_at": at_club(3, 15).isoformat(), "ends_at": at_club(3, 16).isoformat()}

        moved = post(client_of(owner), self.path(held, "reschedule"), body).json()

        assert (moved["id"], moved["state"], moved["starts_at"]) == (
            held["id"],
            "HELD",
            "2026-06-03T07:00:00Z",
        )
        assert set(SlotClaim.objects.values_list("cell_start__day", flat=True)) == {3}

    def test_a_move_onto_a_taken_slot_changes_nothing(
        self, client_of: Client, owner: Member, stranger: Member, held: dict[str, Any], body_of: Body
    ) -> None:
        facility = Facility.objects.get(name="Held Court")
        post(client_of(stranger), RESERVATIONS, body_of(facility, hour=14))
        body = {"starts_at": at_club(2, 14).isoformat(), "ends_at": at_club(2, 15).isoformat()}

        response = post(client_of(owner), self.path(held, "reschedule"), body)

        assert (response.status_code, response.json()["code"]) == (409, "slot_taken")
        again = client_of(owner).get(self.path(held)).json()
        assert (again["starts_at"], again["version"]) == (held["starts_at"], held["version"])

    def test_cancels_with_a_reason_and_tells_its_history(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)
        post(client, self.path(held, "confirm"))

        response = post(client, self.path(held, "cancel"), {"reason": "Rain."})

        assert response.json()["state"] == "CANCELLED_MEMBER"
        events = client.get(self.path(held, "events")).json()["results"]
        assert [event["to_state"] for event in events] == ["HELD", "CONFIRMED", "CANCELLED_MEMBER"]
        assert events[-1]["reason"] == "Rain."

    def test_a_second_cancellation_is_a_wrong_state(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)
        post(client, self.path(held, "cancel"))

        response = post(client, self.path(held, "cancel"))

        assert (response.status_code, response.json()["code"]) == (409, "wrong_state")

    def test_inside_the_cutoff_it_says_so(
        self, client_of: Client, owner: Member, held: dict[str, Any], travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), self.path(held, "confirm"))
        travel.move_to(at_club(2, 8, 1))
        late = client_of(owner)
        late.credentials(**fresh_credentials(owner, at_club(2, 8, 1)))

        response = post(late, self.path(held, "cancel"))

        assert response.status_code == 422
        assert response.json()["rules"][0]["code"] == "too_late_to_cancel"

    def test_checks_in_with_the_code_of_the_venue(
        self, client_of: Client, owner: Member, held: dict[str, Any], travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), self.path(held, "confirm"))
        at = at_club(2, 9, 45)
        travel.move_to(at)
        client = APIClient()
        client.credentials(**fresh_credentials(owner, at))
        facility = Facility.objects.get(name="Held Court")

        wrong = post(client, self.path(held, "check-in"), {"code": "none"})
        right = post(
            client, self.path(held, "check-in"), {"code": venue_code(facility, at_club(2, 12).date())}
        )

        assert (wrong.status_code, wrong.json()["rules"][0]["code"]) == (422, "wrong_venue_code")
        assert right.json()["state"] == "CHECKED_IN"

    def test_names_the_party_anew(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client = client_of(owner)
        made = post(client, RESERVATIONS, body_of(party=3)).json()

        response = client.put(
            self.path(made, "participants"), {"participants": [{"guest_name": "A Guest"}]}, format="json"
        )

        assert [one["name"] for one in response.json()["participants"]] == [owner.full_name, "A Guest", ""]
        assert response.json()["guests"] == 1

    def test_is_a_calendar_entry(self, client_of: Client, owner: Member, held: dict[str, Any]) -> None:
        response = client_of(owner).get(self.path(held, "calendar.ics"))

        assert response["Content-Type"].startswith("text/calendar")
        assert b"DTSTART:20260602T020000Z" in response.content


class TestHousehold:
    @pytest.fixture
    def of_dependent(self, client_of: Client, dependent: Member, body_of: Body) -> str:
        return f"{RESERVATIONS}/{post(client_of(dependent), RESERVATIONS, body_of()).json()['id']}"

    def test_principal_and_spouse_see_and_cancel_a_dependents(
        self, client_of: Client, owner: Member, spouse: Member, of_dependent: str
    ) -> None:
        assert client_of(spouse).get(of_dependent).status_code == 200
        assert post(client_of(owner), f"{of_dependent}/cancel").status_code == 200

    def test_a_relative_may_not_change_it(self, client_of: Client, owner: Member, of_dependent: str) -> None:
        response = post(client_of(owner), f"{of_dependent}/confirm")

        assert (response.status_code, response.json()["code"]) == (403, "not_your_reservation")

    def test_a_dependent_does_not_see_the_principals(
        self, client_of: Client, owner: Member, dependent: Member, body_of: Body
    ) -> None:
        made = post(client_of(owner), RESERVATIONS, body_of()).json()

        assert client_of(dependent).get(f"{RESERVATIONS}/{made['id']}").status_code == 404

    def test_to_a_stranger_it_is_like_one_that_is_not_there(
        self, client_of: Client, stranger: Member, of_dependent: str
    ) -> None:
        client = client_of(stranger)

        theirs, missing = client.get(of_dependent), client.get(f"{RESERVATIONS}/{uuid4()}")

        assert theirs.status_code == missing.status_code == 404
        assert {**theirs.json(), "request_id": ""} == {**missing.json(), "request_id": ""}
        volatile = {"X-Request-ID", "RateLimit"}
        assert {k: v for k, v in theirs.items() if k not in volatile} == {
            k: v for k, v in missing.items() if k not in volatile
        }


class TestSweeps:
    def test_nobody_came_is_a_no_show_with_a_strike(
        self, owner: Member, client_of: Client, body_of: Body
    ) -> None:
        court = make_facility("Watched Court", terms={"no_show_after_minutes": 15})
        made = post(client_of(owner), RESERVATIONS, body_of(court)).json()

        assert services.mark_no_shows(now=at_club(2, 10, 14)) == 0
        assert services.mark_no_shows(now=at_club(2, 10, 15)) == 1

        reservation = Reservation.objects.get(public_id=made["id"])
        assert reservation.state == "NO_SHOW"
        assert owner.strikes.count() == 1

    def test_what_is_over_is_completed(self, client_of: Client, owner: Member, body_of: Body) -> None:
        made = post(client_of(owner), RESERVATIONS, body_of()).json()

        assert services.complete_finished(now=at_club(2, 11)) == 1
        assert Reservation.objects.get(public_id=made["id"]).state == "COMPLETED"
        assert not SlotClaim.objects.exists()
