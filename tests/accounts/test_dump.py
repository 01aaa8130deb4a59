"""After a whole run of codes and resets, what the database and the logs hold of secrets: nothing."""

from __future__ import annotations

import io
import logging
import logging.config
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from bcc.core import logs
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

DEVICE = {"platform": "ios", "name": "Test phone", "app_version": "1.0"}
MOBILE = "+639171234567"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Every line of every logger, as production writes it, from DEBUG up."""
    text = io.StringIO()
    config = logs.logging_config(level="DEBUG", as_json=True)
    config["handlers"]["console"]["stream"] = text
    logging.config.dictConfig(config)
    yield text
    logging.config.dictConfig(logs.logging_config(level="WARNING", as_json=True))


def dump() -> dict[str, str]:
    """Every row of every table as text, by the table."""
    return {
        model._meta.db_table: str(list(model._base_manager.values()))
        for model in apps.get_models(include_auto_created=True)
    }


def test_no_code_token_password_or_full_mobile_number_is_left_anywhere(
    user: User, code_sent: Callable[[], str], travel: Any, written: io.StringIO
) -> None:
    user.mobile = MOBILE
    user.save(update_fields=["mobile"])
    client = APIClient()
    secrets: set[str] = {PASSWORD, NEW_PASSWORD, "wrong password of mine"}
    codes: set[str] = set()

    def post(path: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/{path}", body)

    def code() -> str:
        codes.add(code_sent())
        found = re.findall(r"\b\d{6}\b", str(mail.outbox[-1].body))
        return str(found[0])

    login = {"identifier": "0917 123 4567", "password": PASSWORD, "device": DEVICE}
    assert post("auth/login", login | {"password": "wrong password of mine"}).status_code == 401
    challenge = post("auth/login", login).data["challenge"]["challenge"]
    assert post("auth/otp/verify", {"challenge": challenge, "code": "000000x"}).status_code == 401
    signed_in = post("auth/otp/verify", {"challenge": challenge, "code": code()}).data
    pair = signed_in["tokens"]
    fresh = post("auth/token/refresh", {"refresh": pair["refresh"]}).data
    post("auth/token/refresh", {"refresh": pair["refresh"]})
    secrets |= {
        signed_in["device_token"],
        *(one[kind] for one in (pair, fresh) for kind in ("access", "refresh")),
    }
    for who in (user.email, "nobody at all"):
        asked = post("auth/otp/request", {"purpose": "reset", "identifier": who}).data["challenge"]
        if who == user.email:
            grant = post("auth/otp/verify", {"challenge": asked, "code": code()}).data["grant"]
            secrets.add(grant)
            assert (
                post("auth/password/reset", {"grant": grant, "new_password": NEW_PASSWORD}).status_code == 204
            )
    Client().post(reverse("admin:login"), {"username": user.username, "password": PASSWORD})
    client.put("/api/v1/me/devices/current", DEVICE | {"push_token": "a-push-token"})

    tables = dump()
    log = written.getvalue()
    assert log.count("\n") > 5
    assert len(codes) == 2
    assert user.username in tables["accounts_user"]
    for name, text in {**tables, "the logs": log}.items():
        for secret in secrets:
            assert secret not in text, name
        for one in codes:
            # Digits of their own: a hash may hold any six of them in a row.
            assert not re.search(rf"(?<![0-9a-f]){one}(?![0-9a-f])", text), name
        if name != "accounts_user":
            assert "9171234567" not in text, name
