"""Requests to gateways: one HTTP call, no redirect, little patience, and errors that name nobody."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from accounts.senders.base import RefusedError, SendError

TIMEOUT: Final = 10.0
MAX_REPLY: Final = 64 * 1024
# What may be better in a moment, although it is a refusal by its number.
_LATER: Final = frozenset({408, 425, 429})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A gateway that sends elsewhere is not the one that was set up; the code would go along."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


# Without proxies of the environment: the message goes where the settings say.
_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def call(
    url: str, *, method: str, headers: Mapping[str, str], body: bytes, timeout: float = TIMEOUT
) -> tuple[int, bytes]:
    """(status, body) of a 2xx or 4xx reply. Raises SendError for what may work later."""
    request = urllib.request.Request(url, data=body or None, headers=dict(headers), method=method)  # noqa: S310 - the scheme is checked with the settings
    try:
        with _opener.open(request, timeout=timeout) as reply:
            return reply.status, reply.read(MAX_REPLY)
    except urllib.error.HTTPError as error:
        with error:
            if error.code >= 500 or error.code in _LATER:
                raise SendError(f"HTTP {error.code}") from error
            if error.code < 400:
                raise RefusedError(f"HTTP {error.code}: it sends elsewhere") from error
            return error.code, error.read(MAX_REPLY)
    except (OSError, http.client.HTTPException) as error:
        raise SendError(type(error).__name__) from error


def json_of(body: bytes) -> Any:
    """What a reply says as JSON; None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
