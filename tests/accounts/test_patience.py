"""The soft lock and the buckets of sign-in: who is counted with whom, and who is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisDownError
from rest_framework.test import APIClient

from accounts.models import Device, Member, User
from accounts.policies.patience import delay_after
from accounts.services.patience import note_failure, seconds_to_wait
from bcc.core.errors import BusyError
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
DEVICE = {"platform": "ios", "name": "Test phone", "app_version": "1.0"}
SPELLINGS = (
    "+639171234567", "09171234567", "9171234567", "0917 123 4567", "+63 (917) 123-4567",
    "０９１７１２３４５６７",
)  # fmt: skip


class TestDelayAfter:
    def test_grows_from_nothing_to_five_minutes(self) -> None:
        assert [delay_after(n) for n in (0, 3, 4, 5, 6, 11, 12, 10**9)] == [0, 0, 2, 4, 8, 256, 300, 300]


@pytest.fixture
def client(travel: Any) -> APIClient:
    return APIClient()


@pytest.fixture
def limited(settings: Any) -> Callable[..., None]:
    def limit(**rates: str) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | rates

    return limit


def login(client: APIClient, identifier: str, password: str = "wrong", **more: Any) -> Any:
    extra = {key: more.pop(key) for key in list(more) if key.startswith(("HTTP_", "REMOTE_"))}
    body = {"identifier": identifier, "password": password, "device": DEVICE, **more}
    return client.post("/api/v1/auth/login", body, **extra)


class TestSoftLock:
    def test_makes_the_one_who_is_wrong_wait_a_little_longer_each_time(
        self, client: APIClient, user: User, travel: Any
    ) -> None:
        assert [login(client, user.username).status_code for _ in range(4)] == [401] * 4
        refused = login(client, user.username, PASSWORD)
        assert (refused.status_code, refused["Retry-After"]) == (429, "2")
        travel.shift(timedelta(seconds=2))
        assert login(client, user.username).status_code == 401
        assert login(client, user.username)["Retry-After"] == "4"
        travel.shift(timedelta(seconds=4))
        assert login(client, user.username, PASSWORD).status_code == 200
        assert [login(client, user.username).status_code for _ in range(3)] == [401] * 3

    def test_a_stranger_elsewhere_locks_nobody_out(
        self, client: APIClient, user: User, limited: Callable[..., None]
    ) -> None:
        limited(login_identifier="5/15m")
        for _ in range(8):
            login(client, user.username, REMOTE_ADDR="192.0.2.66")
        assert login(client, user.username, REMOTE_ADDR="192.0.2.66").status_code == 429
        assert login(client, user.username, PASSWORD).status_code == 200

    def test_a_trusted_device_is_let_in_whatever_strangers_did(
        self, client: APIClient, user: User, trusted: Device, limited: Callable[..., None]
    ) -> None:
        limited(login_everywhere="5/15m", login_everybody="5/15m")
        for number in range(8):
            login(client, user.username, REMOTE_ADDR=f"192.0.2.{number}")
        assert login(client, user.username, PASSWORD).status_code == 429
        let_in = login(client, user.username, PASSWORD, device_token="trusted-token")
        assert let_in.status_code == 200
        assert login(client, user.username, PASSWORD, device_token="made up").status_code == 429

    def test_the_device_of_another_opens_no_bucket(
        self, client: APIClient, user: User, trusted: Device, stranger: Member, limited: Callable[..., None]
    ) -> None:
        limited(login_everywhere="2/15m")
        found = [
            login(client, stranger.member_no, device_token="trusted-token").status_code for _ in range(3)
        ]
        assert found == [401, 401, 429]

    def test_is_forgotten_when_the_cache_is_and_fails_closed_while_it_is_away(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note_failure(key="somebody", now=now)
        assert seconds_to_wait(key="somebody", now=now) == 0

        def away(*_: Any, **__: Any) -> None:
            raise RedisDownError

        monkeypatch.setattr(cache, "get", away)
        with pytest.raises(BusyError):
            seconds_to_wait(key="somebody", now=now)


class TestBuckets:
    def test_six_spellings_of_a_mobile_number_are_one_and_another_member_is_not_in_it(
        self, client: APIClient, user: User, stranger: Member, limited: Callable[..., None]
    ) -> None:
        limited(login_everywhere="5/15m")
        User.objects.filter(pk=user.pk).update(mobile="+639171234567")
        # A claimed address is none: no proxy of ours is configured.
        statuses = [
            login(client, one, REMOTE_ADDR=f"192.0.2.{number}", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
            .status_code
            for number, one in enumerate(SPELLINGS)
        ]  # fmt: skip
        assert statuses == [401] * 5 + [429]
        assert login(client, stranger.member_no).status_code == 401

    def test_case_and_space_of_a_member_number_are_one(
        self, client: APIClient, owner: Member, limited: Callable[..., None]
    ) -> None:
        limited(login_everywhere="3/15m")
        number = owner.member_no
        spelled = [number, number.lower(), f"  {number} ", number.replace("-", " ")]
        found = [login(client, one, REMOTE_ADDR=f"192.0.2.{n}").status_code for n, one in enumerate(spelled)]
        assert found == [401, 401, 401, 429]

    def test_a_spoofed_forwarded_address_changes_no_bucket(
        self, client: APIClient, user: User, settings: Any, limited: Callable[..., None]
    ) -> None:
        limited(login_address="3/15m")
        settings.TRUSTED_PROXY_HOPS = 1
        found = [
            login(client, f"nobody{n}", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}, 192.0.2.9").status_code
            for n in range(4)
        ]
        assert found == [401, 401, 401, 429]
        assert login(client, "x", HTTP_X_FORWARDED_FOR="203.0.113.1, 192.0.2.10").status_code == 401

    def test_a_form_is_not_another_way_in(
        self, client: APIClient, user: User, limited: Callable[..., None]
    ) -> None:
        limited(login_everywhere="2/15m")
        form = f"identifier={user.username}&password={PASSWORD}"
        kind = "application/x-www-form-urlencoded"
        refused = [client.post("/api/v1/auth/login", form, content_type=kind) for _ in range(3)]
        assert {one.status_code for one in refused} == {415}
        assert login(client, user.username, PASSWORD).status_code == 200

    def test_says_how_long_and_how_many(
        self, client: APIClient, user: User, limited: Callable[..., None]
    ) -> None:
        limited(login_identifier="1/15m")
        login(client, user.username)
        refused = login(client, user.username)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert '"login_identifier";q=1;w=900' in refused["RateLimit-Policy"]
        assert '"login_identifier";r=0' in refused["RateLimit"]

    def test_codes_are_limited_for_a_name_from_everywhere(
        self, client: APIClient, user: User, limited: Callable[..., None]
    ) -> None:
        limited(otp_everywhere="2/h")
        found = [
            client.post(
                "/api/v1/auth/otp/request",
                {"purpose": "reset", "identifier": spelled},
                REMOTE_ADDR=f"192.0.2.{number}",
            ).status_code
            for number, spelled in enumerate((user.username, user.username.upper(), f" {user.username}"))
        ]
        assert found == [200, 200, 429]
