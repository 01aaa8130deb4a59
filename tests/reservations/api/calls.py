"""How the tests of the API call it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rest_framework.test import APIClient

from accounts.models import Member, User

RESERVATIONS = "/api/v1/reservations"


# What reading the whole rulebook anew takes, and the first look at a token.
RULEBOOK_QUERIES = 13


Body = Callable[..., dict[str, Any]]


Client = Callable[[Member | User], APIClient]


def post(client: APIClient, path: str, body: object = None, **headers: str) -> Any:
    return client.post(path, body if body is not None else {}, format="json", headers=headers)


def fresh_credentials(member: Member, at: datetime) -> dict[str, str]:
    from accounts.services.tokens import make_tokens
    from tests.factories import make_session

    assert member.user is not None
    tokens = make_tokens(user=member.user, session=make_session(member.user, now=at), now=at)
    return {"HTTP_AUTHORIZATION": f"Bearer {tokens.access}"}
