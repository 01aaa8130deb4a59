"""Grants: what the right code of a challenge allows, once, within ten minutes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Grant, OneTimePassword, User
from bcc.core import transactions
from bcc.core.errors import NotAuthenticatedError

LIFETIME: Final = timedelta(minutes=10)
Purpose = OneTimePassword.Purpose


class GrantOverError(NotAuthenticatedError):
    """Used, expired, of another purpose or person, or never there: one answer for all."""

    code = "grant_over"
    default_detail = _("This permission can no longer be used. Ask for a new code.")


@dataclass(frozen=True, slots=True)
class Granted:
    """The token is shown once and kept nowhere."""

    grant: str
    expires_at: datetime


@transactions.writes
def give_grant(*, user: User, purpose: Purpose, now: datetime) -> Granted:
    """A grant for ``purpose``; an earlier one of the same purpose is worth nothing from now on."""
    Grant.objects.live(now).filter(user=user, purpose=purpose).update(used_at=now)
    token = secrets.token_urlsafe(32)
    row = Grant.objects.create(
        user=user, purpose=purpose, token_hash=_hash(token), created_at=now, expires_at=now + LIFETIME
    )
    return Granted(token, row.expires_at)


def find_grant(*, token: str, purpose: Purpose, now: datetime) -> Grant:
    """The live grant that ``token`` is, not yet used. Raises GrantOverError."""
    live = Grant.objects.live(now).select_related("user").filter(purpose=purpose, user__is_active=True)
    grant = live.filter(token_hash=_hash(token)).first()
    if grant is None:
        raise GrantOverError
    return grant


@transactions.writes
def use_grant(*, grant: Grant, now: datetime) -> None:
    """Use it up, inside the transaction of what it allows. Raises GrantOverError if somebody was faster."""
    if not Grant.objects.live(now).filter(pk=grant.pk).update(used_at=now):
        raise GrantOverError


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
