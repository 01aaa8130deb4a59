"""Access and refresh tokens: HS256, a key id, and the club's clock instead of the machine's.

A token says who (``sub``, the user's public id), of which session (``sid``), under which
``token_version`` (``tv``), what for (``typ``), since when (``iat``) and until when (``exp``). Nothing
in it is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

ACCESS_LIFETIME: Final = timedelta(minutes=10)
REFRESH_LIFETIME: Final = timedelta(days=30)
SESSION_LIFETIME: Final = timedelta(days=180)
ALGORITHM: Final = "HS256"
DEFAULT_KEY_ID: Final = "1"
MAX_LENGTH: Final = 1024

# Two servers' clocks may differ by so much; a token from further ahead was not made by us.
CLOCK_SKEW: Final = timedelta(seconds=60)

# simplejwt asks the machine's clock; the demo club has a clock of its own, so `exp` is judged here.
_ANY_TIME: Final = timedelta(days=365 * 1000)


class TokenType(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


class TokenError(Exception):
    """Not a token of ours, or not one for this use."""


class TokenExpiredError(TokenError):
    """Was one, until ``exp``."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. ``jti`` is set on refresh tokens only."""

    user: UUID
    session: UUID
    token_version: int
    type: TokenType
    expires_at: datetime
    jti: UUID | None = None


class UnknownKeyError(TokenError):
    """Its header names a key that is not among ours."""


class _Backend(TokenBackend):
    """simplejwt's, with ``kid``: a token is checked under the key that its header names."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.key_id = next(iter(keys))
        super().__init__(ALGORITHM, signing_key=keys[self.key_id], leeway=_ANY_TIME)
        self.keys = {key_id: self._prepare_key(key) for key_id, key in keys.items()}

    def get_verifying_key(self, token: Any) -> Any:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("no header") from error
        if not isinstance(key_id, str):
            raise TokenBackendError("no key named")
        if key_id not in self.keys:
            raise UnknownKeyError
        return self.keys[key_id]

    def encode(self, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, self.prepared_signing_key, self.algorithm, headers={"kid": self.key_id})


class TokenSigner:
    """Signs with the first of ``keys`` (kid → key) and accepts all of them."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._backend = _Backend(keys)

    def sign(self, claims: Claims, *, now: datetime) -> str:
        payload: dict[str, Any] = {
            "sub": str(claims.user),
            "sid": str(claims.session),
            "tv": claims.token_version,
            "typ": claims.type.value,
            "iat": int(now.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        if claims.jti is not None:
            payload["jti"] = str(claims.jti)
        return self._backend.encode(payload)

    def read(self, token: str, *, type: TokenType, now: datetime) -> Claims:
        """What ``token`` says. Raises TokenExpiredError at ``exp``, TokenError for anything else wrong."""
        if len(token) > MAX_LENGTH:
            raise TokenError
        try:
            payload: Any = self._backend.decode(token)  # type: ignore[arg-type]  # annotated as Token, takes its text
            claims = Claims(
                user=UUID(payload["sub"]),
                session=UUID(payload["sid"]),
                token_version=int(payload["tv"]),
                type=TokenType(payload["typ"]),
                expires_at=datetime.fromtimestamp(payload["exp"], UTC),
                jti=UUID(payload["jti"]) if type is TokenType.REFRESH else None,
            )
            issued_at = datetime.fromtimestamp(payload["iat"], UTC)
        except (TokenBackendError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise TokenError from error
        if claims.type is not type or issued_at > now + CLOCK_SKEW:
            raise TokenError
        if claims.expires_at <= now:
            raise TokenExpiredError
        return claims
