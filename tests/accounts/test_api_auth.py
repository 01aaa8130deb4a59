from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as RedisDownError
from rest_framework.test import APIClient

from accounts.models import Device, Member, OneTimePassword, Session, User
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

DEVICE = {"platform": "ios", "name": "Test phone", "app_version": "1.0"}


@pytest.fixture
def client(travel: Any) -> APIClient:
    return APIClient()


def login(client: APIClient, user: User, **more: Any) -> Any:
    body = {"identifier": user.username, "password": PASSWORD, "device": DEVICE, **more}
    return client.post("/api/v1/auth/login", body)


def bearer(client: APIClient, tokens: dict[str, str]) -> APIClient:
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    return client


class TestLogin:
    def test_a_new_device_answers_a_code_and_is_trusted_from_then_on(
        self, client: APIClient, user: User, code_sent: Callable[[], str]
    ) -> None:
        asked = login(client, user)
        assert asked.status_code == 200
        assert asked.data["otp_required"] is True
        assert set(asked.data["challenge"]) == {
            "challenge", "channel", "sent_to", "expires_at", "resend_at", "resends_left",
        }  # fmt: skip
        assert "tokens" not in asked.data
        answer = {"challenge": asked.data["challenge"]["challenge"], "code": code_sent()}
        verified = client.post("/api/v1/auth/otp/verify", answer)
        assert verified.status_code == 200
        assert verified.data["otp_required"] is False
        assert verified["Cache-Control"] == "no-store"
        assert bearer(client, verified.data["tokens"]).get("/api/v1/me").status_code == 200
        again = login(APIClient(), user, device_token=verified.data["device_token"])
        assert again.data["otp_required"] is False
        assert "device_token" not in again.data

    def test_takes_the_member_number_in_any_spelling(
        self, client: APIClient, user: User, owner: Member
    ) -> None:
        spelled = f" {owner.member_no.lower().replace('-', ' ')} "
        assert login(client, user, identifier=spelled).status_code == 200

    @pytest.mark.parametrize(("identifier", "password"), [(None, "wrong"), ("nobody", PASSWORD)])
    def test_refuses_alike(
        self, client: APIClient, user: User, identifier: str | None, password: str
    ) -> None:
        refused = login(client, user, identifier=identifier or user.username, password=password)
        assert (refused.status_code, refused.data["code"]) == (401, "wrong_credentials")
        assert refused["Content-Type"] == "application/problem+json"

    def test_does_not_look_at_a_token_that_is_sent_along(self, client: APIClient, user: User) -> None:
        client.credentials(HTTP_AUTHORIZATION="Bearer dead")
        assert login(client, user).status_code == 200

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"identifier": 5}, "identifier"),
            ({"identifier": ""}, "identifier"),
            ({"identifier": "x" * 255}, "identifier"),
            ({"password": None}, "password"),
            ({"password": "x" * 129}, "password"),
            ({"device": {}}, "device.platform"),
            ({"device": {"platform": "toaster"}}, "device.platform"),
            ({"device": "phone"}, "device"),
            ({"device_token": 1}, "device_token"),
            ({"remember_me": True}, "remember_me"),
            ({"identifier": "a\0b"}, "identifier"),
        ],
    )
    def test_names_the_field_that_is_no_value(
        self, client: APIClient, user: User, change: dict[str, Any], field: str
    ) -> None:
        refused = login(client, user, **change)
        assert refused.status_code == 400
        assert [name for name in refused.data["errors"] if name == field or name.startswith(f"{field}.")]

    def test_is_limited_by_identity_whatever_its_spelling(
        self, client: APIClient, user: User, owner: Member, settings: Any
    ) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_identifier": "2/15m"}
        spellings = [owner.member_no, owner.member_no.lower(), owner.member_no.replace("-", " ")]
        statuses = [login(client, user, identifier=one, password="wrong").status_code for one in spellings]
        assert statuses == [401, 401, 429]
        refused = login(client, user)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert login(client, user, identifier="somebody else").status_code == 401

    def test_is_limited_by_address(self, client: APIClient, user: User, settings: Any) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_address": "3/15m"}
        statuses = [login(client, user, identifier=f"nobody{n}").status_code for n in range(4)]
        assert statuses == [401, 401, 401, 429]

    def test_fails_closed_while_the_counters_are_away(
        self, client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise RedisDownError

        monkeypatch.setattr("bcc.core.rest.throttles.get_usage", away)
        assert login(client, user).status_code == 503


class TestOtpRequest:
    def test_sends_the_code_again(self, client: APIClient, user: User, code_sent: Callable[[], str]) -> None:
        challenge = login(client, user).data["challenge"]["challenge"]
        first = code_sent()
        again = client.post("/api/v1/auth/otp/request", {"purpose": "device", "challenge": challenge})
        assert again.status_code == 200
        assert again.data["resends_left"] == 2
        assert code_sent() == first

    def test_says_when_it_is_enough(self, client: APIClient, user: User) -> None:
        challenge = login(client, user).data["challenge"]["challenge"]
        statuses = [
            client.post("/api/v1/auth/otp/request", {"challenge": challenge}).status_code for _ in range(4)
        ]
        assert statuses == [200, 200, 200, 429]

    def test_an_unknown_challenge_is_over(self, client: APIClient, user: User) -> None:
        refused = client.post("/api/v1/auth/otp/request", {"challenge": str(uuid4())})
        assert (refused.status_code, refused.data["code"]) == (401, "challenge_over")

    @pytest.mark.parametrize(
        "body", [{}, {"challenge": "x"}, {"challenge": str(uuid4()), "purpose": "nonsense"}]
    )
    def test_names_what_is_no_value(self, client: APIClient, db: None, body: dict[str, Any]) -> None:
        assert client.post("/api/v1/auth/otp/request", body).status_code == 400


class TestOtpVerify:
    def test_counts_the_wrong_ones_although_it_refuses(self, client: APIClient, user: User) -> None:
        challenge = login(client, user).data["challenge"]["challenge"]
        for left in (4, 3, 2, 1):
            refused = client.post("/api/v1/auth/otp/verify", {"challenge": challenge, "code": "nonsense"})
            assert (refused.status_code, refused.data["code"]) == (401, "wrong_code")
            assert refused.data["attempts_left"] == left
        over = client.post("/api/v1/auth/otp/verify", {"challenge": challenge, "code": "nonsense"})
        assert (over.status_code, over.data["code"]) == (401, "challenge_over")
        assert OneTimePassword.objects.get().attempts == 5

    @pytest.mark.parametrize(
        "body", [{"code": "1"}, {"challenge": 5, "code": "123456"}, {"challenge": str(uuid4())}]
    )
    def test_names_what_is_no_value(self, client: APIClient, db: None, body: dict[str, Any]) -> None:
        assert client.post("/api/v1/auth/otp/verify", body).status_code == 400


class TestTokenRefresh:
    @pytest.fixture
    def tokens(self, client: APIClient, user: User, trusted: Device) -> Any:
        return login(client, user, device_token="trusted-token").data["tokens"]

    def test_works_once_and_the_second_use_ends_the_session(self, client: APIClient, tokens: Any) -> None:
        fresh = client.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]})
        assert fresh.status_code == 200
        reused = client.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]})
        assert (reused.status_code, reused.data["code"]) == (401, "refresh_reused")
        assert bearer(client, fresh.data).get("/api/v1/me").data["code"] == "session_ended"
        client.credentials()
        dead = client.post("/api/v1/auth/token/refresh", {"refresh": fresh.data["refresh"]})
        assert (dead.status_code, dead.data["code"]) == (401, "session_ended")

    def test_of_a_deleted_user_is_a_401(self, client: APIClient, tokens: Any, user: User) -> None:
        user.delete()
        refused = client.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]})
        assert refused.status_code == 401
        assert bearer(client, tokens).get("/api/v1/me").status_code == 401

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", None, 5, "y" * 1025])
    def test_what_is_no_token_is_refused_and_never_a_failure(
        self, client: APIClient, db: None, token: Any
    ) -> None:
        assert client.post("/api/v1/auth/token/refresh", {"refresh": token}).status_code in {400, 401}

    def test_is_limited_by_session_and_not_by_the_house(
        self, client: APIClient, user: User, tokens: Any, settings: Any
    ) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"token_refresh": "2/10m"}
        other = login(client, user, device_token="trusted-token").data["tokens"]
        mine = [client.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}) for _ in range(3)]
        assert [one.status_code for one in mine] == [200, 401, 429]
        theirs = client.post("/api/v1/auth/token/refresh", {"refresh": other["refresh"]})
        assert theirs.status_code == 200
        nobodys = [client.post("/api/v1/auth/token/refresh", {"refresh": "a.b.c"}) for _ in range(3)]
        assert [one.status_code for one in nobodys] == [401, 401, 429]


