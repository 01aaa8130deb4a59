"""Tokens that were not made by us, or not for this, at every door that takes one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import Device, User
from accounts.services.sessions import open_session
from accounts.services.tokens import Tokens


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _signature = token.split(".")
    return _read(head), _read(body)


def _read(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return read


def _written(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def signed(claims: dict[str, Any], *, key: str | None = None, kid: object = "1", alg: str = "HS256") -> str:
    return jwt.encode(claims, settings.JWT_KEY if key is None else key, alg, headers={"kid": kid})


def edited(token: str, **change: Any) -> str:
    """``token`` with other claims under its own signature."""
    head, body, signature = token.split(".")
    return f"{head}.{_written(_read(body) | change)}.{signature}"


FORGERIES: dict[str, Callable[[Tokens, Tokens, datetime], str]] = {
    "alg none": lambda mine, _theirs, _now: jwt.encode(
        parts(mine.access)[1], "", "none", headers={"kid": "1"}
    ),
    "alg none, written by hand": lambda mine, _theirs, _now: (
        f"{_written({'alg': 'none', 'kid': '1'})}.{mine.access.split('.')[1]}."
    ),
    "another algorithm": lambda mine, _theirs, _now: signed(parts(mine.access)[1], alg="HS512"),
    "a wrong key": lambda mine, _theirs, _now: signed(parts(mine.access)[1], key="x" * 48),
    "an empty key": lambda mine, _theirs, _now: signed(parts(mine.access)[1], key=" "),
    "an unknown key id": lambda mine, _theirs, _now: signed(parts(mine.access)[1], kid="2"),
    "a path as key id": lambda mine, _theirs, _now: signed(parts(mine.access)[1], kid="../../dev/null"),
    "no key id": lambda mine, _theirs, _now: jwt.encode(parts(mine.access)[1], settings.JWT_KEY, "HS256"),
    "the refresh token": lambda mine, _theirs, _now: mine.refresh,
    "issued in the future": lambda mine, _theirs, now: signed(
        parts(mine.access)[1] | {"iat": int((now + timedelta(hours=1)).timestamp())}
    ),
    "another user's id in it": lambda mine, theirs, _now: edited(
        mine.access, sub=parts(theirs.access)[1]["sub"]
    ),
    "another user's id, signed": lambda mine, theirs, _now: signed(
        parts(mine.access)[1] | {"sub": parts(theirs.access)[1]["sub"]}
    ),
    "another version": lambda mine, _theirs, _now: signed(parts(mine.access)[1] | {"tv": 2}),
    "a longer life": lambda mine, _theirs, _now: edited(mine.access, exp=4_000_000_000),
    "a session of nobody": lambda mine, _theirs, _now: signed(parts(mine.access)[1] | {"sid": str(uuid4())}),
    "the signature of another": lambda mine, theirs, _now: (
        f"{mine.access.rpartition('.')[0]}.{theirs.access.rpartition('.')[2]}"
    ),
    "staff by claim": lambda mine, _theirs, _now: edited(mine.access, is_staff=True),
}


@pytest.fixture
def pairs(user: User, trusted: Device, stranger: Any, travel: Any, now: datetime) -> tuple[Tokens, Tokens]:
    device = Device.objects.create(user=stranger.user, platform="ios", trusted_at=now, last_seen_at=now)
    return (
        open_session(user=user, device=trusted, now=now),
        open_session(user=stranger.user, device=device, now=now),
    )


# The forger's keys are too short for a library that makes honest tokens.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("name", FORGERIES)
class TestForgeries:
    def test_open_nothing(self, pairs: tuple[Tokens, Tokens], now: datetime, name: str) -> None:
        token = FORGERIES[name](*pairs, now)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        for method, path in (("get", "me"), ("post", "auth/logout-all"), ("post", "chat/socket-ticket")):
            refused = getattr(client, method)(f"/api/v1/{path}", {} if method == "post" else None)
            assert refused.status_code == 401, (path, refused.content)

    def test_buy_no_new_pair(self, pairs: tuple[Tokens, Tokens], now: datetime, name: str) -> None:
        mine = Tokens(pairs[0].refresh, now, pairs[0].access, now)
        theirs = Tokens(pairs[1].refresh, now, pairs[1].access, now)
        token = FORGERIES[name](mine, theirs, now)
        refused = APIClient().post("/api/v1/auth/token/refresh", {"refresh": token})
        assert refused.status_code == 401

    def test_but_the_true_one_does(self, pairs: tuple[Tokens, Tokens], now: datetime, name: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pairs[0].access}")
        assert client.get("/api/v1/me").status_code == 200
