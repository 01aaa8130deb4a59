from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import ChannelPreference, Device, Member, Notification, User
from accounts.services.notifications import notify
from tests.factories import make_session

SignIn = Callable[[Member | User], APIClient]
PATHS = ["me", "me/household", "me/devices", "me/notifications"]


def tell(user: User, now: datetime, count: int = 1) -> None:
    for number in range(count):
        notify(
            user_id=user.pk, kind="password_changed", context={"at": f"time {number}"}, dedupe=f"e{number}",
            now=now + timedelta(minutes=number), link="settings",
        )  # fmt: skip


class TestEveryRoute:
    @pytest.mark.parametrize("path", PATHS)
    def test_anonymous_is_a_401(self, db: None, path: str) -> None:
        assert APIClient().get(f"/api/v1/{path}").status_code == 401

    @pytest.mark.parametrize("path", PATHS)
    def test_an_unknown_parameter_is_a_400(self, client_of: SignIn, owner: Member, path: str) -> None:
        refused = client_of(owner).get(f"/api/v1/{path}?nonsense=1")
        assert refused.status_code == 400
        assert "nonsense" in refused.data["errors"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("delete", f"me/devices/{UUID(int=4)}"),
            ("put", "me/devices/current"),
            ("patch", "me"),
            ("post", f"me/notifications/{UUID(int=4)}/read"),
        ],
    )
    def test_anonymous_changes_nothing(self, db: None, method: str, path: str) -> None:
        assert getattr(APIClient(), method)(f"/api/v1/{path}").status_code == 401


class TestMe:
    def test_says_who_one_is_in_two_queries(
        self, client_of: SignIn, owner: Member, django_assert_num_queries: Any
    ) -> None:
        client = client_of(owner)
        client.get("/api/v1/me")
        with django_assert_num_queries(2):
            me = client.get("/api/v1/me").data
        assert me["id"] == str(owner.user.public_id)  # type: ignore[union-attr]  # the cast has accounts
        assert me["member"]["member_no"] == owner.member_no
        assert me["membership"]["account_no"] == owner.membership.account_no
        assert me["membership"]["category"] == {"code": "regular", "name": "Regular"}
        assert me["permissions"] == []

    def test_staff_have_no_member_and_see_what_they_may(self, client_of: SignIn, front_desk: User) -> None:
        me = client_of(front_desk).get("/api/v1/me").data
        assert (me["member"], me["membership"], me["is_staff"]) == (None, None, True)
        assert "reservations.work_the_desk" in me["permissions"]

    def test_shows_each_kind_on_each_channel_that_there_is(self, client_of: SignIn, owner: Member) -> None:
        shown = client_of(owner).get("/api/v1/me").data["channel_preferences"]
        changed = [one for one in shown if one["kind"] == "password_changed"]
        assert [(one["channel"], one["is_wanted"], one["may_change"]) for one in changed] == [
            ("in_app", True, False),
            ("email", True, False),
        ]
        assert not [one for one in shown if one["channel"] == "sms"]

    def test_a_member_chooses_channels(self, client_of: SignIn, owner: Member) -> None:
        client = client_of(owner)
        offered = client.get("/api/v1/me").data["channel_preferences"]
        kind = next(one["kind"] for one in offered if one["channel"] == "email" and one["may_change"])
        body = {"channel_preferences": [{"kind": kind, "channel": "email", "is_wanted": False}]}
        changed = client.patch("/api/v1/me", body)
        assert changed.status_code == 200
        row = next(
            one
            for one in changed.data["channel_preferences"]
            if (one["kind"], one["channel"]) == (kind, "email")
        )
        assert row["is_wanted"] is False
        assert ChannelPreference.objects.get().user == owner.user

    @pytest.mark.parametrize(
        "choice",
        [
            {"kind": "password_changed", "channel": "email", "is_wanted": False},
            {"kind": "no_such", "channel": "email", "is_wanted": False},
            {"kind": "password_changed", "channel": "pigeon", "is_wanted": False},
            {"kind": "password_changed", "channel": "email", "is_wanted": "no"},
            {"kind": "password_changed"},
            "no",
        ],
    )
    def test_refuses_a_choice_that_there_is_not(self, client_of: SignIn, owner: Member, choice: Any) -> None:
        refused = client_of(owner).patch("/api/v1/me", {"channel_preferences": [choice]})
        assert refused.status_code == 400
        assert all(name.startswith("channel_preferences.0") for name in refused.data["errors"])
        assert not ChannelPreference.objects.exists()

    @pytest.mark.parametrize("field", ["email", "mobile", "is_staff", "display_name", "member"])
    def test_nothing_else_can_be_set(self, client_of: SignIn, owner: Member, field: str) -> None:
        assert client_of(owner).patch("/api/v1/me", {field: "x"}).status_code == 400

    def test_a_user_who_has_just_gone_is_not_found(
        self, client_of: SignIn, owner: Member, user: User
    ) -> None:
        client = client_of(owner)
        client.get("/api/v1/me")
        user.delete()
        assert client.get("/api/v1/me").status_code == 404
        assert client.get("/api/v1/me/household").status_code == 200


