"""Messages as they are read: by the API, by a socket that comes back, and by staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from bcc.core.clock import instant_text
from bcc.core.prepared import Prepared
from chat.fanout.frames import MessageDeleted, MessageNew, MessageUpdated, ShownMessage, text_of
from chat.models import Conversation, Message
from chat.selectors.attachments import attached_to

# How many missed changes of one conversation a socket is sent when it comes back; more are fetched.
MOST_REPLAYED: Final = 500

_FIELDS: Final = (
    "pk",
    "public_id",
    "seq",
    "change_seq",
    "type",
    "sender_id",
    "sender__public_id",
    "sender__display_name",
    "sender__username",
    "sender__is_staff",
    "client_id",
    "body",
    "reply_to__public_id",
    "created_at",
    "edited_at",
    "deleted_at",
)

_NEW: Final = Prepared(
    lambda *, conversation, first, after: (
        Message.objects.filter(conversation=conversation, seq__gte=first, seq__lt=after)
        .order_by("seq")
        .values_list(*_FIELDS)
    ),
    conversation=int,
    first=int,
    after=int,
)


@dataclass(frozen=True, slots=True)
class Replay:
    """The changes after a number, up to ``upto``: (number, frame) in order; none if there were too many."""

    upto: int
    frames: tuple[tuple[int, bytes], ...]
    is_cut: bool = False


def messages_after(conversation_id: int, seq: int, most: int) -> list[dict[str, Any]]:
    """Rows whose last change is after ``seq``, in the order of the changes."""
    return _rows(Message.objects.filter(conversation=conversation_id).changed_after(seq), most)


def messages_before(conversation_id: int, seq: int | None, most: int) -> list[dict[str, Any]]:
    """Rows before the place ``seq`` (None: the latest), oldest first."""
    rows = Message.objects.filter(conversation=conversation_id).order_by("-seq")
    if seq is not None:
        rows = rows.filter(seq__lt=seq)
    return _rows(rows, most)[::-1]


def message_row(message_id: int) -> dict[str, Any]:
    return _rows(Message.objects.filter(pk=message_id), 1)[0]


def new_rows(
    conversation_id: int, first: int, count: int, *, have_pictures: bool = True
) -> list[dict[str, Any]]:
    """Rows that took ``count`` numbers from ``first`` on, as new ones."""
    rows = _NEW.rows(conversation=conversation_id, first=first, after=first + count)
    return _with_pictures([dict(zip(_FIELDS, row, strict=True)) for row in rows], look=have_pictures)


def rows_of(ids: Iterable[int]) -> list[dict[str, Any]]:
    """Rows by their keys, in no order."""
    return _rows(Message.objects.filter(pk__in=list(ids)), None)


def _rows(messages: Any, most: int | None) -> list[dict[str, Any]]:
    return _with_pictures(list(messages.values(*_FIELDS)[:most]), look=True)


def _with_pictures(found: list[dict[str, Any]], *, look: bool) -> list[dict[str, Any]]:
    pictures = attached_to([row["pk"] for row in found]) if found and look else {}
    for row in found:
        row["attachments"] = pictures.get(row["pk"], [])
    return found


def shown(row: Mapping[str, Any]) -> ShownMessage:
    """A row as everyone reads it."""
    sender = None
    if row["type"] == Message.Type.TEXT:
        sender = {
            "id": str(row["sender__public_id"]),
            "name": row["sender__display_name"] or row["sender__username"],
            "is_staff": row["sender__is_staff"],
        }
    return {
        "id": str(row["public_id"]),
        "seq": row["seq"],
        "type": row["type"],
        "sender": sender,  # type: ignore[typeddict-item]  # made right above
        "client_id": str(row["client_id"]),
        "body": row["body"],
        "reply_to": None if row["reply_to__public_id"] is None else str(row["reply_to__public_id"]),
        "attachments": row["attachments"],
        "created_at": instant_text(row["created_at"]),
        "edited_at": None if row["edited_at"] is None else instant_text(row["edited_at"]),
        "deleted_at": None if row["deleted_at"] is None else instant_text(row["deleted_at"]),
    }


def frame_of(row: Mapping[str, Any], conversation: UUID, *, after: int) -> bytes:
    """The change that ``row`` is to somebody who has seen everything until ``after``."""
    told, message = str(conversation), shown(row)
    frame: MessageNew | MessageUpdated | MessageDeleted
    if row["deleted_at"] is not None:
        frame = {
            "type": "message.deleted",
            "conversation": told,
            "seq": row["change_seq"],
            "message": message,
        }
    elif row["seq"] > after:
        frame = {"type": "message.new", "conversation": told, "seq": row["change_seq"], "message": message}
    else:
        frame = {
            "type": "message.updated",
            "conversation": told,
            "seq": row["change_seq"],
            "message": message,
        }
    return text_of(frame)


def last_seqs(conversations: Iterable[UUID]) -> dict[UUID, int]:
    """The last number of each, in one query for each few hundred."""
    asked = list(conversations)
    found: dict[UUID, int] = {}
    for start in range(0, len(asked), 500):
        rows = Conversation.objects.filter(public_id__in=asked[start : start + 500])
        found.update(rows.values_list("public_id", "last_seq"))
    return found


def replay(conversations: Mapping[UUID, int | None]) -> dict[UUID, Replay]:
    """What each conversation brought after a number; for None nothing but where it stands.

    The number is read before the rows: what commits in between comes as an event of its own.
    """
    found: dict[UUID, Replay] = {}
    heads = {
        public_id: (pk, last)
        for public_id, pk, last in Conversation.objects.filter(public_id__in=list(conversations)).values_list(
            "public_id", "pk", "last_seq"
        )
    }
    for public_id, after in conversations.items():
        if public_id not in heads:
            continue
        pk, last = heads[public_id]
        if after is None or after >= last:
            found[public_id] = Replay(last, ())
            continue
        rows = messages_after(pk, after, MOST_REPLAYED + 1)
        if len(rows) > MOST_REPLAYED:
            found[public_id] = Replay(last, (), is_cut=True)
            continue
        frames = tuple(
            (row["change_seq"], frame_of(row, public_id, after=after))
            for row in rows
            if row["change_seq"] <= last
        )
        found[public_id] = Replay(last, frames)
    return found
