"""What sending asks and writes at each message, compiled once: a lively room sends hundreds a second."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import F

from accounts.models import PrivilegeHold
from bcc.core.prepared import Prepared, PreparedInsert, PreparedUpdate
from chat.models import Conversation, Desk, HeldMessage, Message, Participant

T = TypeVar("T")
# (sender, client id)
Key = tuple[int, UUID]

_PLACE = (
    "pk", "public_id", "kind", "desk_id", "owner_id", "assignee_id", "state", "waiting_since", "away_told_at",
)  # fmt: skip

_SAID = Prepared(
    lambda *, senders, ids: Message.objects.filter(client_id__in=ids, sender_id__in=senders).values_list(
        "sender_id", "client_id", "public_id", "seq", "conversation__public_id"
    ),
    senders=(int,),
    ids=(UUID,),
)
_HELD = Prepared(
    lambda *, senders, ids: HeldMessage.objects.filter(client_id__in=ids, sender_id__in=senders).values_list(
        "sender_id", "client_id", "conversation__public_id"
    ),
    senders=(int,),
    ids=(UUID,),
)
_PLACES = Prepared(
    lambda *, ids: Conversation.objects.filter(public_id__in=ids).values_list(
        *_PLACE, "desk__code", "desk__away_message"
    ),
    ids=(UUID,),
)
_INSIDE = Prepared(
    lambda *, conversations, users: (
        Participant.objects.present()
        .filter(conversation_id__in=conversations, user_id__in=users)
        .values_list("conversation_id", "user_id")
    ),
    conversations=(int,),
    users=(int,),
)
_BARRED = Prepared(
    lambda *, at, members: (
        PrivilegeHold.objects.in_force(at, PrivilegeHold.Scope.CHAT)
        .filter(member_id__in=members)
        .values_list("member_id")
    ),
    at=datetime,
    members=(int,),
)
_ADVANCE = PreparedUpdate(
    lambda *, pk, count, at: (
        Conversation.objects.filter(pk=pk),
        {"last_seq": F("last_seq") + count, "active_at": at},
    ),
    pk=int,
    count=int,
    at=datetime,
)
_LAST_SEQ = Prepared(lambda *, pk: Conversation.objects.filter(pk=pk).values_list("last_seq"), pk=int)
_MESSAGES = PreparedInsert(Message)


def said_before(
    senders: Collection[int], ids: Collection[UUID]
) -> dict[Key, tuple[UUID | None, int | None, UUID]]:
    """(id, number, conversation) of what was said under these client ids; neither of what is held."""
    asked: dict[str, Any] = {"senders": _few_lengths(senders), "ids": _few_lengths(ids)}
    found: dict[Key, tuple[UUID | None, int | None, UUID]] = {
        (sender, client_id): (public_id, seq, conversation)
        for sender, client_id, public_id, seq, conversation in _SAID.rows(**asked)
    }
    for sender, client_id, conversation in _HELD.rows(**asked):
        found.setdefault((sender, client_id), (None, None, conversation))
    return found


def conversations_by_id(ids: Collection[UUID]) -> dict[UUID, Conversation]:
    """Those of ``ids`` that there are, with what sending asks of them and of their desks."""
    found = {}
    for *place, code, away_message in _PLACES.rows(ids=_few_lengths(ids)):
        one = Conversation.from_db("default", ["id", *_PLACE[1:]], place)
        if one.desk_id is not None:
            one.desk = Desk.from_db(
                "default", ["id", "code", "away_message"], [one.desk_id, code, away_message]
            )
        found[one.public_id] = one
    return found


def present_in(conversations: Collection[int], users: Collection[int]) -> set[tuple[int, int]]:
    """(conversation, user) of those who are in them."""
    rows = _INSIDE.rows(conversations=_few_lengths(conversations), users=_few_lengths(users))
    return {(conversation, user) for conversation, user in rows}


def barred_from_chat(members: Collection[int], now: datetime) -> set[int]:
    """Those of ``members`` whom a hold keeps from writing."""
    return {member for (member,) in _BARRED.rows(at=now, members=_few_lengths(members))}


def take_numbers(conversation_id: int, count: int, now: datetime) -> int:
    """``Conversation.next_seqs`` of a conversation of which nothing else changes than when it was active."""
    _ADVANCE.run(pk=conversation_id, count=count, at=now)
    row = _LAST_SEQ.row(pk=conversation_id)
    if row is None:
        raise Conversation.DoesNotExist
    last: int = row[0]
    return last - count + 1


def insert_messages(messages: Sequence[Message]) -> None:
    """They do not learn their keys."""
    _MESSAGES.many(messages)


def _few_lengths(values: Collection[T]) -> list[T]:
    """The values in a list whose length is a power of two: each length is another statement to compile."""
    several = list(values)
    if not several:
        return several
    wanted = 1 << (len(several) - 1).bit_length()
    return several + several[-1:] * (wanted - len(several))
