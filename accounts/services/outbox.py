"""Sending what is in the outbox: claimed with a lease, never late, never inside a transaction."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Channel, Notification
from accounts.policies.codes import derive_code
from accounts.policies.delivery import LEASE, MAX_ATTEMPTS, next_try
from accounts.senders import Sender, SendError
from accounts.services.messages import Text, find_kind, render
from accounts.services.notifications import push_shown
from bcc.core import transactions

BATCH: Final = 100
State = Notification.State

log = structlog.get_logger(__name__)


class UndeliverableError(Exception):
    """Trying again changes nothing: nobody to send it to, or no way to send it."""


def send_notification(*, public_id: UUID, now: datetime) -> bool:
    """Send one notification if it is due and nobody else has it; whether it was sent by this call.

    A sender that raises anything else than SendError leaves the row with its lease: the sweeper
    takes it up when that ends.
    """
    row = _claim(public_id=public_id, now=now)
    if row is None:
        return False
    if row.channel == Channel.IN_APP:
        return _finish(row=row, state=State.SENT, now=now)
    try:
        sender = _sender(row.channel)
        text = _text_of(row)
        sender.send(_destination_of(row), text.subject, text.body)
    except SendError as error:
        _put_off(row=row, reason=str(error), now=now)
        return False
    except UndeliverableError as error:
        _finish(row=row, state=State.FAILED, now=now, reason=str(error))
        return False
    return _finish(row=row, state=State.SENT, now=now)


def due_notifications(*, now: datetime, limit: int = BATCH) -> list[UUID]:
    """The longest-waiting that are due, among them those whose sender went away."""
    due = Notification.objects.due(now).order_by("send_at", "pk")
    return list(due.values_list("public_id", flat=True)[:limit])


@transactions.writes
def _claim(*, public_id: UUID, now: datetime) -> Notification | None:
    """Take the row for LEASE by compare-and-set; None if it is not due, taken, late or given up."""
    row = (
        Notification.objects.due(now)
        .select_related("user", "one_time_password")
        .filter(public_id=public_id)
        .first()
    )
    if row is None:
        return None
    if row.valid_until <= now or not row.user.is_active:
        _set(row, state=State.EXPIRED)
        return None
    if row.attempts >= MAX_ATTEMPTS:
        _set(row, state=State.FAILED)
        return None
    # `attempts` is the version: whoever moves it has the row, and a sender whose lease ran out has not.
    if not _set(row, state=State.SENDING, attempts=row.attempts + 1, send_at=now + LEASE):
        return None
    row.attempts += 1
    return row


@transactions.writes
def _finish(*, row: Notification, state: State, now: datetime, reason: str = "") -> bool:
    sent_at = now if state == State.SENT else None
    won = _set(row, state=state, sent_at=sent_at, last_error=reason[:200])
    if won and row.channel == Channel.IN_APP:
        push_shown(row, row.user.public_id)
    return won


@transactions.writes
def _put_off(*, row: Notification, reason: str, now: datetime) -> None:
    at = next_try(attempts=row.attempts, now=now, valid_until=row.valid_until)
    log.warning("notification_not_sent", channel=row.channel, attempts=row.attempts, again=at is not None)
    if at is None:
        _set(row, state=State.FAILED, last_error=reason[:200])
    else:
        _set(row, state=State.PENDING, send_at=at, last_error=reason[:200])


def _set(row: Notification, **values: object) -> bool:
    same = Notification.objects.filter(pk=row.pk, attempts=row.attempts, state__in=Notification.OPEN_STATES)
    return bool(same.update(**values))


def _text_of(row: Notification) -> Text:
    """The words, with the code of a one-time password derived here and nowhere before."""
    try:
        kind = find_kind(row.kind)
    except KeyError as error:
        raise UndeliverableError("no such kind") from error
    context = dict(row.context)
    otp = row.one_time_password
    if otp is not None:
        if otp.consumed_at or otp.superseded_at:
            raise UndeliverableError("the code is over")
        context["code"] = derive_code(
            key=settings.OTP_KEY, purpose=otp.purpose, challenge=otp.challenge, nonce=otp.nonce
        )
    return render(kind, Channel(row.channel), context)


def _destination_of(row: Notification) -> str:
    """Where to: the address of now. A changed address has ended the codes on their way to the old one."""
    address = row.user.email if row.channel == Channel.EMAIL else str(row.user.mobile)
    if not address:
        raise UndeliverableError("no address")
    return address


def _sender(channel: str) -> Sender:
    path = settings.NOTIFICATION_SENDERS.get(channel)
    if path is None:
        raise UndeliverableError("no sender for this channel")
    return _sender_at(path)


@lru_cache
def _sender_at(path: str) -> Sender:
    sender: Sender = import_string(path)()
    return sender
