"""Sending what is in the outbox: claimed with a lease, never late, never inside a transaction."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Channel, Device, Notification, OneTimePassword
from accounts.policies.codes import derive_code
from accounts.policies.delivery import LEASE, MAX_ATTEMPTS, next_try
from accounts.senders import RefusedError, Sender, SendError
from accounts.senders.base import GoneError, PushSender
from accounts.services.messages import Text, find_kind, render
from accounts.services.notifications import push_shown, write_outbox
from accounts.services.one_time_passwords import channels_of_codes, destination_shown
from accounts.services.sms_budget import SmsRefusedError, take_place
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
        reference = _hand_over(row, now)
    except (UndeliverableError, RefusedError) as error:
        _give_up(row=row, now=now, reason=str(error))
        return False
    except SendError as error:
        _put_off(row=row, reason=str(error), now=now)
        return False
    return _finish(row=row, state=State.SENT, now=now, reference=reference or "")


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


def _hand_over(row: Notification, now: datetime) -> str | None:
    """Give the text to whoever delivers it; its reference there."""
    sender = _sender(row.channel)
    text = _text_of(row)
    if row.channel == Channel.PUSH:
        return _push(row, cast(PushSender, sender), text)
    destination = _destination_of(row)
    if row.channel == Channel.SMS:
        otp = row.one_time_password
        key = "" if otp is None else otp.address_key
        try:
            take_place(number=destination, address_key=key, text=text.body, now=now)
        except SmsRefusedError as error:
            raise UndeliverableError(str(error)) from error
    return sender.send(destination, text.subject, text.body)


def _push(row: Notification, sender: PushSender, text: Text) -> str | None:
    """To each device of the user; one that took it is enough. Tokens that are no more are forgotten."""
    tokens = list(
        Device.objects.reached_by_push().filter(user_id=row.user_id).values_list("push_token", flat=True)
    )
    if not tokens:
        raise UndeliverableError("no device")
    taken: list[str] = []
    failed: SendError | None = None
    for token in tokens:
        try:
            taken.append(sender.send(token, text.subject, text.body, row.link) or "")
        except GoneError:
            _forget_token(token)
        except SendError as error:
            failed = error
    if taken:
        return taken[0]
    raise failed or UndeliverableError("no device")


@transactions.writes
def _forget_token(token: str) -> None:
    Device.objects.filter(push_token=token).update(push_token="")


@transactions.writes
def _give_up(*, row: Notification, now: datetime, reason: str) -> None:
    """It will never go by this channel: by the next one, if there is another way to the person."""
    if _set(row, state=State.FAILED, last_error=reason[:200]):
        _fail_over(row, now)


def _fail_over(row: Notification, now: datetime) -> None:
    """A code goes by the next channel of OTP_CHANNELS; another text message goes by mail if the same was
    not to go by mail anyway. Nothing is sent later for it: ``valid_until`` stays."""
    channel = _next_channel(row)
    if channel is None or row.valid_until <= now or not row.user.is_active:
        return
    otp = row.one_time_password
    if otp is not None:
        if otp.consumed_at or otp.superseded_at:
            return
        OneTimePassword.objects.filter(pk=otp.pk).update(
            channel=channel, destination=destination_shown(row.user, channel)
        )
    key = f"{row.dedupe_key.rpartition(':')[0]}:{channel}"
    if Notification.objects.filter(dedupe_key=key).exists():
        return
    other = Notification(
        user=row.user,
        channel=channel,
        kind=row.kind,
        context=row.context,
        link=row.link,
        dedupe_key=key,
        one_time_password=otp,
        created_at=now,
        send_at=now,
        valid_until=row.valid_until,
    )
    write_outbox([other], recipient=row.user.public_id, now=now)


def _next_channel(row: Notification) -> Channel | None:
    if row.one_time_password is not None:
        tried = channels_of_codes()
        after = tried[tried.index(Channel(row.channel)) + 1 :] if row.channel in tried else []
        return next((one for one in after if destination_shown(row.user, one)), None)
    can_be_mailed = row.channel == Channel.SMS and Channel.EMAIL in settings.NOTIFICATION_SENDERS
    if not can_be_mailed or not row.user.email:
        return None
    try:
        has_words = Channel.EMAIL in find_kind(row.kind).texts
    except KeyError:
        return None
    return Channel.EMAIL if has_words else None


@transactions.writes
def _finish(*, row: Notification, state: State, now: datetime, reason: str = "", reference: str = "") -> bool:
    sent_at = now if state == State.SENT else None
    won = _set(row, state=state, sent_at=sent_at, last_error=reason[:200], reference=reference)
    if won and row.channel == Channel.IN_APP:
        push_shown(row, row.user.public_id)
    return won


@transactions.writes
def _put_off(*, row: Notification, reason: str, now: datetime) -> None:
    at = next_try(attempts=row.attempts, now=now, valid_until=row.valid_until)
    log.warning("notification_not_sent", channel=row.channel, attempts=row.attempts, again=at is not None)
    # A code is short-lived: after two tries by one channel the other has the better chance.
    is_hopeless = row.one_time_password is not None and row.attempts >= 2 and _next_channel(row) is not None
    if at is None or is_hopeless:
        _give_up(row=row, now=now, reason=reason)
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
