"""What a client may say on ``/ws/v1``, read strictly, like a body of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NotRequired, TypedDict
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from bcc.core.errors import DomainError

FRAME_LIMIT: Final = 16 * 1024
# How many conversations a hello may name, and how many people one may watch.
MOST_RESUMED: Final = 200
MOST_WATCHED: Final = 100
MOST_ATTACHED: Final = 6
LARGEST_SEQ: Final = 2**53


class Auth(TypedDict):
    """The first frame of a socket without a ticket."""

    type: Literal["auth"]
    token: str


class Ping(TypedDict):
    """``active`` is whether the app is in front: from it comes whether somebody is there."""

    type: Literal["ping"]
    active: NotRequired[bool]


class Hello(TypedDict):
    """Listen to all of one's conversations. ``resume``: the last number that the app has of each."""

    type: Literal["hello"]
    resume: NotRequired[dict[str, int]]


class MessageSend(TypedDict):
    type: Literal["message.send"]
    conversation: str
    client_id: str
    body: str
    reply_to: NotRequired[str]
    attachments: NotRequired[list[str]]


class MessageEdit(TypedDict):
    type: Literal["message.edit"]
    message: str
    body: str


class MessageDelete(TypedDict):
    type: Literal["message.delete"]
    message: str


class Typed(TypedDict):
    type: Literal["typing"]
    conversation: str
    active: NotRequired[bool]


class Read(TypedDict):
    type: Literal["read"]
    conversation: str
    seq: int


class Delivered(TypedDict):
    type: Literal["delivered"]
    conversation: str
    seq: int


class PresenceWatch(TypedDict):
    """Whom the app shows; each list takes the place of the one before."""

    type: Literal["presence.watch"]
    members: list[str]


class FrameError(DomainError):
    """A frame that cannot be read or is not expected."""


class NotTextError(FrameError):
    code = "not_text"
    default_detail = _("This was a binary frame. Send text.")


class TooLongError(FrameError):
    code = "frame_too_long"
    default_detail = _("This frame is too long. Send at most 16 kB.")


class NotJSONError(FrameError):
    code = "not_json"
    default_detail = _("This is no JSON object. Send one with a type.")


class UnknownTypeError(FrameError):
    code = "unknown_type"
    default_detail = _("There is no such type of message. See the club's API description.")


class InvalidFrameError(FrameError):
    code = "invalid"
    default_detail = _("A field of this message is missing, unknown or no value. Correct it.")


class OutOfTurnError(FrameError):
    code = "already_authenticated"
    default_detail = _("This socket is signed in already. Open another for another session.")


class AuthFirstError(FrameError):
    code = "not_authenticated"
    default_detail = _("Sign in first: connect with a ticket, or send auth as the first message.")


class TooFastError(FrameError):
    code = "too_many_frames"
    default_detail = _("Too many messages. Wait, then connect again.")


class SlowDownError(FrameError):
    """Not enough to be closed for: the message was not taken."""

    code = "slow_down"
    default_detail = _("You write too fast. Wait a moment, then send it again.")


Field = Callable[[Any], bool]


def read_frame(text: str | None) -> dict[str, Any]:
    """The frame in ``text`` (None for a binary one), one of ``ClientFrame``. Raises FrameError."""
    if text is None:
        raise NotTextError
    if len(text) > FRAME_LIMIT or len(text.encode("utf-8", "replace")) > FRAME_LIMIT:
        raise TooLongError
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJSONError from error
    if not isinstance(content, dict):
        raise NotJSONError
    kind = content.get("type")
    fields = READERS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise UnknownTypeError
    required, optional = fields
    if not (required.keys() <= content.keys() <= required.keys() | optional.keys() | {"type"}):
        raise InvalidFrameError
    for name, is_right in (required | optional).items():
        if name in content and not is_right(content[name]):
            raise InvalidFrameError
    return content


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _seq(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEQ


def _id(value: Any) -> bool:
    if not isinstance(value, str) or len(value) != len("00000000-0000-4000-8000-000000000000"):
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _ids(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_WATCHED and all(map(_id, value))


def _images(value: Any) -> bool:
    return _ids(value) and len(value) <= MOST_ATTACHED


def _resume(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MOST_RESUMED
        and all(_id(name) and _seq(seq) for name, seq in value.items())
    )


# By type: the fields that must be there, and those that may.
READERS: Final[dict[str, tuple[dict[str, Field], dict[str, Field]]]] = {
    "auth": ({"token": _text}, {}),
    "ping": ({}, {"active": _flag}),
    "hello": ({}, {"resume": _resume}),
    "message.send": (
        {"conversation": _id, "client_id": _id, "body": _text},
        {"reply_to": _id, "attachments": _images},
    ),
    "message.edit": ({"message": _id, "body": _text}, {}),
    "message.delete": ({"message": _id}, {}),
    "typing": ({"conversation": _id}, {"active": _flag}),
    "read": ({"conversation": _id, "seq": _seq}, {}),
    "delivered": ({"conversation": _id, "seq": _seq}, {}),
    "presence.watch": ({"members": _ids}, {}),
}
