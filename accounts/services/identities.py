"""From a bearer token to an Identity; from memory if the same token was checked a moment ago."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies.identity import Identity
from accounts.policies.tokens import TokenType
from accounts.selectors.identities import Standing, find_standing
from accounts.services import epoch
from accounts.services.tokens import TokenTooOldError, read_token
from bcc.core.errors import NotAuthenticatedError

KEPT_SECONDS: Final = 60.0
MAX_KEPT: Final = 20_000


class SessionEndedError(NotAuthenticatedError):
    code = "session_ended"
    default_detail = _("This session has ended. Sign in again.")


@dataclass(frozen=True, slots=True)
class _Checked:
    identity: Identity
    expires_at: datetime
    mark: epoch.Mark
    until: float


_checked: dict[bytes, _Checked] = {}
_guard = threading.Lock()


def identify(*, token: str, now: datetime) -> Identity:
    """Whom an access token stands for: one query when cold (two for staff), none when warm.

    Raises NotAuthenticatedError: TokenTooOldError, TokenInvalidError (a refresh token too), and
    SessionEndedError where the user, the session or the token's version is no more.
    """
    key = hashlib.sha256(token.encode()).digest()
    mark = epoch.current_mark()  # before the row is read: what ends in between has another mark
    known = _checked.get(key)
    if known is not None and known.mark == mark and known.until > time.monotonic():
        if known.expires_at <= now:
            raise TokenTooOldError
        return known.identity
    claims = read_token(token, type=TokenType.ACCESS, now=now)
    standing = _find_live(claims.session, now)
    if standing.identity.public_id != claims.user or standing.token_version != claims.token_version:
        raise SessionEndedError
    _remember(key, _Checked(standing.identity, claims.expires_at, mark, time.monotonic() + KEPT_SECONDS))
    return standing.identity


def identify_session(*, session: UUID, now: datetime) -> Identity:
    """Whose session it is, from its row: for who was let in without a token, or long ago.

    Raises SessionEndedError where the session is over, or its user inactive or gone.
    """
    return _find_live(session, now).identity


def identify_browser(*, key: str, session: UUID) -> Identity:
    """Whose session of the back office ``key`` is, as Django's own middleware would see it.

    ``session`` is what the Identity is known by. Raises SessionEndedError for one that is over, and where
    the password has been changed, or somebody is no active staff any more.
    """
    stored: dict[str, Any] = import_module(settings.SESSION_ENGINE).SessionStore(key).load()
    user_id, mark = stored.get(SESSION_KEY), stored.get(HASH_SESSION_KEY, "")
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first() if user_id else None
    if user is None or not constant_time_compare(mark, user.get_session_auth_hash()):
        raise SessionEndedError
    return Identity(
        user_id=user.pk,
        public_id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        is_staff=True,
        is_active=True,
        session_id=session,
        permissions=frozenset(user.get_all_permissions()),
    )


def forget_identities() -> None:
    """Drop every verified token that this process remembers."""
    with _guard:
        _checked.clear()


def _find_live(session: UUID, now: datetime) -> Standing:
    standing = find_standing(session)
    if (
        standing is None
        or not standing.identity.is_active
        or standing.ended_at is not None
        or standing.expires_at <= now
    ):
        raise SessionEndedError
    return standing


def _remember(key: bytes, entry: _Checked) -> None:
    with _guard:
        _checked.pop(key, None)
        while len(_checked) >= MAX_KEPT:
            del _checked[next(iter(_checked))]  # the oldest: a dict keeps the order of insertion
        _checked[key] = entry


epoch.when_moved(forget_identities)
