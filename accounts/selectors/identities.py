"""Whom a token stands for, as the database has it now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from accounts.models import Session
from accounts.policies.identity import Identity
from bcc.core.prepared import Prepared

MOST_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """An identity, and what a token must agree with for it to be that identity's."""

    identity: Identity
    token_version: int
    ended_at: datetime | None
    expires_at: datetime


def live_sessions(sessions: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of ``sessions`` that are not over, and whose user is active; one query for each few hundred."""
    asked, found = list(sessions), set[UUID]()
    for first in range(0, len(asked), MOST_AT_ONCE):
        rows = Session.objects.live(now).filter(
            public_id__in=asked[first : first + MOST_AT_ONCE], user__is_active=True
        )
        found.update(rows.values_list("public_id", flat=True))
    return found


def _standing_row(*, session: UUID) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = (
        Session.objects.filter(public_id=session)
        .order_by()
        .values_list(
            "ended_at",
            "expires_at",
            "user_id",
            "user__public_id",
            "user__username",
            "user__display_name",
            "user__is_staff",
            "user__is_superuser",
            "user__is_active",
            "user__token_version",
            "user__member__id",
            "user__member__public_id",
            "user__member__membership_id",
        )
    )
    return rows


def _permission_rows(*, user: int) -> QuerySet[Any, Any]:
    return (
        Permission.objects.filter(Q(group__user=user) | Q(user=user))
        .order_by()
        .values_list("content_type__app_label", "codename")
    )


_STANDING: Final = Prepared(_standing_row, session=UUID)
_PERMISSIONS: Final = Prepared(_permission_rows, user=int)


def find_standing(session: UUID) -> Standing | None:
    """The user, member and session behind a token: one query, and one more for staff. None if gone."""
    row = _STANDING.row(session=session)
    if row is None:
        return None
    (
        ended_at,
        expires_at,
        user_id,
        public_id,
        username,
        name,
        staff,
        superuser,
        active,
        version,
        member_id,
        member_public_id,
        membership_id,
    ) = row
    permissions = _permissions(user_id, everything=superuser) if staff and active else frozenset()
    identity = Identity(
        user_id=user_id,
        public_id=public_id,
        username=username,
        display_name=name,
        is_staff=staff,
        is_active=active,
        session_id=session,
        member_id=member_id,
        member_public_id=member_public_id,
        membership_id=membership_id,
        permissions=permissions,
    )
    return Standing(identity, version, ended_at, expires_at)


def _permissions(user_id: int, *, everything: bool) -> frozenset[str]:
    """ "app.codename" of all that a member of staff holds, by group or by name, in one query."""
    if everything:
        names: Iterable[tuple[str, str]] = Permission.objects.values_list(
            "content_type__app_label", "codename"
        )
    else:
        names = _PERMISSIONS.rows(user=user_id)
    return frozenset(f"{app}.{codename}" for app, codename in names)
