"""The routes of facilities, as the app and staff meet them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from rest_framework.test import APIClient

from accounts.models import Member, MembershipCategory, User
from facilities.models import Closure, Facility, Holiday, OpeningSpan, Rate, ReservationPolicy, Rulebook
from facilities.policies.hours import HOLIDAY
from tests.conftest import at_club
from tests.facilities.conftest import queries
from tests.factories import make_facility, make_quota, make_rooms, make_version

pytestmark = pytest.mark.django_db

LIST = "/api/v1/facilities"
PARTS = ["", "/hours", "/policy", "/rates"]
Client = Callable[[Member | User], APIClient]


def path(facility: Facility, part: str = "") -> str:
    return f"{LIST}/{facility.public_id}{part}"


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [one["name"] for one in response.json()["results"]]


@pytest.fixture
def member(client_of: Client, owner: Member) -> APIClient:
    return client_of(owner)


@pytest.fixture
def editor_api(client_of: Client, make_staff: Callable[[str], User]) -> APIClient:
    return client_of(make_staff("Facilities"))


class TestEveryRoute:
    def every(self, court: Facility) -> list[str]:
        return [LIST, *(path(court, part) for part in PARTS)]

    def test_needs_a_token(self, court: Facility) -> None:
        for route in self.every(court):
            assert APIClient().get(route).status_code == 401

    def test_refuses_an_unknown_parameter(self, member: APIClient, court: Facility) -> None:
        for route in self.every(court):
            response = member.get(route, {"colour": "red"})
            assert (response.status_code, list(response.json()["errors"])) == (400, ["colour"])

    @pytest.mark.parametrize("part", PARTS)
    def test_of_what_is_not_there_is_a_404(self, member: APIClient, court: Facility, part: str) -> None:
        missing = member.get(f"{LIST}/{uuid4()}{part}")
        court.state = "draft"
        court.save()
        hidden = member.get(path(court, part))

        assert (missing.status_code, hidden.status_code) == (404, 404)
        same = {"code", "title", "detail"}
        assert {key: missing.json()[key] for key in same} == {key: hidden.json()[key] for key in same}

    @pytest.mark.parametrize("part", ["/x", "/hours/x"])
    def test_knows_no_other(self, member: APIClient, court: Facility, part: str) -> None:
        assert member.get(path(court, part)).status_code == 404

    def test_answers_304_to_who_has_it_and_200_once_it_changed(
        self, member: APIClient, court: Facility
    ) -> None:
        Rate.objects.create(facility=court, amount=1)
        for route in self.every(court):
            first = member.get(route)
            tag = first["ETag"]
            again = member.get(route, headers={"If-None-Match": tag})
            other = member.get(route, headers={"If-None-Match": '"something else"'})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
            assert (other.status_code, other["ETag"]) == (200, tag)
        tags = {route: member.get(route)["ETag"] for route in self.every(court)}

        court.name = "Centre Court"
        court.save()
        court.opening_periods.get().spans.filter(weekday=0).delete()
        make_quota("One a day", limit=1)
        Rate.objects.update(amount=2)

        for route, tag in tags.items():
            assert member.get(route, headers={"If-None-Match": tag}).status_code == 200

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    def test_is_only_read(self, member: APIClient, court: Facility, method: str) -> None:
        for route in self.every(court):
            assert getattr(member, method)(route).status_code in (403, 405)
        assert Facility.objects.count() == 1


class TestFacilities:
    def test_are_by_position_then_by_name(self, member: APIClient) -> None:
        for name, position in (("Beta", 2), ("Alpha", 2), ("Zulu", 1)):
            make_facility(name, position=position)

        assert names(member.get(LIST)) == ["Zulu", "Alpha", "Beta"]

    def test_tell_the_whole_of_each(self, member: APIClient) -> None:
        rooms = make_rooms("Garden Room", rooms=3)

        (one,) = member.get(LIST).json()["results"]

        assert one == {
            "id": str(rooms.public_id), "code": "garden-room", "name": "Garden Room", "kind": "room_night",
            "takes": "booking", "area": "", "description": "", "terms": "", "location": "", "position": 100,
            "state": "published", "publish_from": None, "publish_until": None,
            "stay": {"check_in": "14:00", "check_out": "12:00"},
            "images": [],
        }  # fmt: skip
        assert member.get(path(rooms)).json() == one

    def test_are_narrowed(self, member: APIClient) -> None:
        make_facility("Court", area="Sports")
        make_facility("Hall", kind="hall", area="Functions")

        assert names(member.get(LIST, {"kind": "hall"})) == ["Hall"]
        assert names(member.get(LIST, {"area": "Sports"})) == ["Court"]
        assert names(member.get(LIST, {"area": "sports", "kind": "hall"})) == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"kind": "pub"}, "kind"),
            ({"area": "x" * 81}, "area"),
            ({"area": "a\x00b"}, "area"),
            ({"page_size": "0"}, "page_size"),
            ({"page_size": "101"}, "page_size"),
            ({"cursor": "nonsense"}, "cursor"),
        ],
        ids=["kind", "long area", "null byte", "no rows", "too many rows", "cursor"],
    )
    def test_name_the_parameter_that_is_wrong(
        self, member: APIClient, query: dict[str, str], field: str
    ) -> None:
        response = member.get(LIST, query)

        assert (response.status_code, list(response.json()["errors"])) == (400, [field])

    def test_come_in_pages(self, member: APIClient) -> None:
        for name in ("A", "B", "C"):
            make_facility(name)

        first = member.get(LIST, {"page_size": "2"}).json()
        second = member.get(first["next"])

        assert ([one["name"] for one in first["results"]], first["previous"]) == (["A", "B"], None)
        assert (names(second), second.json()["next"]) == (["C"], None)

    def test_are_shown_from_and_until(self, member: APIClient, court: Facility, now: datetime) -> None:
        court.publish_from = now + timedelta(hours=1)
        court.save()
        assert names(member.get(LIST)) == []
        court.publish_from, court.publish_until = now - timedelta(hours=1), now
        court.save()
        assert names(member.get(LIST)) == []
        court.publish_until = now + timedelta(hours=1)
        court.save()
        assert names(member.get(LIST)) == ["Court One"]

    def test_staff_who_look_after_them_see_drafts(self, client_of: Client, each_staff: User) -> None:
        make_facility("Draft")
        Facility.objects.update(state="draft")

        found = names(client_of(each_staff).get(LIST))

        sees = each_staff.groups.get().name in {"Front Desk", "Facilities", "Ops", "Auditor"}
        assert found == (["Draft"] if sees else [])

    def test_take_as_many_queries_for_ten_as_for_one(self, member: APIClient) -> None:
        counts = []
        for number in (1, 9):
            for each in range(number):
                make_facility(f"Court {number} {each}")
            member.get(LIST)
            with queries() as seen:
                member.get(LIST)
            counts.append(len(seen))

        assert counts[0] == counts[1] <= 3


class TestHours:
    def test_of_a_week_from_today_by_the_clock_of_the_club(self, member: APIClient, court: Facility) -> None:
        Holiday.objects.create(on=date(2026, 6, 2), name="Club day", is_confirmed=True)
        OpeningSpan.objects.create(
            period=court.opening_periods.get(), weekday=HOLIDAY, opens=time(9), closes=time(18)
        )

        data = member.get(path(court, "/hours")).json()

        assert data["time_zone"] == "Asia/Manila"
        assert [day["date"] for day in data["days"]] == [f"2026-06-0{day}" for day in range(1, 8)]
        assert data["days"][0] == {
            "date": "2026-06-01", "holiday": None,
            "open": [{"starts_at": "2026-05-31T22:00:00Z", "ends_at": "2026-06-01T14:00:00Z"}],
        }  # fmt: skip
        assert data["days"][1] == {
            "date": "2026-06-02", "holiday": "Club day",
            "open": [{"starts_at": "2026-06-02T01:00:00Z", "ends_at": "2026-06-02T10:00:00Z"}],
        }  # fmt: skip
        assert data["closures"] == []

    @pytest.mark.parametrize("now", [at_club(2, 0, 5)])
    def test_today_is_the_clubs_and_not_greenwichs(
        self, member: APIClient, court: Facility, now: datetime
    ) -> None:
        assert now.date() == date(2026, 6, 1)
        assert member.get(path(court, "/hours")).json()["days"][0]["date"] == "2026-06-02"

    def test_closures_stand_beside_and_only_those_in_force(self, member: APIClient, court: Facility) -> None:
        for reason, confirmed_at in (("Works", at_club(1, 0)), ("Planned", None)):
            Closure.objects.create(
                facility=court, starts_at=at_club(2, 10), ends_at=at_club(2, 12), reason=reason,
                confirmed_at=confirmed_at,
            )  # fmt: skip

        data = member.get(path(court, "/hours")).json()

        assert data["closures"] == [
            {"starts_at": "2026-06-02T02:00:00Z", "ends_at": "2026-06-02T04:00:00Z", "reason": "Works"}
        ]
        assert len(data["days"][1]["open"]) == 1

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ({"from": "2026-06-10"}, 7),
            ({"from": "2026-06-10", "to": "2026-06-10"}, 1),
            ({"from": "2026-06-01", "to": "2026-08-01"}, 62),
            ({"from": "2099-12-31"}, 7),
        ],
        ids=["from", "one day", "the most", "the last"],
    )
    def test_of_the_dates_asked_for(
        self, member: APIClient, court: Facility, query: dict[str, str], days: int
    ) -> None:
        data = member.get(path(court, "/hours"), query).json()

        assert (data["days"][0]["date"], len(data["days"])) == (query["from"], days)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"from": "2026-06-01", "to": "2026-08-02"}, "to"),
            ({"from": "2026-06-02", "to": "2026-06-01"}, "to"),
            ({"to": "2026-05-31"}, "to"),
            ({"from": "2026-02-29"}, "from"),
            ({"from": "tomorrow"}, "from"),
            ({"from": "0001-01-01"}, "from"),
            ({"to": "9999-12-31"}, "to"),
        ],
        ids=["too many", "backward", "before today", "no such day", "no date", "long ago", "far away"],
    )
    def test_name_the_date_that_is_wrong(
        self, member: APIClient, court: Facility, query: dict[str, str], field: str
    ) -> None:
        response = member.get(path(court, "/hours"), query)

        assert (response.status_code, list(response.json()["errors"])) == (400, [field])

    def test_take_as_many_queries_for_two_months_as_for_a_day(
        self, member: APIClient, court: Facility
    ) -> None:
        counts = []
        for last in ("2026-06-01", "2026-08-01"):
            Closure.objects.create(
                facility=court, starts_at=at_club(1, 10), ends_at=at_club(1, 12), reason=last,
                confirmed_at=at_club(1, 0),
            )  # fmt: skip
            member.get(path(court, "/hours"))
            with queries() as seen:
                member.get(path(court, "/hours"), {"from": "2026-06-01", "to": last})
            counts.append(len(seen))

        assert counts[0] == counts[1] <= 6


class TestPolicy:
    def test_reads_in_plain_language_with_the_quotas(self, member: APIClient, court: Facility) -> None:
        make_quota("Two a day", kind="court")

        data = member.get(path(court, "/policy")).json()

        assert (data["name"], data["version"]) == ("Court One policy", 1)
        assert data["sentences"][0] == {
            "topic": "window", "text": "You may book up to 7 days ahead; a day opens at 07:00.",
        }  # fmt: skip
        assert data["sentences"][-1] == {
            "topic": "quota", "text": "A member may have at most 2 bookings a day (court).",
        }  # fmt: skip

    def test_is_that_of_the_members_category(
        self, member: APIClient, court: Facility, owner: Member, senior: MembershipCategory
    ) -> None:
        policy = ReservationPolicy.objects.create(name="Seniors", facility=court, category=senior)
        make_version(policy, number=4)

        assert member.get(path(court, "/policy")).json()["name"] == "Court One policy"
        owner.membership.category = senior
        owner.membership.save()
        assert member.get(path(court, "/policy")).json()["version"] == 4

    def test_of_rooms_counts_nights(self, member: APIClient) -> None:
        texts = [one["text"] for one in member.get(path(make_rooms(), "/policy")).json()["sentences"]]

        assert "A stay is from 1 to 14 nights." in texts
        assert "Check-in is from 14:00, check-out until 12:00." in texts

    def test_without_one_says_whom_to_ask(self, member: APIClient, court: Facility) -> None:
        court.policies.update(valid_until=date(2026, 5, 31))

        data = member.get(path(court, "/policy")).json()

        assert (data["name"], data["version"]) == (None, None)
        assert data["sentences"] == [
            {"topic": "other", "text": "This cannot be booked in the app. Ask the front desk."}
        ]

    def test_takes_as_many_queries_with_ten_quotas_as_with_one(
        self, member: APIClient, court: Facility
    ) -> None:
        counts = []
        for number in (1, 9):
            for each in range(number):
                make_quota(f"Quota {number} {each}", facility=court)
            member.get(path(court, "/policy"))
            with queries() as seen:
                member.get(path(court, "/policy"))
            counts.append(len(seen))

        assert counts[0] == counts[1] <= 7


class TestRates:
    def test_are_what_this_member_and_their_guests_pay(
        self, member: APIClient, court: Facility, owner: Member, senior: MembershipCategory
    ) -> None:
        Rate.objects.create(facility=court, amount="250", prime_time_only=True)
        Rate.objects.create(facility=court, amount="900.5", guest_class="accompanied", unit="head")
        Rate.objects.create(facility=court, amount="1", category=senior)

        rates = member.get(path(court, "/rates")).json()["results"]

        assert [(one["applies_to"], one["amount"], one["currency"]) for one in rates] == [
            ("accompanied", "900.50", "PHP"),
            ("member", "250.00", "PHP"),
        ]
        assert [one["prime_time_only"] for one in rates] == [False, True]

    def test_staff_see_those_of_every_category(
        self, editor_api: APIClient, court: Facility, senior: MembershipCategory
    ) -> None:
        Rate.objects.create(facility=court, amount="1", category=senior)

        (rate,) = editor_api.get(path(court, "/rates")).json()["results"]

        assert rate["category"] == "senior"

    def test_take_as_many_queries_for_ten_as_for_one(
        self, member: APIClient, court: Facility, owner: Member
    ) -> None:
        counts = []
        for number in (1, 9):
            for each in range(number):
                Rate.objects.create(
                    facility=court, amount=each, category=owner.membership.category,
                    valid_from=date(2026, number, each + 1),
                )  # fmt: skip
            member.get(path(court, "/rates"))
            with queries() as seen:
                member.get(path(court, "/rates"))
            counts.append(len(seen))

        assert counts[0] == counts[1] <= 5


class TestDescribe:
    def change(self, client: APIClient, court: Facility, body: object, **headers: str) -> Any:
        return client.patch(path(court), body, format="json", headers=headers)

    def test_changes_what_describes_it_and_is_audited(self, editor_api: APIClient, court: Facility) -> None:
        tag, number = editor_api.get(path(court))["ETag"], Rulebook.current_number()

        changed = self.change(editor_api, court, {"description": "Lit."}, **{"If-Match": tag})

        assert (changed.status_code, changed.json()["description"]) == (200, "Lit.")
        assert changed["ETag"] == editor_api.get(path(court))["ETag"] != tag
        entry = LogEntry.objects.get_for_object(court).filter(action=LogEntry.Action.UPDATE).get()
        assert entry.changes == {"description": ["", "Lit."]}
        assert entry.actor.groups.get().name == "Facilities"
        assert Rulebook.current_number() > number

    def test_needs_the_tag_of_what_was_read(self, editor_api: APIClient, court: Facility) -> None:
        blind = self.change(editor_api, court, {"name": "X"})
        stale = self.change(editor_api, court, {"name": "X"}, **{"If-Match": '"old"'})

        assert (blind.status_code, blind.json()["code"]) == (400, "if_match_required")
        assert stale.status_code == 412
        assert Facility.objects.get().name == "Court One"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 81}, "name"),
            ({"name": None}, "name"),
            ({"position": -1}, "position"),
            ({"position": "first"}, "position"),
            ({"kind": "hall"}, "kind"),
            ({"state": "retired"}, "state"),
        ],
        ids=["empty", "long", "null", "negative", "text", "kind", "state"],
    )
    def test_names_the_field_that_is_wrong(
        self, editor_api: APIClient, court: Facility, body: dict[str, Any], field: str
    ) -> None:
        refused = self.change(editor_api, court, body, **{"If-Match": "*"})

        assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
        assert Facility.objects.get().name == "Court One"

    def test_is_for_who_may_change_facilities(
        self, client_of: Client, each_staff: User, court: Facility
    ) -> None:
        answer = self.change(client_of(each_staff), court, {"name": "New"}, **{"If-Match": "*"})

        may = each_staff.groups.get().name == "Facilities"
        assert answer.status_code == (200 if may else 403)
        assert Facility.objects.get().name == ("New" if may else "Court One")

    def test_is_not_for_members(self, member: APIClient, court: Facility) -> None:
        assert self.change(member, court, {"name": "New"}, **{"If-Match": "*"}).status_code == 403
