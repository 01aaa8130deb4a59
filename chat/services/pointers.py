"""How far somebody has read, and how far their devices have heard: pointers that only go forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bcc.core import transactions
from chat.models import Conversation, Kind, Participant
from chat.services import announce


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """``read`` and ``delivered`` are numbers of messages; 0 leaves one where it is."""

    user_id: int
    user: UUID
    conversation: UUID
    read: int = 0
    delivered: int = 0
    may_join: bool = False


@transactions.writes
def move_pointers(*, pointers: Sequence[Pointer], now: datetime) -> int:
    """Move those that lie ahead; how many rows moved. Whoever reads something has been delivered it.

    A pointer into a conversation that its user is not in moves nothing, unless it ``may_join``: the
    first reading of a broadcast, or of a desk's thread by its staff, makes the row.
    """
    wanted = {one.conversation for one in pointers}
    conversations = {one.public_id: one for one in Conversation.objects.filter(public_id__in=wanted)}
    rows = {
        (one.conversation_id, one.user_id): one
        for one in Participant.objects.present().filter(
            conversation__in=[one.pk for one in conversations.values()],
            user_id__in={one.user_id for one in pointers},
        )
    }
    moved = 0
    for pointer in sorted(pointers, key=lambda one: (one.conversation, one.user_id)):
        conversation = conversations.get(pointer.conversation)
        if conversation is None:
            continue
        row = rows.get((conversation.pk, pointer.user_id))
        if row is None:
            if not (conversation.kind == Kind.BROADCAST or pointer.may_join):
                continue
            role = Participant.Role.STAFF if pointer.may_join else Participant.Role.MEMBER
            row, _made = Participant.objects.get_or_create(
                conversation=conversation,
                user_id=pointer.user_id,
                defaults={"joined_at": now, "role": role},
            )
        moved += _move(row, conversation, pointer)
    return moved


def _move(row: Participant, conversation: Conversation, pointer: Pointer) -> int:
    read = max(row.last_read_seq, min(pointer.read, conversation.last_seq))
    delivered = max(row.last_delivered_seq, read, min(pointer.delivered, conversation.last_seq))
    if (read, delivered) == (row.last_read_seq, row.last_delivered_seq):
        return 0
    # Compared again by the database: another device's pointer may have passed this one.
    ahead = Participant.objects.filter(pk=row.pk, last_read_seq__lte=read, last_delivered_seq__lte=delivered)
    if not ahead.update(last_read_seq=read, last_delivered_seq=delivered):
        return 0
    row.last_read_seq, row.last_delivered_seq = read, delivered
    if conversation.kind != Kind.BROADCAST:
        announce.receipt(conversation.public_id, pointer.user, read=read, delivered=delivered)
    return 1
