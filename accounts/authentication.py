"""``Authorization: Bearer`` → ``request.user``, an Identity."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.policies.identity import Identity
from accounts.services.identities import identify
from accounts.services.tokens import TokenInvalidError
from bcc.core import clock
from bcc.core.errors import NotAllowedError


class BearerAuthentication(BaseAuthentication):
    """Stateless: no session, no cookie, and no query while the token was checked a moment ago."""

    def authenticate(self, request: Request) -> tuple[Identity, str] | None:
        """None without the header, so that open routes stay open. Raises NotAuthenticatedError (401).

        A page of the back office that shows the app as a member sees it calls a view with ``seen_as`` on
        Django's request, which no client can set; that one never writes.
        """
        seen_as: Identity | None = getattr(request._request, "seen_as", None)
        if seen_as is not None:
            if request.method not in SAFE_METHODS:
                raise NotAllowedError
            return seen_as, ""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
            raise TokenInvalidError
        return identify(token=token, now=clock.now()), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the OpenAPI document names it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
