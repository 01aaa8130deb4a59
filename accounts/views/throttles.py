"""How often somebody may try. All of sign-in fails closed: without counters nobody guesses."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.policies.tokens import TokenType
from accounts.selectors.people import parsed_identifier
from accounts.services.tokens import read_token
from bcc.core import clock
from bcc.core.errors import NotAuthenticatedError
from bcc.core.rest.throttles import AddressThrottle, IdentityThrottle, UserThrottle


class IdentifierThrottle(IdentityThrottle):
    """By whom they say they are: all spellings of one person count together."""

    scope = "login_identifier"
    fails_closed = True

    def normalised(self, identity: str) -> str:
        return parsed_identifier(identity).key


class SignInAddressThrottle(AddressThrottle):
    """By where they are; wide, since a club house is one address."""

    scope = "login_address"
    fails_closed = True


class ResendThrottle(IdentityThrottle):
    scope = "otp_request"
    field = "challenge"
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