class TestHousehold:
    def test_principal_and_spouse_see_everyone_in_two_queries(
        self,
        client_of: SignIn,
        owner: Member,
        spouse: Member,
        dependent: Member,
        stranger: Member,
        django_assert_num_queries: Any,
    ) -> None:
        for who in (owner, spouse):
            client = client_of(who)
            client.get("/api/v1/me/household")
            with django_assert_num_queries(2):
                seen = client.get("/api/v1/me/household").data
            numbers = [one["member_no"] for one in seen["members"]]
            assert numbers == [owner.member_no, spouse.member_no, dependent.member_no]
            assert seen["membership"]["id"] == str(owner.membership.public_id)

    def test_a_dependent_sees_themselves(self, client_of: SignIn, dependent: Member) -> None:
        seen = client_of(dependent).get("/api/v1/me/household").data
        assert [one["member_no"] for one in seen["members"]] == [dependent.member_no]

    def test_staff_have_none(self, client_of: SignIn, front_desk: User) -> None:
        assert client_of(front_desk).get("/api/v1/me/household").status_code == 403

    def test_a_member_who_has_just_gone_is_not_found(self, client_of: SignIn, owner: Member) -> None:
        client = client_of(owner)
        client.get("/api/v1/me/household")
        owner.delete()
        assert client.get("/api/v1/me/household").status_code == 404


class TestDevices:
    def test_lists_ones_own_trusted_ones_in_one_query_however_many(
        self, client_of: SignIn, owner: Member, trusted: Device, stranger: Member, now: datetime,
        django_assert_num_queries: Any,
    ) -> None:  # fmt: skip
        assert stranger.user is not None
        make_session(stranger.user, now=now)
        Device.objects.create(user=trusted.user, last_seen_at=now)  # never answered a code
        client = client_of(owner)
        client.get("/api/v1/me/devices")
        with django_assert_num_queries(1):
            seen = client.get("/api/v1/me/devices").data
        assert [one["is_current"] for one in seen["results"]] == [True, False]
        assert seen["results"][1]["id"] == str(trusted.public_id)
        for _ in range(20):
            make_session(trusted.user, now=now)
        with django_assert_num_queries(1):
            assert len(client.get("/api/v1/me/devices").data["results"]) == 22

    def test_forgets_one(self, client_of: SignIn, owner: Member, trusted: Device) -> None:
        client = client_of(owner)
        assert client.delete(f"/api/v1/me/devices/{trusted.public_id}").status_code == 204
        assert client.delete(f"/api/v1/me/devices/{trusted.public_id}").status_code == 404
        assert len(client.get("/api/v1/me/devices").data["results"]) == 1

    def test_anothers_looks_like_none(self, client_of: SignIn, stranger: Member, trusted: Device) -> None:
        client = client_of(stranger)
        theirs = client.delete(f"/api/v1/me/devices/{trusted.public_id}")
        none = client.delete(f"/api/v1/me/devices/{uuid4()}")
        assert theirs.status_code == none.status_code == 404
        assert {**theirs.data, "request_id": ""} == {**none.data, "request_id": ""}
        assert client.delete("/api/v1/me/devices/1").status_code == 404

    def test_the_current_one_says_what_it_is(self, client_of: SignIn, owner: Member) -> None:
        client = client_of(owner)
        body = {"platform": "android", "name": "My phone", "app_version": "2.0", "push_token": "push"}
        put = client.put("/api/v1/me/devices/current", body)
        assert put.status_code == 200
        assert (put.data["name"], put.data["is_current"]) == ("My phone", True)
        assert "push_token" not in put.data
        assert Device.objects.get(push_token="push").platform == "android"
        client.put("/api/v1/me/devices/current", {"platform": "android"})
        assert Device.objects.get().push_token == "push"

    @pytest.mark.parametrize(
        "body",
        [{}, {"platform": "toaster"}, {"platform": "ios", "push_token": 5}, {"platform": "ios", "x": 1}],
    )
    def test_names_what_is_no_value(self, client_of: SignIn, owner: Member, body: dict[str, Any]) -> None:
        assert client_of(owner).put("/api/v1/me/devices/current", body).status_code == 400

    def test_only_its_own_methods(self, client_of: SignIn, owner: Member) -> None:
        assert client_of(owner).get("/api/v1/me/devices/current").status_code == 405


