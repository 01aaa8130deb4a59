"""The frames that go to many: made once, by whoever changes something, and sent as they are."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

import orjson


class Sender(TypedDict):
    """Whose message it is; ``id`` is the public id of their account."""

    id: str
    name: str
    is_staff: bool


class Attached(TypedDict):
    """A file of a message, to be read at ``url`` of the API."""

    id: str
    name: str
    type: str
    size: int
    url: str


class ShownMessage(TypedDict):
    """A message as everyone reads it. The sender of an away message or a step is null: the desk speaks."""

    id: str
    seq: int
    type: str
    sender: Sender | None
    client_id: str
    body: str
    reply_to: str | None
    attachments: list[Attached]
    created_at: str
    edited_at: str | None
    deleted_at: str | None


class MessageNew(TypedDict):
    """``seq`` counts the changes of the conversation: of a new message it is the message's own."""

    type: Literal["message.new"]
    conversation: str
    seq: int
    message: ShownMessage


class MessageUpdated(TypedDict):
    type: Literal["message.updated"]
    conversation: str
    seq: int
    message: ShownMessage


class MessageDeleted(TypedDict):
    type: Literal["message.deleted"]
    conversation: str
    seq: int
    message: ShownMessage


class Receipt(TypedDict):
    """How far somebody has got; both only go forward."""

    type: Literal["receipt"]
    conversation: str
    user: str
    read: int
    delivered: int


class Typing(TypedDict):
    """Somebody is writing; it is over by itself after a few seconds."""

    type: Literal["typing"]
    conversation: str
    user: str
    name: str
    active: bool


class Presence(TypedDict):
    type: Literal["presence"]
    user: str
    state: Literal["online", "idle", "offline"]
    last_active_at: str | None


class DeskChanged(TypedDict):
    """For staff who answer at the desks: look at this conversation again."""

    type: Literal["desk.changed"]
    conversation: str
    desk: str


class ConversationJoined(TypedDict):
    """The user is in a conversation that they were not in; its messages come from now on."""

    type: Literal["conversation.joined"]
    conversation: str
    seq: int


RoomFrame = (
    MessageNew
    | MessageUpdated
    | MessageDeleted
    | Receipt
    | Typing
    | Presence
    | DeskChanged
    | ConversationJoined
)

DESKS_TOPIC = "desks"


def presence_topic(user: Any) -> str:
    return f"p.{user.hex}"


def text_of(frame: RoomFrame) -> bytes:
    """The JSON that is sent."""
    return orjson.dumps(frame)
