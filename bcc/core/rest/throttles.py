"""Rate limits: django-ratelimit's counters behind DRF's throttles.

The library's own decorator answers 403, and 500 when Redis is away; here it is 429 with
``Retry-After``, and each throttle says whether it fails closed. The rates are settings
(``RATE_LIMITS = {"login": "10/m"}``; None lifts one), the counters live in the cache
``counters``.

A module of its own: django-ratelimit beside views makes a ring of imports.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from bcc.core.addresses import client_address
from bcc.core.errors import BusyError

log = structlog.get_logger(__name__)

_RATE: Final = re.compile(r"(\d+)/(\d*)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_IPV6_PREFIX: Final = 64
# How long a client waits while the counters are away and the throttle fails closed, in seconds.
_AWAY: Final = 5


@dataclass(frozen=True, slots=True)
class Usage:
    """Where one caller stands against one limit; ``left`` requests in the next ``resets_in`` seconds."""

    name: str
    limit: int
    window: int
    left: int
    resets_in: int
    refused: bool


class RateThrottle(BaseThrottle):
    """Counts against ``settings.RATE_LIMITS[scope]`` under ``key``; a key of None is not limited."""

    scope: ClassVar[str]
    fails_closed: ClassVar[bool] = False

    def key(self, request: Request, view: APIView) -> str | None:
        """Who is counted. Equal callers must give equal texts: normalise."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises BusyError when the counters are away and this throttle fails closed."""
        rate = rate_of(self.scope)
        value = self.key(request, view) if rate is not None else None
        if rate is None or value is None:
            return True
        self.usage = self._counted(request, rate, value)
        if self.usage is None:
            return True
        _noted(request).append(self.usage)
        return not self.usage.refused

    def wait(self) -> float | None:
        return None if self.usage is None else float(self.usage.resets_in)

    def _counted(self, request: Request, rate: str, value: str) -> Usage | None:
        try:
            # Twice: a counter that expires between the library's add and its increment reads as "away".
            for _attempt in range(2):
                found = get_usage(
                    request._request,
                    group=f"bcc.{self.scope}",
                    key=lambda _group, _request: value,
                    rate=rate,
                    increment=True,
                )
                if found is None:
                    return None  # RATELIMIT_ENABLE is off
                if found["limit"] or found["time_left"] >= 0:
                    return self._usage(rate, found)
            reason = "no counter"
        except (RedisError, OSError) as error:
            reason = type(error).__name__
        log.warning("rate_limit_away", scope=self.scope, reason=reason, fails_closed=self.fails_closed)
        if self.fails_closed:
            raise BusyError(retry_after=_AWAY)
        return None

    def _usage(self, rate: str, found: dict[str, Any]) -> Usage:
        limit, window = parsed_rate(rate)
        return Usage(
            name=self.scope,
            limit=limit,
            window=window,
            left=max(0, limit - found["count"]),
            resets_in=max(1, found["time_left"]),
            refused=found["should_limit"],
        )


def address_of(request: Request) -> str:
    """The client's address as limits count it; an IPv6 client is its /64, of which it has all addresses."""
    address = client_address(request)
    if ":" in address:
        return str(ipaddress.ip_network(f"{address}/{_IPV6_PREFIX}", strict=False).network_address)
    return address


class AddressThrottle(RateThrottle):
    """Per client address."""

    def key(self, request: Request, view: APIView) -> str | None:
        return address_of(request)


class UserThrottle(RateThrottle):
    """Per signed-in user; the anonymous are not counted."""

    def key(self, request: Request, view: APIView) -> str | None:
        public_id = getattr(request.user, "public_id", None)
        return None if public_id is None else str(public_id)


class IdentityThrottle(RateThrottle):
    """Per identity named in the body (a member number, an e-mail, a mobile), normalised.

    Override ``normalised`` where equal identities are written in more ways than case and width.
    """

    field: ClassVar[str] = "identifier"

    def key(self, request: Request, view: APIView) -> str | None:
        value = request.data.get(self.field) if isinstance(request.data, dict) else None
        return self.normalised(value) if isinstance(value, str) else None

    def normalised(self, identity: str) -> str:
        return normalised_identity(identity)


def normalised_identity(identity: str) -> str:
    """``identity`` without differences of case, width and surrounding space."""
    return unicodedata.normalize("NFKC", identity).strip().casefold()[:254]


def rate_of(scope: str) -> str | None:
    """The configured rate, None where it is lifted. Raises ImproperlyConfigured for a missing one."""
    if scope not in settings.RATE_LIMITS:
        raise ImproperlyConfigured(f"RATE_LIMITS has no {scope!r}. Give it a rate such as '10/m', or None.")
    rate: str | None = settings.RATE_LIMITS[scope]
    return rate or None


@lru_cache(maxsize=64)
def parsed_rate(rate: str) -> tuple[int, int]:
    """(requests, seconds) of a rate such as ``10/m`` or ``5/15m``. Raises ImproperlyConfigured."""
    match = _RATE.fullmatch(rate)
    if match is None or match[2] == "0":
        raise ImproperlyConfigured(f"{rate!r} is no rate. Write one such as '10/m' or '5/15m'.")
    return int(match[1]), int(match[2] or 1) * _SECONDS[match[3]]


def _noted(request: Request) -> list[Usage]:
    """The usages of this request, kept on Django's request where the middleware finds them."""
    http = request._request
    if not hasattr(http, "rate_usages"):
        http.rate_usages = []  # type: ignore[attr-defined]  # Django's request takes attributes of ours
    usages: list[Usage] = http.rate_usages  # type: ignore[attr-defined]  # set above
    return usages


def add_rate_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """``RateLimit`` and ``RateLimit-Policy`` (IETF draft form) for each limit that was counted."""
    usages: list[Usage] = getattr(request, "rate_usages", [])
    if usages:
        response["RateLimit-Policy"] = ", ".join(
            f'"{one.name}";q={one.limit};w={one.window}' for one in usages
        )
        response["RateLimit"] = ", ".join(f'"{one.name}";r={one.left};t={one.resets_in}' for one in usages)
