"""Notices accepted, requests to be forgotten, who read what, and how long things are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from auditlog.models import LogEntry
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from accounts.models import (
    AccountImport,
    DeletionRequest,
    Member,
    MemberView,
    NoticeAcceptance,
    Notification,
    PrivacyNotice,
    RecordRead,
    SmsUse,
    User,
)
from accounts.services.personal_data import anonymise_member
from accounts.services.upkeep import delete_in_batches
from bcc.core import clock, transactions
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError, NotFoundError, WrongStateError

State = DeletionRequest.State


@transactions.writes
def accept_notice(*, user_id: int, version: str, now: datetime) -> NoticeAcceptance:
    """Note that a person accepts the notice in force; again changes nothing.

    Raises InvalidError for any other version: what was shown is not what holds now.
    """
    notice = PrivacyNotice.in_force(now)
    if notice is None or notice.version != version:
        detail = _("This is not the notice in force. Read the present one first.")
        raise InvalidError(errors={"version": [("not_in_force", detail)]})
    User.lock(user_id)
    accepted, _made = NoticeAcceptance.objects.get_or_create(
        user_id=user_id, notice=notice, defaults={"accepted_at": now}
    )
    return accepted


@transactions.writes
def ask_for_deletion(*, member_id: int, reason: str, now: datetime) -> DeletionRequest:
    """A member asks to be forgotten; the one that is open already is given again."""
    member = Member.objects.select_related("user").get(pk=member_id)
    if member.user_id is not None:
        User.lock(member.user_id)
    waiting = DeletionRequest.objects.filter(member=member, state=State.OPEN).first()
    return waiting or DeletionRequest.objects.create(member=member, reason=reason, requested_at=now)


@transactions.writes
def withdraw_deletion(*, member_id: int, now: datetime) -> None:
    """Take an open request back. Raises NotFoundError where there is none."""
    waiting = DeletionRequest.objects.filter(member_id=member_id, state=State.OPEN)
    if not waiting.update(state=State.WITHDRAWN, decided_at=now):
        raise NotFoundError


@transactions.writes
def grant_deletion(*, request: DeletionRequest, by: Actor, answer: str, now: datetime) -> None:
    """Make the member anonymous, as asked. Raises WrongStateError for a request that is not open, and
    AlreadyAnonymisedError."""
    _decide(request, State.DONE, by, answer, now)
    anonymise_member(member=request.member, now=now)


@transactions.writes
def decline_deletion(*, request: DeletionRequest, by: Actor, answer: str, now: datetime) -> None:
    """Say why it cannot be: an open balance, for instance. Raises WrongStateError."""
    _decide(request, State.DECLINED, by, answer, now)


@transactions.writes
def note_read(*, member: Member, by: Actor, what: str, now: datetime, detail: str = "") -> None:
    """Keep that somebody of the staff looked at a member's record."""
    RecordRead.objects.create(
        member=member,
        reader_id=by.user_id,
        reader_name=by.name[:150],
        what=what,
        detail=detail[:200],
        read_at=now,
    )


def old_rows(now: datetime) -> dict[str, models.QuerySet[Any]]:
    """What ``apply_retention`` would delete now, by the name of its setting."""

    def before(name: str) -> datetime:
        return now - timedelta(days=settings.RETENTION_DAYS[name])

    rows: dict[str, Callable[[datetime], models.QuerySet[Any]]] = {
        "notifications": lambda at: Notification.objects.filter(created_at__lt=at),
        "imports": lambda at: AccountImport.objects.filter(created_at__lt=at),
        "record_reads": lambda at: RecordRead.objects.filter(read_at__lt=at),
        "member_views": lambda at: MemberView.objects.filter(started_at__lt=at),
        # What the club spent is kept; what single numbers and addresses had is counted for a day only.
        "sms_counts": lambda at: SmsUse.objects.exclude(scope=SmsUse.Scope.CLUB).filter(
            day__lt=clock.local_date(at)
        ),
        "deletion_requests": lambda at: DeletionRequest.objects.exclude(state=State.OPEN).filter(
            requested_at__lt=at
        ),
        "audit": lambda at: LogEntry.objects.filter(timestamp__lt=at),
    }
    return {name: rows[name](before(name)) for name in rows if settings.RETENTION_DAYS[name] > 0}


def apply_retention(*, now: datetime) -> dict[str, int]:
    """Delete what is kept no longer, in small batches; how many rows of each kind went."""
    return {name: delete_in_batches(rows) for name, rows in old_rows(now).items()}


def _decide(request: DeletionRequest, state: State, by: Actor, answer: str, now: datetime) -> None:
    waiting = DeletionRequest.objects.filter(pk=request.pk, state=State.OPEN)
    if not waiting.update(state=state, decided_at=now, decided_by=by.name[:150], answer=answer[:300]):
        raise WrongStateError(_("This request was decided or withdrawn before."))
