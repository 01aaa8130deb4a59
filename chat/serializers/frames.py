"""The frames of ``/ws/v1``; ``docs/asyncapi.yaml`` describes the same.

What other apps push to a user passes through as they made it, and what goes to many is made in
``chat.fanout.frames``. Every frame is one JSON object with a ``type``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from bcc.core.clock import instant_text
from bcc.core.errors import DomainError
from bcc.core.rest.renderers import dump_bytes
from chat.fanout.frames import (
    ConversationJoined,
    DeskChanged,
    MessageDeleted,
    MessageNew,
    MessageUpdated,
    Presence,
    Receipt,
    Typing,
)
from chat.serializers.asked import (
    Auth,
    Delivered,
    Hello,
    MessageDelete,
    MessageEdit,
    MessageSend,
    Ping,
    PresenceWatch,
    Read,
    Typed,
)

ByeReason = Literal["session_ended", "replaced", "restarting", "suspended", "closed_by_staff"]


class Welcome(TypedDict):
    """The socket is signed in. ``heartbeat`` is how many seconds may pass between two pings."""

    type: Literal["welcome"]
    server_time: str
    heartbeat: int


class Pong(TypedDict):
    type: Literal["pong"]
    server_time: str


class Standing(TypedDict):
    """How far a conversation has come."""

    id: str
    seq: int


class Ready(TypedDict):
    """The answer to ``hello``: whatever happens in these conversations comes from now on."""

    type: Literal["ready"]
    conversations: list[Standing]


class Ack(TypedDict):
    """A message stands in the database; ``held``: it waits for a moderator, without id and number."""

    type: Literal["ack"]
    client_id: str
    id: str | None
    seq: int | None
    held: bool


class ResyncRequired(TypedDict):
    """Too much was missed to be sent: read ``messages?after_seq=`` of the API."""

    type: Literal["resync_required"]
    conversation: str
    seq: int


class Error(TypedDict):
    """What a frame was refused for; the socket stays unless it is closed right after."""

    type: Literal["error"]
    code: str
    detail: str
    retry_after: NotRequired[int]
    client_id: NotRequired[str]


class Bye(TypedDict):
    """Right before the server closes a socket that did nothing wrong."""

    type: Literal["bye"]
    reason: ByeReason


ClientFrame = (
    Auth | Ping | Hello | MessageSend | MessageEdit | MessageDelete | Typed | Read | Delivered | PresenceWatch
)
ServerFrame = (
    Welcome
    | Pong
    | Ready
    | Ack
    | MessageNew
    | MessageUpdated
    | MessageDeleted
    | Receipt
    | Typing
    | Presence
    | DeskChanged
    | ConversationJoined
    | ResyncRequired
    | Error
    | Bye
)


def welcome(*, now: datetime, heartbeat: int) -> Welcome:
    return {"type": "welcome", "server_time": instant_text(now), "heartbeat": heartbeat}


def pong(*, now: datetime) -> Pong:
    return {"type": "pong", "server_time": instant_text(now)}


def error(refusal: DomainError, *, retry_after: int | None = None, client_id: str | None = None) -> Error:
    frame: Error = {"type": "error", "code": refusal.code, "detail": str(refusal.detail)}
    if retry_after is not None:
        frame["retry_after"] = retry_after
    if client_id is not None:
        frame["client_id"] = client_id
    return frame


def bye(reason: ByeReason) -> Bye:
    return {"type": "bye", "reason": reason}


def written(frame: object) -> bytes:
    """A frame as the text that is sent."""
    return dump_bytes(frame)
