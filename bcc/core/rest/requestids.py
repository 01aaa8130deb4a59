"""The id that a request carries through logs, replies and problems."""

from __future__ import annotations

import re
import uuid
from typing import Final

from django.http import HttpRequest
from rest_framework.request import Request

HEADER: Final = "X-Request-ID"
_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    return uuid.uuid4().hex


def accepted_request_id(inbound: str | None) -> str:
    """``inbound`` if it is one to trust in a log line, else a new one."""
    if inbound is not None and _SANE.fullmatch(inbound):
        return inbound
    return new_request_id()


def request_id_of(request: HttpRequest | Request | None) -> str:
    """The id of ``request``; made and kept on it if the middleware has not run."""
    if request is None:
        return new_request_id()
    http = request._request if isinstance(request, Request) else request
    known: str | None = getattr(http, "request_id", None)
    if known is None:
        known = accepted_request_id(http.headers.get(HEADER))
        http.request_id = known  # type: ignore[attr-defined]  # Django's request takes attributes of middleware
    return known
