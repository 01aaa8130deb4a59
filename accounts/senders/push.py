"""Pushes by Firebase Cloud Messaging (HTTP v1). Needs the extra ``push``, whose library signs."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.senders.base import GoneError, RefusedError, SendError
from accounts.senders.web import call, json_of

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
# An access token lives an hour; it is renewed a little before.
_LIFETIME, _EARLY = 3600, 300


class FcmSender:
    """One message to one push token, in the name of the service account in ``FCM_CREDENTIALS_FILE``.

    Raises ImproperlyConfigured where that file is missing or is none.
    """

    def __init__(self) -> None:
        try:
            account = json.loads(Path(settings.FCM_CREDENTIALS_FILE).read_text(encoding="utf-8"))
            self._email, self._key = account["client_email"], account["private_key"]
            self._token_url, project = account["token_uri"], account["project_id"]
        except (OSError, ValueError, KeyError) as error:
            raise ImproperlyConfigured("FCM_CREDENTIALS_FILE is no service account's file.") from error
        self._url = f"{settings.FCM_URL}/v1/projects/{project}/messages:send"
        self._guard = threading.Lock()
        self._token, self._until = "", 0.0

    def send(self, destination: str, subject: str, body: str, link: str = "") -> str | None:
        """``destination`` is a push token. Raises GoneError for one that is no more."""
        message: dict[str, Any] = {
            "token": destination,
            "notification": {"title": subject, "body": body},
            "data": {"link": link},
        }
        status, reply = call(
            self._url,
            method="POST",
            headers={
                "Authorization": f"Bearer {self._access_token()}",
                "Content-Type": "application/json; charset=utf-8",
            },
            body=json.dumps({"message": message}).encode(),
        )
        said = json_of(reply)
        if status == 404 or (status == 400 and "registration token" in str(said)):
            raise GoneError(f"HTTP {status}")
        if status in (401, 403):
            self._until = 0.0
            raise SendError(f"HTTP {status}")
        if status >= 400:
            raise RefusedError(f"HTTP {status}")
        name = said.get("name") if isinstance(said, dict) else None
        return str(name)[:100] if name else None

    def _access_token(self) -> str:
        with self._guard:
            if time.time() < self._until - _EARLY:
                return self._token
            now = int(time.time())
            claims = {
                "iss": self._email,
                "scope": SCOPE,
                "aud": self._token_url,
                "iat": now,
                "exp": now + _LIFETIME,
            }
            signed = jwt.encode(claims, self._key, algorithm="RS256")
            grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
            status, reply = call(
                self._token_url,
                method="POST",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode({"grant_type": grant, "assertion": signed}).encode(),
            )
            said = json_of(reply)
            if status >= 400 or not isinstance(said, dict) or "access_token" not in said:
                raise SendError(f"no access token: HTTP {status}")
            self._token = str(said["access_token"])
            self._until = now + float(said.get("expires_in", _LIFETIME))
            return self._token
