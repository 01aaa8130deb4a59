"""Club content over the API: who reads what, and how staff write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Member, MembershipCategory, User
from facilities.models import Announcement, Facility
from tests.facilities.conftest import queries

pytestmark = pytest.mark.django_db

PATH = "/api/v1/announcements"
Client = Callable[[Member | User], APIClient]


class TestAnnouncements:
    def test_a_member_reads_what_is_published(self, client_of: Client, owner: Member) -> None:
        Announcement.objects.create(title="Shown", state="published")
        Announcement.objects.create(title="Draft", state="draft")

        titles = [one["title"] for one in client_of(owner).get(PATH).json()["results"]]

        assert titles == ["Shown"]

    def test_anonymous_is_a_401(self) -> None:
        assert APIClient().get(PATH).status_code == 401

    def test_a_member_writes_nothing(self, client_of: Client, owner: Member) -> None:
        response = client_of(owner).post(PATH, {"title": "Mine"}, format="json")

        assert response.status_code == 403
        assert not Announcement.objects.exists()

    def test_staff_with_the_permission_write_and_change_with_if_match(
        self, client_of: Client, make_staff: Callable[[str], User]
    ) -> None:
        client = client_of(make_staff("Facilities"))
        made = client.post(PATH, {"title": "New", "state": "published"}, format="json")
        assert made.status_code == 201, made.content
        one = f"{PATH}/{made.json()['id']}"

        blind = client.patch(one, {"title": "Newer"}, format="json")
        tag = client.get(one)["ETag"]
        seen = client.patch(one, {"title": "Newer"}, format="json", headers={"If-Match": tag})
        stale = client.patch(one, {"title": "Newest"}, format="json", headers={"If-Match": tag})

        assert [blind.status_code, seen.status_code, stale.status_code] == [400, 200, 412]
        assert Announcement.objects.get().title == "Newer"


# What each kind asks for and tells beside what all have, and a query that finds it.
KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "announcements": ({"is_pinned": True}, {"is_pinned": "true"}),
    "events": (
        {"starts_at": "2026-06-05T01:00:00Z", "ends_at": "2026-06-05T04:00:00Z", "location": "Lawn"},
        {"when": "upcoming"},
    ),
    "contacts": ({"department": "Golf", "phone": "1", "email": "a@example.com", "hours": "Daily"},
                 {"department": "Golf"}),
    "faqs": ({"topic": "Guests"}, {"topic": "Guests"}),
    "rules": ({"section": "Golf"}, {"section": "Golf"}),
    "outlets": ({"hours": "Daily", "phone": "1", "menu": "Soup."}, {"state": "published"}),
    "promos": ({"code": "BOWL"}, {"state": "published"}),
}  # fmt: skip
BODY = {"title": "New", "body": "Text.", "state": "published", "position": 5}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def route(kind: str) -> str:
    return f"/api/v1/{kind}"


@pytest.fixture
def body(kind: str) -> dict[str, Any]:
    return {**BODY, **KINDS[kind][0]}


@pytest.fixture
def editor(client_of: Client, make_staff: Callable[[str], User]) -> APIClient:
    return client_of(make_staff("Facilities"))


def post(client: APIClient, route: str, body: object, **headers: str) -> Any:
    return client.post(route, body, format="json", headers=headers)


class TestEveryKind:
    def test_is_written_read_changed_and_deleted(
        self, client_of: Client, editor: APIClient, owner: Member, route: str, body: dict[str, Any]
    ) -> None:
        made = post(editor, route, body)
        assert made.status_code == 201, made.content
        assert made.json().items() >= body.items()
        one = f"{route}/{made.json()['id']}"
        member = client_of(owner)
        assert member.get(one).json() == made.json() == member.get(route).json()["results"][0]
        assert member.get(one)["ETag"] == made["ETag"]

        changed = editor.patch(one, {"title": "Newer"}, format="json", headers={"If-Match": made["ETag"]})
        assert (changed.status_code, changed.json()["title"]) == (200, "Newer")
        assert member.get(one, headers={"If-None-Match": changed["ETag"]}).status_code == 304

        assert editor.delete(one, headers={"If-Match": made["ETag"]}).status_code == 412
        assert editor.delete(one).status_code == 400
        assert editor.delete(one, headers={"If-Match": changed["ETag"]}).status_code == 204
        assert member.get(one).status_code == 404
        assert editor.delete(one, headers={"If-Match": "*"}).status_code == 404

    def test_is_narrowed_by_its_own_parameters(
        self, editor: APIClient, kind: str, route: str, body: dict[str, Any]
    ) -> None:
        post(editor, route, body)
        found = editor.get(route, KINDS[kind][1])
        none = editor.get(route, {"state": "retired"})
        wrong = editor.get(route, {"state": "gone"})

        assert [len(answer.json()["results"]) for answer in (found, none)] == [1, 0]
        assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["state"])
        assert editor.get(route, {"colour": "red"}).status_code == 400

    def test_is_made_once_for_a_key(
        self, editor: APIClient, owner: Member, route: str, body: dict[str, Any]
    ) -> None:
        key = {"Idempotency-Key": str(uuid4())}

        first, second = post(editor, route, body, **key), post(editor, route, body, **key)

        assert (first.content, second["Idempotency-Replayed"]) == (second.content, "true")
        assert len(editor.get(route).json()["results"]) == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": ""}, "title"),
            ({"title": None}, "title"),
            ({"state": "gone"}, "state"),
            ({"publish_from": "2026-06-01T08:00:00"}, "publish_from"),
            ({"publish_from": "2026-06-02T00:00:00Z", "publish_until": "2026-06-01T00:00:00Z"},
             "publish_until"),
            ({"audience": "categories"}, "categories"),
            ({"audience": "categories", "categories": ["nobody"]}, "categories"),
            ({"categories": "senior"}, "categories"),
            ({"position": -1}, "position"),
            ({"colour": "red"}, "colour"),
        ],
        ids=["empty", "null", "state", "naive", "schedule", "no category", "unknown category", "no list",
             "range", "unknown"],
    )  # fmt: skip
    def test_names_the_field_that_is_wrong(
        self, editor: APIClient, route: str, body: dict[str, Any], change: dict[str, Any], field: str
    ) -> None:
        refused = post(editor, route, {**body, **change})

        assert refused.status_code == 400, refused.content
        assert any(name.startswith(field) for name in refused.json()["errors"])
        assert editor.get(route).json()["results"] == []

    def test_is_for_its_categories_alone(
        self, client_of: Client, editor: APIClient, owner: Member, stranger: Member,
        senior: MembershipCategory, route: str, body: dict[str, Any],
    ) -> None:  # fmt: skip
        owner.membership.category = senior
        owner.membership.save()

        made = post(editor, route, {**body, "audience": "categories", "categories": ["senior"]})

        assert made.json()["categories"] == ["senior"]
        one = f"{route}/{made.json()['id']}"
        assert [client_of(who).get(one).status_code for who in (owner, stranger)] == [200, 404]
        assert client_of(stranger).get(route).json()["results"] == []

    def test_is_not_written_by_members_or_staff_who_only_look(
        self, client_of: Client, owner: Member, front_desk: User, editor: APIClient, route: str,
        body: dict[str, Any],
    ) -> None:  # fmt: skip
        one = f"{route}/{post(editor, route, body).json()['id']}"
        for who in (client_of(owner), client_of(front_desk)):
            assert post(who, route, body).status_code == 403
            assert who.patch(one, {"title": "X"}, format="json").status_code == 403
            assert who.delete(one, headers={"If-Match": "*"}).status_code == 403

    def test_needs_a_token(self, editor: APIClient, route: str, body: dict[str, Any]) -> None:
        one = f"{route}/{post(editor, route, body).json()['id']}"
        anybody = APIClient()
        answers = [anybody.get(route), anybody.get(one), anybody.delete(one), post(anybody, route, body)]
        assert {answer.status_code for answer in answers} == {401}

    def test_takes_as_many_queries_for_ten_as_for_one(
        self, client_of: Client, editor: APIClient, owner: Member, route: str, body: dict[str, Any]
    ) -> None:
        member, counts = client_of(owner), []
        for number in (1, 9):
            for _each in range(number):
                post(editor, route, body)
            member.get(route)
            with queries() as seen:
                member.get(route)
            counts.append(len(seen))

        assert counts[0] == counts[1] <= 4


class TestWithAFacility:
    @pytest.mark.parametrize("kind", ["events", "outlets"], indirect=True)
    def test_is_named_by_its_public_id(
        self, editor: APIClient, court: Facility, route: str, body: dict[str, Any]
    ) -> None:
        made = post(editor, route, {**body, "facility": str(court.public_id)})
        nowhere = post(editor, route, {**body, "facility": str(uuid4())})
        without = post(editor, route, {**body, "facility": None})

        assert made.json()["facility"] == str(court.public_id)
        assert editor.get(f"{route}/{made.json()['id']}").json()["facility"] == str(court.public_id)
        assert (nowhere.status_code, list(nowhere.json()["errors"])) == (400, ["facility"])
        assert without.json()["facility"] is None

    def test_events_are_found_by_time_and_place(self, editor: APIClient, court: Facility) -> None:
        past = {"starts_at": "2026-05-01T01:00:00Z", "ends_at": "2026-05-01T02:00:00Z"}
        post(editor, "/api/v1/events", {**BODY, **KINDS["events"][0], "title": "Coming"})
        post(editor, "/api/v1/events", {**BODY, **past, "title": "Past", "facility": str(court.public_id)})

        def found(**query: str) -> list[str]:
            return [one["title"] for one in editor.get("/api/v1/events", query).json()["results"]]

        assert found() == ["Past", "Coming"]
        assert found(when="upcoming") == ["Coming"]
        assert found(when="past") == ["Past"]
        assert found(facility=str(court.public_id)) == ["Past"]
        assert found(facility=str(uuid4())) == []


class TestPinned:
    def test_announcements_are_found_by_it(self, editor: APIClient) -> None:
        for title, is_pinned in (("Plain", False), ("Pinned", True)):
            post(editor, PATH, {**BODY, "title": title, "is_pinned": is_pinned})

        def found(is_pinned: str) -> list[str]:
            answer = editor.get(PATH, {"is_pinned": is_pinned})
            assert answer.status_code == 200, answer.content
            return [one["title"] for one in answer.json()["results"]]

        assert (found("true"), found("false")) == (["Pinned"], ["Plain"])
        assert editor.get(PATH, {"is_pinned": "maybe"}).status_code == 400


class TestOrder:
    def test_announcements_are_the_pinned_and_then_the_newest(self, editor: APIClient) -> None:
        for title, is_pinned in (("Old", False), ("Pinned", True), ("New", False)):
            post(editor, PATH, {**BODY, "title": title, "is_pinned": is_pinned})

        assert [one["title"] for one in editor.get(PATH).json()["results"]] == ["Pinned", "New", "Old"]

    def test_the_others_are_by_position(self, editor: APIClient) -> None:
        for title, position in (("Second", 2), ("First", 1), ("Also second", 2)):
            post(editor, "/api/v1/faqs", {**BODY, "title": title, "position": position})

        titles = [one["title"] for one in editor.get("/api/v1/faqs").json()["results"]]
        assert titles == ["First", "Second", "Also second"]
