"""Activation and reset, by the API and below it: who is named changes nothing that can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Device, Grant, Notification, OneTimePassword, Session, User
from accounts.services import notifications
from accounts.services.grants import GrantOverError, Purpose, find_grant, give_grant, use_grant
from accounts.services.household import deactivate_user
from accounts.services.one_time_passwords import issue_challenge, void_challenges
from accounts.services.recovery import activate, ensure_nobody, request_code, reset_password
from accounts.services.sessions import open_session
from bcc.core.errors import InvalidError
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD, PHONE

pytestmark = pytest.mark.django_db(transaction=True)

DEVICE = {"platform": "ios", "name": "Test phone", "app_version": "1.0"}


@pytest.fixture
def client(travel: Any) -> APIClient:
    return APIClient()


@pytest.fixture
def newcomer(user: User) -> User:
    """The owner's account as it was issued: without a password."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return user


def ask(client: APIClient, purpose: str, identifier: str) -> Any:
    return client.post("/api/v1/auth/otp/request", {"purpose": purpose, "identifier": identifier})


def verify(client: APIClient, challenge: str, code: str) -> Any:
    return client.post("/api/v1/auth/otp/verify", {"challenge": challenge, "code": code})


class TestActivation:
    def test_a_code_and_a_password_sign_in_on_a_trusted_device(
        self, client: APIClient, newcomer: User, code_sent: Callable[[], str]
    ) -> None:
        asked = ask(client, "activation", newcomer.username)
        assert (asked.status_code, asked.data["sent_to"]) == (200, "")
        granted = verify(client, asked.data["challenge"], code_sent())
        assert set(granted.data) == {"otp_required", "grant", "grant_expires_at"}
        body = {"grant": granted.data["grant"], "new_password": NEW_PASSWORD, "device": DEVICE}
        activated = client.post("/api/v1/auth/activate", body)
        assert activated.status_code == 200
        assert Device.objects.trusted().get().name == "Test phone"
        again = client.post(
            "/api/v1/auth/login",
            {
                "identifier": newcomer.username,
                "password": NEW_PASSWORD,
                "device": DEVICE,
                "device_token": activated.data["device_token"],
            },
        )
        assert again.data["otp_required"] is False
        assert client.post("/api/v1/auth/activate", body).data["code"] == "grant_over"

    def test_a_bad_password_leaves_the_grant_good(self, newcomer: User, now: datetime) -> None:
        grant = give_grant(user=newcomer, purpose=Purpose.ACTIVATION, now=now).grant
        with pytest.raises(InvalidError):
            activate(grant=grant, password="golf2026!", facts=PHONE, now=now)
        assert activate(grant=grant, password=NEW_PASSWORD, facts=PHONE, now=now).device_token

    def test_is_not_for_who_has_a_password_nor_a_reset_for_who_has_none(
        self, user: User, now: datetime
    ) -> None:
        request_code(identifier=user.username, purpose=Purpose.ACTIVATION, now=now)
        assert OneTimePassword.objects.get().user is None
        user.set_unusable_password()
        user.save(update_fields=["password"])
        request_code(identifier=user.username, purpose=Purpose.RESET, now=now)
        assert not OneTimePassword.objects.exclude(user=None).exists()


class TestReset:
    def test_a_code_and_a_password_end_every_session(
        self, client: APIClient, user: User, trusted: Device, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        open_session(user=user, device=trusted, now=now)
        asked = ask(client, "reset", user.email.upper())
        granted = verify(client, asked.data["challenge"], code_sent())
        body = {"grant": granted.data["grant"], "new_password": NEW_PASSWORD}
        assert client.post("/api/v1/auth/password/reset", body).status_code == 204
        assert Session.objects.get().end_reason == "password"
        user.refresh_from_db()
        assert user.check_password(NEW_PASSWORD)
        assert user.token_version == 2
        assert Notification.objects.filter(kind="password_changed").exists()
        assert client.post("/api/v1/auth/password/reset", body).status_code == 401

    def test_the_grant_of_an_activation_is_none(self, user: User, now: datetime) -> None:
        grant = give_grant(user=user, purpose=Purpose.ACTIVATION, now=now).grant
        with pytest.raises(GrantOverError):
            reset_password(grant=grant, password=NEW_PASSWORD, now=now)
        assert user.check_password(PASSWORD)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"identifier": "x", "purpose": "device"},
            {"identifier": "x", "purpose": "step_up"},
            {"identifier": "x", "challenge": "00000000-0000-4000-8000-000000000000", "purpose": "reset"},
        ],
    )
    def test_says_what_makes_no_sense(self, client: APIClient, body: dict[str, Any]) -> None:
        assert client.post("/api/v1/auth/otp/request", body).status_code == 400


class TestGrants:
    def test_is_worth_nothing_when_used_replaced_expired_or_voided(self, user: User, now: datetime) -> None:
        def find(token: str, at: datetime = now) -> Grant:
            return find_grant(token=token, purpose=Purpose.RESET, now=at)

        first = give_grant(user=user, purpose=Purpose.RESET, now=now).grant
        second = give_grant(user=user, purpose=Purpose.RESET, now=now).grant
        with pytest.raises(GrantOverError):
            find(first)
        grant = find(second, now + timedelta(minutes=10) - timedelta(microseconds=1))
        with pytest.raises(GrantOverError):
            find(second, now + timedelta(minutes=10))
        use_grant(grant=grant, now=now)
        with pytest.raises(GrantOverError):
            use_grant(grant=grant, now=now)
        third = give_grant(user=user, purpose=Purpose.RESET, now=now).grant
        void_challenges(user_id=user.pk, now=now)
        with pytest.raises(GrantOverError):
            find(third)
        assert not Grant.objects.filter(token_hash__in=[first, second, third]).exists()