class TestNotifications:
    def test_are_the_texts_newest_first_in_one_query_however_many(
        self, client_of: SignIn, owner: Member, user: User, now: datetime, django_assert_num_queries: Any
    ) -> None:
        tell(user, now, 3)
        client = client_of(owner)
        client.get("/api/v1/me/notifications")
        with django_assert_num_queries(1):
            first = client.get("/api/v1/me/notifications?page_size=2").data
        assert [one["body"].split("changed at ")[1][:6] for one in first["results"]] == ["time 2", "time 1"]
        assert first["results"][0]["title"] == "Password changed"
        assert first["results"][0]["link"] == "settings"
        assert first["previous"] is None
        last = client.get(first["next"]).data
        assert len(last["results"]) == 1
        assert last["next"] is None
        tell(user, now, 30)
        with django_assert_num_queries(1):
            assert len(client.get("/api/v1/me/notifications").data["results"]) == 25

    def test_one_that_waits_for_its_time_is_not_shown(
        self, client_of: SignIn, owner: Member, user: User, now: datetime
    ) -> None:
        notify(
            user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe="later", now=now,
            send_at=now + timedelta(hours=1),
        )  # fmt: skip
        assert client_of(owner).get("/api/v1/me/notifications").data["results"] == []

    def test_marks_one_as_read(self, client_of: SignIn, owner: Member, user: User, now: datetime) -> None:
        tell(user, now, 2)
        client = client_of(owner)
        one = client.get("/api/v1/me/notifications").data["results"][0]
        read = client.post(f"/api/v1/me/notifications/{one['id']}/read")
        assert read.status_code == 200
        assert read.json()["read_at"] == "2026-06-01T00:00:00Z"
        unread = client.get("/api/v1/me/notifications?unread=true").data["results"]
        seen = client.get("/api/v1/me/notifications?unread=false").data["results"]
        assert one["id"] not in {row["id"] for row in unread}
        assert [row["id"] for row in seen] == [one["id"]]

    def test_anothers_looks_like_none(
        self, client_of: SignIn, user: User, stranger: Member, now: datetime
    ) -> None:
        tell(user, now)
        client = client_of(stranger)
        shown = Notification.objects.get(channel="in_app")
        theirs = client.post(f"/api/v1/me/notifications/{shown.public_id}/read")
        none = client.post(f"/api/v1/me/notifications/{uuid4()}/read")
        assert theirs.status_code == none.status_code == 404
        assert {**theirs.data, "request_id": ""} == {**none.data, "request_id": ""}
        assert client.get("/api/v1/me/notifications").data["results"] == []

    def test_one_whose_kind_went_with_its_app_does_no_harm(
        self, client_of: SignIn, owner: Member, user: User, now: datetime
    ) -> None:
        tell(user, now)
        Notification.objects.update(kind="gone")
        row = client_of(owner).get("/api/v1/me/notifications").data["results"][0]
        assert (row["kind"], row["title"], row["body"]) == ("gone", "", "")

    @pytest.mark.parametrize(
        "query", ["unread=maybe", "unread=1", "cursor=x", "page_size=0", "page_size=101"]
    )
    def test_refuses_what_is_no_value(self, client_of: SignIn, owner: Member, query: str) -> None:
        assert client_of(owner).get(f"/api/v1/me/notifications?{query}").status_code == 400
