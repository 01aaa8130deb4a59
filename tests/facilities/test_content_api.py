"""Club content over REST: read by members, written by the staff who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import Member, User
from facilities.models import Announcement

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
