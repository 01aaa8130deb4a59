"""Messages of the staff: written, tried on oneself, sent or planned, stopped. Each member is told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Channel, StaffMessage
from accounts.services.audiences import users_of
from accounts.services.messages import Text, find_kind, render
from accounts.services.notifications import News, notify_each
from bcc.core import transactions
from bcc.core.enqueue import enqueue
from bcc.core.errors import WrongStateError

TASK: Final = "accounts.send_staff_messages"
BATCH: Final = 200
LEASE: Final = timedelta(seconds=60)
KIND: Final = "staff_message"
QUIET_KIND: Final = "staff_message_in_app"
# A notice of yesterday is still one; after it nobody is told any more.
VALID_FOR: Final = timedelta(days=2)
State = StaffMessage.State


def count_of(message: StaffMessage, *, at: datetime) -> int:
    """How many accounts it would go to now. Raises InvalidError for an audience that there is not."""
    return users_of(message.audience, message.chosen, at).count()


def preview_of(message: StaffMessage) -> dict[Channel, Text]:
    """The words on each channel, as a member gets them."""
    kind = find_kind(_kind_of(message))
    return {channel: render(kind, channel, _context(message)) for channel in kind.texts}


@transactions.writes
def try_on(*, message: StaffMessage, user_id: int, now: datetime) -> int:
    """Send it to the one who writes it, as it would come; returns by how many channels."""
    news = _news(message, user_id, now, dedupe=f"try:{message.public_id.hex}:{int(now.timestamp())}")
    return notify_each(kind=_kind_of(message), news=[news], now=now)


@transactions.writes
def plan(*, message: StaffMessage, send_at: datetime | None, now: datetime) -> None:
    """Let it go at ``send_at``, or now. Raises InvalidError for an audience that there is not, and
    WrongStateError for one that is no draft."""
    users_of(message.audience, message.chosen, now)
    at = max(send_at, now) if send_at else now
    _move(message, (State.DRAFT,), state=State.SCHEDULED, send_at=at, leased_until=at)
    if at == now:
        enqueue(TASK)


@transactions.writes
def stop(*, message: StaffMessage, now: datetime) -> None:
    """Tell nobody more. Those who were told stay told. Raises WrongStateError where it is sent already."""
    _move(message, (State.SCHEDULED, State.SENDING), state=State.STOPPED, finished_at=now)


def send_due(*, now: datetime) -> int:
    """Send what is due, a batch after the other, each in a transaction of its own; how many were told."""
    told = 0
    due = StaffMessage.objects.filter(
        state__in=(State.SCHEDULED, State.SENDING), send_at__lte=now, leased_until__lte=now
    )
    for public_id in list(due.order_by("send_at", "pk").values_list("public_id", flat=True)):
        while (count := _send_batch(public_id=public_id, now=now)) is not None:
            told += count
    return told


@transactions.writes
def _send_batch(*, public_id: UUID, now: datetime) -> int | None:
    """Tell the next of the audience; None when there is nobody left, or it was stopped meanwhile."""
    # The update is the lock: a second sender, or who stops it, waits for this commit.
    mine = StaffMessage.objects.filter(public_id=public_id, state__in=(State.SCHEDULED, State.SENDING))
    if not mine.update(state=State.SENDING, leased_until=now + LEASE):
        return None
    message = StaffMessage.objects.get(public_id=public_id)
    everybody = users_of(message.audience, message.chosen, now).filter(pk__gt=message.next_user_id)
    ids = list(everybody.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not ids:
        mine.update(state=State.SENT, finished_at=now)
        return None
    news = [_news(message, one, now, dedupe=f"staff:{message.public_id.hex}:{one}") for one in ids]
    notify_each(kind=_kind_of(message), news=news, now=now)
    mine.update(next_user_id=ids[-1], told=message.told + len(ids), leased_until=now)
    return len(ids)


def _news(message: StaffMessage, user_id: int, now: datetime, *, dedupe: str) -> News:
    return News(
        user_id=user_id,
        kind=_kind_of(message),
        context=_context(message),
        dedupe=dedupe,
        valid_until=now + VALID_FOR,
        link=message.link,
    )


def _context(message: StaffMessage) -> dict[str, str]:
    return {"title": message.title, "text": message.body}


def _kind_of(message: StaffMessage) -> str:
    return KIND if message.by_email else QUIET_KIND


def _move(message: StaffMessage, states: tuple[str, ...], **values: object) -> None:
    if not StaffMessage.objects.filter(pk=message.pk, state__in=states).update(**values):
        raise WrongStateError(_("This message is in another state by now. See it again."))