class TestBearer:
    @pytest.mark.parametrize(
        "header",
        ["Bearer", "Bearer ", "Bearer a b", "Basic dGVzdA==", "Bearer a.b.c", "bearer é", "Token x", "x"],
    )
    def test_anything_but_a_live_access_token_is_a_401_with_a_challenge(
        self, client: APIClient, db: None, header: str
    ) -> None:
        client.credentials(HTTP_AUTHORIZATION=header)
        refused = client.get("/api/v1/me")
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
        assert refused.data["code"] == "token_invalid"

    def test_a_refresh_token_is_no_access_token(self, client: APIClient, user: User, trusted: Device) -> None:
        tokens = login(client, user, device_token="trusted-token").data["tokens"]
        assert bearer(client, {"access": tokens["refresh"]}).get("/api/v1/me").data["code"] == "token_invalid"

    def test_an_expired_one_says_so(
        self, client: APIClient, user: User, trusted: Device, travel: Any
    ) -> None:
        tokens = login(client, user, device_token="trusted-token").data["tokens"]
        travel.shift(timedelta(minutes=10))
        assert bearer(client, tokens).get("/api/v1/me").data["code"] == "token_expired"

    def test_sets_no_cookie(self, client_of: Callable[[Member], APIClient], owner: Member) -> None:
        assert not client_of(owner).get("/api/v1/me").cookies


