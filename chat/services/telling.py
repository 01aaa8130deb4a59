"""Tell who is away that something was written to them: once a conversation, until they have read it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts.models import Channel
from accounts.services.messages import MessageKind, register
from accounts.services.notifications import notify
from bcc.core import transactions
from chat.models import Connection, Conversation, Message, Participant
from chat.policies.presence import alive_since

# What is older is no news: the sweeper looks no further back.
NEWS_FOR: Final = timedelta(days=1)
BATCH: Final = 200

_WORDS: Final = (
    _("New message from $from"),
    _("$from wrote to you. Open the chat in the app to read it."),
)
CHAT_MESSAGE: Final = MessageKind(
    code="chat_message",
    label=_("A chat message while you are away"),
    fields={"from": "Front Desk"},
    texts={Channel.IN_APP: _WORDS, Channel.EMAIL: _WORDS, Channel.PUSH: _WORDS},
)


def register_kinds() -> None:
    register(CHAT_MESSAGE)


def tell_away(*, now: datetime, conversations: Iterable[int] | None = None) -> int:
    """Tell everybody who is away and has something unread; how many were told. Idempotent.

    Of ``conversations`` only, if given. Somebody with a live socket is not away; whoever was told is
    told again only after they have read.
    """
    told = 0
    for row in _untold(now, conversations)[:BATCH]:
        told += _tell(row, now)
    return told


def _untold(now: datetime, conversations: Iterable[int] | None) -> list[Participant]:
    unread = Message.objects.filter(
        conversation=OuterRef("conversation"),
        seq__gt=OuterRef("last_read_seq"),
        deleted_at__isnull=True,
        type=Message.Type.TEXT,
    ).exclude(sender=OuterRef("user"))
    live = Connection.objects.alive(alive_since(now)).filter(user=OuterRef("user"))
    rows = (
        Participant.objects.present()
        .filter(
            role=Participant.Role.MEMBER,
            is_muted=False,
            conversation__active_at__gt=now - NEWS_FOR,
            conversation__last_seq__gt=F("last_read_seq"),
            told_seq__lte=F("last_read_seq"),
            user__is_active=True,
        )
        .filter(Exists(unread), ~Exists(live))
        .select_related("conversation__desk", "conversation__owner", "user")
        .order_by("pk")
    )
    if conversations is not None:
        rows = rows.filter(conversation__in=list(conversations))
    return list(rows[:BATCH])


@transactions.writes
def _tell(row: Participant, now: datetime) -> int:
    seq = row.conversation.last_seq
    # Of two sweepers one gets the row; a told_seq of 0 says nobody was told yet.
    mine = Participant.objects.filter(pk=row.pk, told_seq=row.told_seq, last_read_seq=row.last_read_seq)
    if not mine.update(told_seq=seq):
        return 0
    notify(
        user_id=row.user_id,
        kind=CHAT_MESSAGE.code,
        context={"from": _name(row)},
        dedupe=f"chat:{row.pk}:{seq}",
        now=now,
        link=f"chat/conversations/{row.conversation.public_id}",
    )
    return 1


def _name(row: Participant) -> str:
    conversation: Conversation = row.conversation
    if conversation.desk is not None:
        return conversation.desk.name
    if conversation.title:
        return conversation.title
    newest = (
        Message.objects.filter(conversation=conversation, type=Message.Type.TEXT)
        .exclude(sender=row.user_id)
        .select_related("sender")
        .order_by("-seq")
        .first()
    )
    return str(newest.sender) if newest is not None else str(conversation.owner)
