"""What a place costs, as a member reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Member, MembershipCategory, User
from facilities.models import Facility, Rate
from tests.factories import make_facility

pytestmark = pytest.mark.django_db

Client = Callable[[Member | User], APIClient]


def path_of(facility: Facility) -> str:
    return f"/api/v1/facilities/{facility.public_id}/rates"


def make_rate(facility: Facility, **facts: Any) -> Rate:
    return Rate.objects.create(facility=facility, **{"amount": "450.00", **facts})


def amounts(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [one["amount"] for one in response.json()["results"]]


class TestRates:
    def test_say_for_whom_when_and_by_what(self, client_of: Client, owner: Member, court: Facility) -> None:
        rate = make_rate(
            court,
            guest_class="accompanied",
            prime_time_only=True,
            unit="head",
            valid_from=date(2026, 6, 1),
            valid_until=date(2026, 8, 31),
        )

        response = client_of(owner).get(path_of(court))

        assert response.json()["results"] == [
            {
                "id": str(rate.public_id),
                "applies_to": "accompanied",
                "category": None,
                "prime_time_only": True,
                "unit": "head",
                "amount": "450.00",
                "currency": "PHP",
                "valid_from": "2026-06-01",
                "valid_until": "2026-08-31",
            }
        ]

    def test_are_those_of_the_members_category_and_of_everybody(
        self, client_of: Client, owner: Member, court: Facility, senior: MembershipCategory
    ) -> None:
        make_rate(court, amount="300.00")
        make_rate(court, amount="250.00", category=owner.membership.category)
        make_rate(court, amount="100.00", category=senior)

        assert amounts(client_of(owner).get(path_of(court))) == ["300.00", "250.00"]

    def test_are_all_for_staff_who_edit_them(
        self,
        client_of: Client,
        make_staff: Callable[[str], User],
        court: Facility,
        senior: MembershipCategory,
    ) -> None:
        make_rate(court, amount="100.00", category=senior)

        assert amounts(client_of(make_staff("Facilities")).get(path_of(court))) == ["100.00"]

    @pytest.mark.parametrize(
        ("first", "last", "is_shown"),
        [
            pytest.param(None, None, True, id="always"),
            pytest.param(date(2026, 6, 1), date(2026, 6, 1), True, id="today only"),
            pytest.param(date(2026, 7, 1), None, True, id="to come"),
            pytest.param(None, date(2026, 5, 31), False, id="over"),
        ],
    )
    def test_are_those_of_today_and_later(
        self,
        client_of: Client,
        owner: Member,
        court: Facility,
        first: date | None,
        last: date | None,
        is_shown: bool,
    ) -> None:
        make_rate(court, valid_from=first, valid_until=last)

        assert bool(amounts(client_of(owner).get(path_of(court)))) is is_shown

    def test_stand_by_whom_they_are_for_and_those_of_prime_time_last(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        rates: dict[str, dict[str, Any]] = {
            "4.00": {"guest_class": "sponsored"},
            "3.00": {"prime_time_only": True},
            "2.00": {"guest_class": "member"},
            "1.00": {"guest_class": "accompanied"},
        }
        for amount, facts in rates.items():
            make_rate(court, amount=amount, **facts)

        assert amounts(client_of(owner).get(path_of(court))) == ["1.00", "2.00", "3.00", "4.00"]

    def test_show_the_largest_amount_that_is_kept(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        make_rate(court, amount="999999999999.99")

        assert amounts(client_of(owner).get(path_of(court))) == ["999999999999.99"]

    def test_come_in_pages(self, client_of: Client, owner: Member, court: Facility) -> None:
        for number in range(3):
            make_rate(court, amount=f"{number}.00", valid_from=date(2027, 1, 1 + number))
        client = client_of(owner)

        first = client.get(path_of(court), {"page_size": 2})
        second = client.get(first.json()["next"])

        assert (amounts(first), amounts(second)) == (["0.00", "1.00"], ["2.00"])
        assert second.json()["next"] is None

    def test_of_another_facility_are_its_own(self, client_of: Client, owner: Member, court: Facility) -> None:
        make_rate(make_facility("Other Court"))

        assert amounts(client_of(owner).get(path_of(court))) == []

    def test_change_the_tag(self, client_of: Client, owner: Member, court: Facility) -> None:
        make_rate(court)
        client = client_of(owner)
        tag = client.get(path_of(court))["ETag"]

        same = client.get(path_of(court), headers={"If-None-Match": tag})
        Rate.objects.get().delete()
        other = client.get(path_of(court), headers={"If-None-Match": tag})

        assert (same.status_code, other.status_code) == (304, 200)

    def test_are_not_for_anybody(self, court: Facility) -> None:
        assert APIClient().get(path_of(court)).status_code == 401

    @pytest.mark.parametrize("state", ["draft", "retired"])
    def test_are_not_there_where_the_facility_is_not_shown(
        self, client_of: Client, owner: Member, court: Facility, state: str
    ) -> None:
        client = client_of(owner)
        missing = client.get(path_of(court).replace(str(court.public_id), str(uuid4())))
        court.state = state
        court.save()

        hidden = client.get(path_of(court))

        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.json()["detail"] == missing.json()["detail"]

    def test_know_no_other_parameter(self, client_of: Client, owner: Member, court: Facility) -> None:
        response = client_of(owner).get(path_of(court), {"category": "senior"})

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/problem+json"
