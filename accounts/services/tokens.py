"""Tokens under the keys of this deployment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.utils.translation import gettext_lazy as _

from accounts.models import Session, User
from accounts.policies.tokens import (
    ACCESS_LIFETIME,
    REFRESH_LIFETIME,
    Claims,
    TokenError,
    TokenExpiredError,
    TokenSigner,
    TokenType,
    UnknownKeyError,
)
from accounts.services.keys import forget_keys, signing_keys
from bcc.core.errors import NotAuthenticatedError


class TokenInvalidError(NotAuthenticatedError):
    code = "token_invalid"
    default_detail = _("This token is not valid. Sign in again.")


class TokenTooOldError(NotAuthenticatedError):
    code = "token_expired"
    default_detail = _("This token has expired. Refresh it, or sign in again.")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair for one session. Expiries are instants."""

    access: str
    access_expires_at: datetime
    refresh: str
    refresh_expires_at: datetime


def read_token(token: str, *, type: TokenType, now: datetime) -> Claims:
    """What a token of ours says. Raises TokenTooOldError and TokenInvalidError, both 401."""
    try:
        return _signer().read(token, type=type, now=now)
    except UnknownKeyError:
        # Another process may have rotated the keys a moment ago.
        forget_keys()
        return _read_again(token, type, now)
    except TokenExpiredError as error:
        raise TokenTooOldError from error
    except TokenError as error:
        raise TokenInvalidError from error


def _read_again(token: str, type: TokenType, now: datetime) -> Claims:
    try:
        return _signer().read(token, type=type, now=now)
    except TokenExpiredError as error:
        raise TokenTooOldError from error
    except TokenError as error:
        raise TokenInvalidError from error


def make_tokens(*, user: User, session: Session, now: datetime) -> Tokens:
    """A fresh pair. The refresh token never outlives its session."""
    access_until = min(now + ACCESS_LIFETIME, session.expires_at)
    refresh_until = min(now + REFRESH_LIFETIME, session.expires_at)
    signer = _signer()

    def signed(type: TokenType, until: datetime, jti: uuid.UUID | None = None) -> str:
        claims = Claims(user.public_id, session.public_id, user.token_version, type, until, jti)
        return signer.sign(claims, now=now)

    return Tokens(
        access=signed(TokenType.ACCESS, access_until),
        access_expires_at=access_until,
        refresh=signed(TokenType.REFRESH, refresh_until, uuid.uuid4()),
        refresh_expires_at=refresh_until,
    )


def _signer() -> TokenSigner:
    return _signer_of(tuple(signing_keys().items()))


@lru_cache(maxsize=4)
def _signer_of(keys: tuple[tuple[str, str], ...]) -> TokenSigner:
    return TokenSigner(dict(keys))
