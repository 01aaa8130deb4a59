"""The frames of ``/ws/v1`` that are chat's own; ``docs/asyncapi.yaml`` describes the same.

What other apps push to a user passes through as they made it. Every frame is one JSON object with a
``type``; a client's is read strictly, like a body of the API.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal, NotRequired, TypedDict

import orjson
from django.utils.translation import gettext_lazy as _

from bcc.core.errors import DomainError
from bcc.core.rest.renderers import dump_bytes, instant_text

FRAME_LIMIT: Final = 16 * 1024

ByeReason = Literal["session_ended", "replaced", "restarting"]


class Auth(TypedDict):
    """The first frame of a socket without a ticket."""

    type: Literal["auth"]
    token: str


class Ping(TypedDict):
    """``active`` is whether the app is in front; nothing depends on it so far."""

    type: Literal["ping"]
    active: NotRequired[bool]


class Welcome(TypedDict):
    """The socket is signed in. ``heartbeat`` is how many seconds may pass between two pings."""

    type: Literal["welcome"]
    server_time: str
    heartbeat: int


class Pong(TypedDict):
    type: Literal["pong"]
    server_time: str


class Error(TypedDict):
    """What a frame was refused for; the socket stays unless it is closed right after."""

    type: Literal["error"]
    code: str
    detail: str
    retry_after: NotRequired[int]


class Bye(TypedDict):
    """Right before the server closes a socket that did nothing wrong."""

    type: Literal["bye"]
    reason: ByeReason


ClientFrame = Auth | Ping
ServerFrame = Welcome | Pong | Error | Bye


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


def read_frame(text: str | None) -> ClientFrame:
    """The frame in ``text`` (None for a binary one). Raises FrameError."""
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
    kind = content.pop("type", None)
    read = READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise UnknownTypeError
    return read(content)


def _read_auth(content: dict[str, Any]) -> Auth:
    token = content.pop("token", None)
    if content or not isinstance(token, str):
        raise InvalidFrameError
    return {"type": "auth", "token": token}


def _read_ping(content: dict[str, Any]) -> Ping:
    frame: Ping = {"type": "ping"}
    if "active" in content:
        active = content.pop("active")
        if not isinstance(active, bool):
            raise InvalidFrameError
        frame["active"] = active
    if content:
        raise InvalidFrameError
    return frame


READERS: Final[dict[str, Callable[[dict[str, Any]], ClientFrame]]] = {"auth": _read_auth, "ping": _read_ping}


def welcome(*, now: datetime, heartbeat: int) -> Welcome:
    return {"type": "welcome", "server_time": instant_text(now), "heartbeat": heartbeat}


def pong(*, now: datetime) -> Pong:
    return {"type": "pong", "server_time": instant_text(now)}


def error(refusal: DomainError, *, retry_after: int | None = None) -> Error:
    frame: Error = {"type": "error", "code": refusal.code, "detail": str(refusal.detail)}
    if retry_after is not None:
        frame["retry_after"] = retry_after
    return frame


def bye(reason: ByeReason) -> Bye:
    return {"type": "bye", "reason": reason}


def written(frame: object) -> str:
    """A frame as the text that is sent."""
    return dump_bytes(frame).decode()
