"""What the app gets at start, and when its version moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.models import Member, User
from accounts.selectors.identities import find_standing
from bcc import maintenance
from bcc.bootstrap import get_bootstrap
from facilities.models import Announcement, Facility, Holiday, Rulebook
from tests.factories import CategoryFactory, MemberFactory, MembershipFactory, make_facility, make_session

pytestmark = pytest.mark.django_db

PATH = "/api/v1/bootstrap"
Client = Callable[[Member | User], APIClient]
MEMBER_QUERIES = 9
STRANGER_QUERIES = 3


def read(client: APIClient, **query: str) -> dict[str, Any]:
    response = client.get(PATH, query)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def version(client: APIClient) -> str:
    found: str = read(client)["version"]
    return found


def version_at(member: Member, at: datetime) -> str:
    """The same without a request, at any time: a token lives for minutes only."""
    assert member.user is not None
    standing = find_standing(make_session(member.user, now=at).public_id)
    assert standing is not None
    found = get_bootstrap(identity=standing.identity, since="", now=at).version
    assert found is not None
    return found


def queries(client: APIClient) -> int:
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        read(client)
    return len(seen)


@pytest.fixture
def gold(db: None) -> Member:
    """A member of another category."""
    category = CategoryFactory.create(code="gold", name="Gold")
    return MemberFactory.create(membership=MembershipFactory.create(category=category), last_name="Gold")


class TestGetBootstrap:
    def test_gives_a_member_the_club_and_its_facilities_in_order(
        self, client_of: Client, owner: Member
    ) -> None:
        make_facility("Second Court", area="Sports", position=20, terms={"max_slots": 2})
        make_facility("First Hall", kind="hall", area="Halls", position=10)
        make_facility("Draft Court", position=1)
        Facility.objects.filter(name="Draft Court").update(state="draft")

        found = read(client_of(owner))

        data = found["data"]
        assert data["club"]["time_zone"] == "Asia/Manila"
        assert [one["name"] for one in data["facilities"]] == ["First Hall", "Second Court"]
        assert data["areas"] == ["Halls", "Sports"]
        assert data["kinds"] == [{"code": "hall", "name": "hall"}, {"code": "court", "name": "court"}]
        assert data["categories"] == [{"code": "regular", "name": "Regular"}]
        assert data["facilities"][1]["booking"] == {
            "policy": "Second Court policy",
            "open_days_ahead": 7,
            "release_time": "07:00",
            "slot_minutes": 60,
            "min_slots": 1,
            "max_slots": 2,
            "party_min": 1,
            "party_max": 4,
            "guests_max": None,
            "approval_required": False,
        }
        assert (found["minimum_app_version"], found["maintenance"]) == ("1.0.0", None)
        assert found["server_time"] == "2026-06-01T00:00:00Z"

    def test_shows_a_facility_as_the_list_does(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        client = client_of(owner)
        listed = client.get("/api/v1/facilities").json()["results"]

        shown = read(client)["data"]["facilities"]

        assert [{key: one[key] for key in one if key != "booking"} for one in shown] == listed

    def test_says_what_this_reader_cannot_book(
        self, client_of: Client, owner: Member, gold: Member, court: Facility
    ) -> None:
        court.policies.update(category=gold.membership.category)

        assert read(client_of(gold))["data"]["facilities"][0]["booking"] is not None
        assert read(client_of(owner))["data"]["facilities"][0]["booking"] is None

    def test_gives_the_pinned_and_the_newest_announcements_first(
        self, client_of: Client, owner: Member
    ) -> None:
        Announcement.objects.create(title="Pinned", state="published", is_pinned=True)
        for number in range(25):
            Announcement.objects.create(title=f"News {number}", state="published")

        titles = [one["title"] for one in read(client_of(owner))["data"]["announcements"]]

        assert titles == ["Pinned", *(f"News {number}" for number in range(24, 5, -1))]

    def test_gives_who_is_not_signed_in_the_public_part(
        self, court: Facility, travel: time_machine.Traveller
    ) -> None:
        Announcement.objects.create(title="For all", state="published", audience="public")
        Announcement.objects.create(title="For members", state="published")

        data = read(APIClient())["data"]

        assert data["club"]["currency"] == "PHP"
        assert [one["title"] for one in data["announcements"]] == ["For all"]
        assert data["facilities"] == data["areas"] == data["kinds"] == data["categories"] == []

    def test_refuses_a_dead_token_and_an_unknown_parameter(self) -> None:
        dead = APIClient()
        dead.credentials(HTTP_AUTHORIZATION="Bearer dead")
        assert dead.get(PATH).status_code == 401
        assert APIClient().get(PATH, {"sinc": "x"}).status_code == 400

    def test_shows_staff_the_drafts_that_they_edit(
        self, client_of: Client, front_desk: User, court: Facility
    ) -> None:
        Facility.objects.filter(pk=court.pk).update(state="draft")
        assert [one["state"] for one in read(client_of(front_desk))["data"]["facilities"]] == ["draft"]

    def test_tells_of_maintenance_and_asks_nothing_of_a_database_that_may_be_away(
        self,
        client_of: Client,
        owner: Member,
        now: datetime,
        settings: Settings,
        tmp_path: Path,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client = client_of(owner)
        settings.DATA_DIR = tmp_path
        maintenance.switch_on(message="New greens.", until=now)

        with django_assert_num_queries(0):
            found = read(client)

        assert found == {
            "server_time": "2026-06-01T00:00:00Z",
            "minimum_app_version": "1.0.0",
            "maintenance": {"message": "New greens.", "until": "2026-06-01T00:00:00Z"},
            "version": None,
        }

    def test_asks_the_same_few_questions_of_a_small_club_and_of_a_large_one(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        Announcement.objects.create(title="The first", state="published", audience="public")
        client = client_of(owner)
        read(client)
        small = queries(client)
        for number in range(30):
            make_facility(f"Court {number}", area=f"Area {number}")
            Announcement.objects.create(title=f"News {number}", state="published", audience="public")
        read(client)

        assert queries(client) == small == MEMBER_QUERIES
        assert queries(APIClient()) == STRANGER_QUERIES


class TestVersion:
    def test_stays_while_nothing_changes_and_members_of_a_category_share_it(
        self, client_of: Client, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        later = now + timedelta(hours=1)
        before = version(client_of(owner))
        assert version_at(owner, later) == version_at(stranger, later) == before

    def test_leaves_the_data_out_for_who_has_it(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        client = client_of(owner)
        current = version(client)

        known = read(client, since=current)

        assert "data" not in known
        assert known["version"] == current
        assert known["server_time"]
        assert "data" in read(client, since="older")

    @pytest.mark.parametrize(
        "change",
        [
            lambda court: court.save(),
            lambda court: Announcement.objects.create(title="New", state="published"),
            lambda court: Holiday.objects.create(on="2026-12-25", name="Christmas Day", is_confirmed=True),
            lambda court: court.policies.get().save(),
            lambda court: Rulebook.turn_page(),
        ],
        ids=["facility", "announcement", "holiday", "policy", "page"],
    )
    def test_moves_with_every_page_of_the_rulebook(
        self, client_of: Client, owner: Member, court: Facility, change: Callable[[Facility], object]
    ) -> None:
        client = client_of(owner)
        before = version(client)

        change(court)

        assert version(client) != before
        assert "data" in read(client, since=before)

    def test_moves_when_a_schedule_begins_and_when_it_ends(self, owner: Member, now: datetime) -> None:
        hours = [now + timedelta(hours=number) for number in range(3)]
        Announcement.objects.create(
            title="For an hour", state="published", publish_from=hours[1], publish_until=hours[2]
        )

        before, begun, ended = (version_at(owner, at) for at in hours)

        assert version_at(owner, hours[1] - timedelta(seconds=1)) == before
        assert version_at(owner, hours[2] - timedelta(seconds=1)) == begun
        assert begun != before == ended

    def test_moves_when_a_facility_begins_to_be_shown(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        later = now + timedelta(hours=1)
        court.publish_from = later
        court.save()
        assert version_at(owner, now) != version_at(owner, later)

    def test_moves_at_the_clubs_midnight_when_other_terms_begin(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        court.policies.update(valid_from="2026-06-02")
        midnight = now + timedelta(hours=16)
        before = version_at(owner, now)

        assert version_at(owner, midnight - timedelta(seconds=1)) == before
        assert version_at(owner, midnight) != before

    def test_differs_with_the_category_where_the_data_do(
        self, client_of: Client, owner: Member, gold: Member
    ) -> None:
        assert version(client_of(owner)) == version(client_of(gold))

        Announcement.objects.create(
            title="Gold only", state="published", audience="categories"
        ).categories.add(gold.membership.category)

        assert version(client_of(owner)) != version(client_of(gold))

    def test_moves_when_the_reader_changes_category(
        self, client_of: Client, owner: Member, gold: Member
    ) -> None:
        Announcement.objects.create(
            title="Gold only", state="published", audience="categories"
        ).categories.add(gold.membership.category)
        client = client_of(owner)
        before = version(client)

        owner.membership.category = gold.membership.category
        owner.membership.save(update_fields=["category"])

        assert version(client) != before

    def test_is_that_of_nobody_else_before_sign_in(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        assert version(APIClient()) != version(client_of(owner))


class TestEtag:
    @pytest.fixture
    def client(self, client_of: Client, owner: Member, court: Facility) -> APIClient:
        return client_of(owner)

    def test_is_a_304_for_who_has_it_although_time_passes(
        self, client: APIClient, travel: time_machine.Traveller
    ) -> None:
        tag = client.get(PATH)["ETag"]
        travel.shift(timedelta(minutes=5))

        again = client.get(PATH, headers={"If-None-Match": tag})

        assert tag.startswith('W/"')
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert again["Cache-Control"] == "private, no-cache"

    def test_of_an_answer_without_data_is_another(self, client: APIClient) -> None:
        whole = client.get(PATH)
        bare = client.get(PATH, {"since": whole.json()["version"]})
        assert bare["ETag"] != whole["ETag"]

    def test_moves_with_maintenance_and_with_the_minimum_version(
        self, client: APIClient, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path
        tags = [client.get(PATH)["ETag"]]
        settings.MINIMUM_APP_VERSION = "2.0.0"
        tags.append(client.get(PATH)["ETag"])
        maintenance.switch_on()
        tags.append(client.get(PATH)["ETag"])
        maintenance.switch_on(message="New greens.")
        tags.append(client.get(PATH)["ETag"])

        assert len(set(tags)) == 4
        assert client.get(PATH, headers={"If-None-Match": tags[0]}).status_code == 200
