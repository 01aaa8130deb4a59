"""How often somebody may try. All of sign-in fails closed: without counters nobody guesses."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.policies.tokens import TokenType
from accounts.selectors.people import parsed_identifier
from accounts.services.devices import proven_device_key
from accounts.services.patience import seconds_to_wait
from accounts.services.tokens import read_token
from bcc.core import clock
from bcc.core.errors import NotAuthenticatedError
from bcc.core.rest.throttles import AddressThrottle, IdentityThrottle, RateThrottle, UserThrottle, address_of


def _identity_of(request: Request) -> str | None:
    """Whom the body names, all spellings alike; None where it names nobody or cannot be read."""
    text = request.data.get("identifier") if isinstance(request.data, dict) else None
    return parsed_identifier(text).key if isinstance(text, str) else None


def _proven_device(request: Request) -> str | None:
    """A key of the device that the body proves to be one that the named person trusts, or None.

    Its tries are counted apart: whatever strangers do, they cannot use up the member's own. Asked once a
    request, and only where a device token is sent.
    """
    http: Any = request._request
    if not hasattr(http, "proven_device"):
        body = request.data if isinstance(request.data, dict) else {}
        identifier, token = body.get("identifier"), body.get("device_token")
        http.proven_device = None
        if isinstance(identifier, str) and isinstance(token, str) and token:
            http.proven_device = proven_device_key(identifier=identifier, token=token)
    found: str | None = http.proven_device
    return found


def patience_key(request: Request) -> str | None:
    """Under which the wrong passwords of this caller are counted."""
    identity = _identity_of(request)
    if identity is None:
        return None
    return _proven_device(request) or f"{identity}|{address_of(request)}"


class IdentifierThrottle(RateThrottle):
    """By whom they say they are and from where, or by the trusted device: a stranger at another address
    uses up nothing of the member's."""

    scope = "login_identifier"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        return patience_key(request)


class EverywhereThrottle(RateThrottle):
    """By whom they say they are, from all addresses together; a trusted device is not in it."""

    scope = "login_everywhere"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        return None if _proven_device(request) else _identity_of(request)


class EverybodyThrottle(RateThrottle):
    """All sign-ins together, but those on trusted devices: what the cores can hash and the desk can bear."""

    scope = "login_everybody"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        return None if _proven_device(request) else "all"


class PatienceThrottle(BaseThrottle):
    """The soft lock: the delay after wrong passwords."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = patience_key(request)
        self.seconds = 0 if key is None else seconds_to_wait(key=key, now=clock.now())
        return not self.seconds

    def wait(self) -> float | None:
        return float(self.seconds)


class SignInAddressThrottle(AddressThrottle):
    """By where they are; wide, since a club house is one address."""

    scope = "login_address"
    fails_closed = True


class ResendThrottle(IdentityThrottle):
    """By challenge."""

    scope = "otp_request"
    field = "challenge"
    fails_closed = True


class RecoveryThrottle(RateThrottle):
    """By whom they say they are and from where."""

    scope = "otp_request"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        identity = _identity_of(request)
        return None if identity is None else f"{identity}|{address_of(request)}"


class RecoveryEverywhereThrottle(RateThrottle):
    """By whom they say they are, from all addresses together: nobody's telephone is flooded."""

    scope = "otp_everywhere"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        return _identity_of(request)


class RecoveryAddressThrottle(AddressThrottle):
    scope = "otp_address"
    fails_closed = True


class StepUpThrottle(UserThrottle):
    scope = "step_up"
    fails_closed = True


class CodeThrottle(IdentityThrottle):
    scope = "otp_verify"
    field = "challenge"
    fails_closed = True


class RefreshThrottle(AddressThrottle):
    """By session, so that a house full of members is not one caller; a token of nobody's by address."""

    scope = "token_refresh"
    fails_closed = True

    def key(self, request: Request, view: APIView) -> str | None:
        token = request.data.get("refresh") if isinstance(request.data, dict) else None
        if isinstance(token, str):
            try:
                return str(read_token(token, type=TokenType.REFRESH, now=clock.now()).session)
            except NotAuthenticatedError:
                pass
        return super().key(request, view)


class PasswordThrottle(UserThrottle):
    """By user: a stolen access token must not become a way to guess the password."""

    scope = "password_change"
    fails_closed = True


class ReadThrottle(UserThrottle):
    scope = "reads"
