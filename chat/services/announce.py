"""Tell the sockets what changed, once it is committed. Hints: who misses one asks for what came after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from bcc.core import push, transactions
from chat.fanout import bus
from chat.fanout.frames import DESKS_TOPIC, DeskChanged, Receipt, RoomFrame, text_of
from chat.models import topic_of
from chat.selectors.messages import frame_of


def rows(conversation: UUID, changed: Sequence[Mapping[str, Any]]) -> None:
    """Rows of ``chat.selectors.messages``: new ones or changed ones, with the numbers they took."""
    events = [
        (row["change_seq"], frame_of(row, conversation, after=row["change_seq"] - 1)) for row in changed
    ]
    _after_commit(topic_of(conversation), events)


def receipt(conversation: UUID, user: UUID, *, read: int, delivered: int) -> None:
    frame: Receipt = {
        "type": "receipt",
        "conversation": str(conversation),
        "user": str(user),
        "read": read,
        "delivered": delivered,
    }
    passing(topic_of(conversation), frame)


def desk_changed(conversation: UUID, desk_code: str) -> None:
    frame: DeskChanged = {"type": "desk.changed", "conversation": str(conversation), "desk": desk_code}
    passing(DESKS_TOPIC, frame)


def passing(topic: str, frame: RoomFrame) -> None:
    """Something that has no number: whoever is not there does not miss it."""
    _after_commit(topic, [(0, text_of(frame))])


def joined(conversation: UUID, users: Iterable[UUID]) -> None:
    """Have the sockets of ``users`` listen to a conversation from now on."""
    for user in users:
        push.to_consumer(user, {"type": "conversation.joined", "conversation": conversation.hex})


def left(conversation: UUID, users: Iterable[UUID]) -> None:
    for user in users:
        push.to_consumer(user, {"type": "conversation.left", "conversation": conversation.hex})


def _after_commit(topic: str, events: Sequence[bus.Event]) -> None:
    if events:
        transactions.after_commit(lambda: bus.publish(topic, events))
