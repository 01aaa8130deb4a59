"""Text messages by any gateway that takes one HTTP request for one message."""

from __future__ import annotations

import json
from string import Template
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.senders.base import RefusedError
from accounts.senders.web import call, json_of

_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class HttpSmsSender:
    """The request is settings: ``SMS_URL``, ``SMS_METHOD``, ``SMS_HEADERS``, ``SMS_BODY``.

    ``$to``, ``$text`` and ``$from`` stand in the URL and in the body; they are written as JSON, as a form
    or as part of an address need them. ``SMS_REFERENCE`` names the field of the reply, by dots, that is the
    gateway's own number of the message. Raises ImproperlyConfigured for settings that make no request.
    """

    def __init__(self) -> None:
        parts = urlsplit(settings.SMS_URL)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ImproperlyConfigured("SMS_URL must be an https address: one-time codes go there.")
        self._is_json = "json" in settings.SMS_CONTENT_TYPE
        if (
            "$text" not in settings.SMS_BODY + settings.SMS_URL
            or "$to" not in settings.SMS_BODY + settings.SMS_URL
        ):
            raise ImproperlyConfigured("SMS_BODY, or SMS_URL, must hold $to and $text.")

    def send(self, destination: str, subject: str, body: str) -> str | None:
        values = {"to": destination, "text": body, "from": settings.SMS_FROM}
        written = {name: self._written(value) for name, value in values.items()}
        url = Template(settings.SMS_URL).safe_substitute(
            {name: quote(value, safe="") for name, value in values.items()}
        )
        status, reply = call(
            url,
            method=settings.SMS_METHOD,
            headers={**settings.SMS_HEADERS, "Content-Type": settings.SMS_CONTENT_TYPE},
            body=Template(settings.SMS_BODY).safe_substitute(written).encode(),
            timeout=settings.SMS_TIMEOUT,
        )
        if status >= 400:
            raise RefusedError(f"HTTP {status}")
        return _field(json_of(reply), settings.SMS_REFERENCE)

    def _written(self, value: str) -> str:
        # The quotes around it stand in the setting.
        return json.dumps(value)[1:-1] if self._is_json else quote(value, safe="")


def _field(reply: Any, path: str) -> str | None:
    for name in path.split(".") if path else ():
        if isinstance(reply, list) and name.isdecimal() and int(name) < len(reply):
            reply = reply[int(name)]
        else:
            reply = reply.get(name) if isinstance(reply, dict) else None
    return str(reply)[:100] if path and isinstance(reply, str | int) else None
