"""How often a member may book and look, and what the answers say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Member, User
from facilities.models import Facility
from reservations.models import Reservation

pytestmark = pytest.mark.django_db

RESERVATIONS = "/api/v1/reservations"
Body = Callable[..., dict[str, Any]]
Client = Callable[[Member | User], APIClient]


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "booking": "2/h", "reads": "3/h"}


class TestBookingThrottle:
    def test_refuses_the_third_and_says_how_long_to_wait(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        client = client_of(owner)

        quoted = client.post(f"{RESERVATIONS}/quote", body_of(), format="json")
        booked = client.post(RESERVATIONS, body_of(), format="json")
        refused = client.post(RESERVATIONS, body_of(hour=15), format="json")

        assert [quoted.status_code, booked.status_code, refused.status_code] == [200, 201, 429]
        assert quoted["RateLimit-Policy"] == '"booking";q=2;w=3600'
        assert quoted["RateLimit"].startswith('"booking";r=1;t=')
        assert refused.json()["code"] == "too_many_requests"
        assert 1 <= int(refused["Retry-After"]) <= 3600
        assert refused.json()["retry_after"] == int(refused["Retry-After"])
        assert Reservation.objects.count() == 1

    def test_counts_each_member_alone(
        self, client_of: Client, owner: Member, spouse: Member, body_of: Body
    ) -> None:
        for hour in (10, 11, 12):
            client_of(owner).post(RESERVATIONS, body_of(hour=hour), format="json")

        response = client_of(spouse).post(RESERVATIONS, body_of(hour=15), format="json")

        assert response.status_code == 201

    def test_leaves_reading_alone(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client = client_of(owner)
        for _number in range(3):
            client.post(RESERVATIONS, body_of(), format="json")

        assert client.get(RESERVATIONS).status_code == 200


class TestReadThrottle:
    @pytest.mark.parametrize(
        "path", ["reservations", "guests", "me/privileges", "facilities", "facilities/{court}/availability"]
    )
    def test_refuses_the_fourth(self, client_of: Client, owner: Member, court: Facility, path: str) -> None:
        client, url = client_of(owner), f"/api/v1/{path.format(court=court.public_id)}"

        answers = [client.get(url) for _number in range(4)]

        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert answers[0]["RateLimit-Policy"] == '"reads";q=3;w=3600'
        assert int(answers[3]["Retry-After"]) >= 1

    def test_never_keeps_from_booking(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client = client_of(owner)
        for _number in range(4):
            client.get(RESERVATIONS)

        assert client.post(RESERVATIONS, body_of(), format="json").status_code == 201