class TestSameForEverybody:
    """Known, unknown and suspended: status, body, headers, statements and rows."""

    @pytest.fixture
    def identities(self, user: User, stranger: Any, now: datetime) -> dict[str, str]:
        stranger.user.set_password(PASSWORD)
        stranger.user.save(update_fields=["password"])
        deactivate_user(user=stranger.user, now=now)
        ensure_nobody()
        return {"known": user.username, "unknown": "nobody here", "suspended": stranger.user.username}

    def measured(self, call: Callable[[], Any]) -> tuple[Any, ...]:
        cache.clear()  # the counters that the headers tell
        with CaptureQueriesContext(connection) as seen:
            answer = call()
        verbs = [one["sql"].split()[0] for one in seen.captured_queries]
        headers = {key: value for key, value in answer.items() if key != "X-Request-ID"}
        # When a window ends is worked out from the name that was sent, whether or not it is anybody's.
        headers["RateLimit"] = re.sub(r"t=\d+", "t", headers["RateLimit"])
        body = {key: value for key, value in answer.data.items() if key not in ("challenge", "request_id")}
        rows = (OneTimePassword.objects.count(), Notification.objects.filter(kind="one_time_code").count())
        OneTimePassword.objects.all().delete()
        return answer.status_code, headers, body, verbs, rows

    @pytest.mark.parametrize("purpose", ["reset", "activation"])
    def test_at_a_request(
        self,
        client: APIClient,
        identities: dict[str, str],
        purpose: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # What is sent leaves after the reply, by another process.
        monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
        found = {
            name: self.measured(lambda one=one: ask(client, purpose, one))  # type: ignore[misc]
            for name, one in identities.items()
        }
        assert found["known"] == found["unknown"] == found["suspended"]
        assert found["known"][0] == 200
        assert found["known"][-1] == (1, 1)

    def test_at_a_login_with_one_hash_each(
        self, client: APIClient, identities: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashes: list[str] = []
        encode = MD5PasswordHasher.encode

        def counted(self: Any, *args: Any, **kwargs: Any) -> str:
            hashes.append("one")
            return encode(self, *args, **kwargs)

        monkeypatch.setattr(MD5PasswordHasher, "encode", counted)

        def login(identifier: str, password: str) -> tuple[Any, ...]:
            hashes.clear()
            body = {"identifier": identifier, "password": password, "device": DEVICE}
            found = self.measured(lambda: client.post("/api/v1/auth/login", body))
            return *found, len(hashes)

        known = login(identities["known"], "wrong")
        assert known == login(identities["unknown"], "wrong") == login(identities["suspended"], "wrong")
        assert known == login(identities["suspended"], PASSWORD)
        assert (known[0], known[-2], known[-1]) == (401, (0, 0), 1)

    def test_at_a_wrong_code_and_at_sending_again(
        self, client: APIClient, identities: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
        found = {}
        for name, one in identities.items():
            challenge = ask(client, "reset", one).data["challenge"]
            again = client.post("/api/v1/auth/otp/request", {"challenge": challenge})
            wrong = verify(client, challenge, "nonsense")
            found[name] = (
                again.status_code, again.data["sent_to"], wrong.status_code, wrong.data["code"],
                Notification.objects.filter(one_time_password__challenge=challenge).count(),
            )  # fmt: skip
        assert found["known"] == found["unknown"] == found["suspended"] == (200, "", 401, "wrong_code", 2)

    def test_without_the_stand_in_a_known_one_writes_more(
        self, user: User, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: what the count of rows would show if nobody had no row."""
        monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
        rows = []
        for who in (user, None):
            issue_challenge(user=who, purpose=Purpose.RESET, now=now)
            rows.append(Notification.objects.count())
        assert rows == [1, 1]  # the unknown one adds none


class TestStepUp:
    def test_an_old_sign_in_needs_a_code_to_change_the_password(
        self, client: APIClient, user: User, trusted: Device, travel: Any, code_sent: Callable[[], str]
    ) -> None:
        login = {"identifier": user.username, "password": PASSWORD, "device": DEVICE}
        tokens = client.post("/api/v1/auth/login", login | {"device_token": "trusted-token"}).data["tokens"]
        travel.shift(timedelta(minutes=16))
        fresh = client.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}).data
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {fresh['access']}")
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        refused = client.post("/api/v1/auth/password/change", change)
        assert (refused.status_code, refused.data["code"]) == (403, "step_up_required")
        asked = client.post("/api/v1/auth/step-up", {})
        assert asked.data["sent_to"]
        grant = verify(APIClient(), asked.data["challenge"], code_sent()).data["grant"]
        assert client.post("/api/v1/auth/password/change", change | {"grant": "x"}).status_code == 401
        changed = client.post("/api/v1/auth/password/change", change | {"grant": grant})
        assert changed.status_code == 200

    def test_the_grant_of_another_is_none(
        self, client_of: Callable[..., APIClient], owner: Any, stranger: Any, user: User, now: datetime
    ) -> None:
        theirs = give_grant(user=stranger.user, purpose=Purpose.STEP_UP, now=now).grant
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "grant": theirs}
        assert client_of(owner).post("/api/v1/auth/password/change", body).data["code"] == "grant_over"