class TestLogout:
    def test_ends_this_session(self, client_of: Callable[[Member], APIClient], owner: Member) -> None:
        one, other = client_of(owner), client_of(owner)
        assert one.post("/api/v1/auth/logout").status_code == 204
        assert one.get("/api/v1/me").status_code == 401
        assert other.get("/api/v1/me").status_code == 200

    def test_everywhere_ends_all_of_them_and_nobody_elses(
        self, client_of: Callable[[Member], APIClient], owner: Member, stranger: Member
    ) -> None:
        one, other, theirs = client_of(owner), client_of(owner), client_of(stranger)
        assert one.post("/api/v1/auth/logout-all").status_code == 204
        assert [client.get("/api/v1/me").status_code for client in (one, other, theirs)] == [401, 401, 200]

    @pytest.mark.parametrize("path", ["auth/logout", "auth/logout-all", "auth/password/change"])
    def test_anonymous_is_a_401(self, client: APIClient, db: None, path: str) -> None:
        assert client.post(f"/api/v1/{path}").status_code == 401

    @pytest.mark.parametrize("path", ["auth/logout", "auth/logout-all"])
    def test_takes_no_fields(
        self, client_of: Callable[[Member], APIClient], owner: Member, path: str
    ) -> None:
        assert client_of(owner).post(f"/api/v1/{path}", {"all": True}).status_code == 400
        assert Session.objects.filter(ended_at=None).exists()


class TestPasswordChange:
    def body(self, **change: Any) -> dict[str, Any]:
        return {"current_password": PASSWORD, "new_password": NEW_PASSWORD, **change}

    def test_gives_new_tokens_and_ends_the_others(
        self, client_of: Callable[[Member], APIClient], owner: Member, user: User
    ) -> None:
        one, other = client_of(owner), client_of(owner)
        changed = one.post("/api/v1/auth/password/change", self.body())
        assert changed.status_code == 200
        assert one.get("/api/v1/me").status_code == 401
        assert other.get("/api/v1/me").status_code == 401
        assert bearer(one, changed.data).get("/api/v1/me").status_code == 200

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"current_password": "wrong"}, "current_password", "wrong_password"),
            ({"new_password": "short"}, "new_password", "min_length"),
            ({"new_password": "password123"}, "new_password", "password_too_common"),
            ({"new_password": "x" * 129}, "new_password", "max_length"),
        ],
    )
    def test_names_what_will_not_do(
        self,
        client_of: Callable[[Member], APIClient],
        owner: Member,
        user: User,
        change: Any,
        field: str,
        code: str,
    ) -> None:
        refused = client_of(owner).post("/api/v1/auth/password/change", self.body(**change))
        assert refused.status_code == 400
        assert refused.data["errors"][field][0]["code"] == code

    def test_is_limited_so_that_a_stolen_token_cannot_guess(
        self, client_of: Callable[[Member], APIClient], owner: Member, user: User, settings: Any
    ) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"password_change": "2/15m"}
        client = client_of(owner)
        wrong = self.body(current_password="wrong")
        statuses = [client.post("/api/v1/auth/password/change", wrong).status_code for _ in range(3)]
        assert statuses == [400, 400, 429]
