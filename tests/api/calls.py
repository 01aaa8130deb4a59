"""One request for each operation that succeeds for whom it is meant: the owner's, or the staff's.

A route of the API has its line here; the access table, bad input and the rest build on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import orjson
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from rest_framework.test import APIClient

from accounts.services.one_time_passwords import Purpose
from reservations.services.venue import venue_code
from tests.api.routes import PREFIX, Operation
from tests.api.world import CONTENT, DEVICE_TOKEN, PASSWORD, World
from tests.conftest import at_club
from tests.documents import pictures

_PLACE: Final = re.compile(r"\{\w+\}")
ANY_VERSION: Final = {"If-Match": "*"}


@dataclass(frozen=True, slots=True)
class Call:
    """``public_id`` stands in the path; ``body`` is JSON, or the parts of multipart."""

    public_id: object = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def _booking(world: World, *, hour: int = 15) -> dict[str, Any]:
    starts_at = at_club(3, hour)
    return {
        "facility": str(world.court.public_id),
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "party": 2,
        "participants": [{"guest_name": "A Test Guest"}],
        "notes": "By the tests.",
    }


def _times(world: World) -> dict[str, Any]:
    return {name: _booking(world)[name] for name in ("starts_at", "ends_at")}


def _venue_code(world: World) -> str:
    return venue_code(world.court, world.ready.starts_on)


DEVICE: Final = {"platform": "ios", "name": "Test phone", "app_version": "1.0"}
_LOGIN: Final = {"password": PASSWORD, "device": DEVICE, "device_token": DEVICE_TOKEN}
_CHOICE: Final = {"kind": "reservation_confirmed", "channel": "email", "is_wanted": False}

CALLS: Final[dict[str, Callable[[World], Call]]] = {
    "POST auth/login": lambda world: Call(body=_LOGIN | {"identifier": world.owner.member_no}),
    "POST auth/otp/request": lambda world: Call(
        body={"purpose": "device", "challenge": str(world.challenge.challenge)}
    ),
    "POST auth/otp/verify": lambda world: Call(
        body={"challenge": str(world.challenge.challenge), "code": world.code}
    ),
    "POST auth/activate": lambda world: Call(
        body={
            "grant": world.grants[Purpose.ACTIVATION],
            "new_password": "a phrase that nobody else uses",
            "device": DEVICE,
        }
    ),
    "POST auth/password/reset": lambda world: Call(
        body={"grant": world.grants[Purpose.RESET], "new_password": "a phrase that nobody else uses"}
    ),
    "POST auth/step-up": lambda world: Call(body={}),
    "POST auth/token/refresh": lambda world: Call(body={"refresh": world.tokens.refresh}),
    "POST auth/logout": lambda world: Call(body={}),
    "POST auth/logout-all": lambda world: Call(body={}),
    "POST auth/password/change": lambda world: Call(
        body={"current_password": PASSWORD, "new_password": "a phrase that nobody else uses"}
    ),
    "POST chat/socket-ticket": lambda world: Call(body={}),
    "GET chat/attachments/{public_id}": lambda world: Call(world.attachment.public_id),
    "POST chat/conversations": lambda world: Call(body={"kind": "desk", "desk": str(world.desk.public_id)}),
    "POST chat/conversations/{public_id}/messages": lambda world: Call(
        world.thread.public_id, body={"client_id": str(uuid4()), "body": "Is the pool open?"}
    ),
    "POST chat/conversations/{public_id}/read": lambda world: Call(world.thread.public_id, body={"seq": 1}),
    "PUT chat/conversations/{public_id}/mute": lambda world: Call(
        world.group.public_id, body={"is_muted": True}
    ),
    "POST chat/conversations/{public_id}/leave": lambda world: Call(world.group.public_id, body={}),
    "PATCH chat/messages/{public_id}": lambda world: Call(
        world.said.public_id, body={"body": "Of the owner, mended."}
    ),
    "DELETE chat/messages/{public_id}": lambda world: Call(world.said.public_id),
    "POST chat/messages/{public_id}/report": lambda world: Call(
        world.answer.public_id, body={"reason": "spam", "note": "Again."}
    ),
    "POST chat/blocks": lambda world: Call(body={"user": str(world.connection.user.public_id)}),
    "DELETE chat/blocks/{public_id}": lambda world: Call(world.blocked.public_id),
    "PATCH chat/preferences": lambda world: Call(body={"accepts_direct": True}),
    "DELETE chat/connections/{public_id}": lambda world: Call(world.connection.public_id),
    "PATCH me": lambda world: Call(body={"channel_preferences": [_CHOICE]}),
    "PUT me/privacy": lambda world: Call(body={"version": world.notice.version}),
    "PUT me/deletion-request": lambda world: Call(body={"reason": "Moving away."}),
    "DELETE me/deletion-request": lambda world: Call(),
    "PUT me/devices/current": lambda world: Call(body=DEVICE | {"push_token": "a-push-token"}),
    "DELETE me/devices/{public_id}": lambda world: Call(world.device.public_id),
    "POST me/notifications/{public_id}/read": lambda world: Call(world.notification.public_id, body={}),
    "PATCH facilities/{public_id}": lambda world: Call(
        world.court.public_id, body={"name": "Court 1", "location": "By the pool"}, headers=ANY_VERSION
    ),
    "POST documents/{public_id}/link": lambda world: Call(world.statement.public_id, body={"seconds": 60}),
    "POST images": lambda world: Call(
        body={"file": pictures.jpeg(), "purpose": "member_photo", "alt": "A test picture."}
    ),
    "PUT me/photo": lambda world: Call(body={"image": str(world.photo.public_id)}),
    "DELETE me/photo": lambda world: Call(),
    "POST guests": lambda world: Call(
        body={
            "name": "A Test Guest",
            "guest_class": "sponsored",
            "valid_from": "2026-06-01",
            "valid_until": "2026-06-30",
            "letter_of_introduction": "From a sister club.",
        }
    ),
    "POST reservations": lambda world: Call(body=_booking(world)),
    "POST reservations/quote": lambda world: Call(body=_booking(world)),
    "POST reservations/{public_id}/confirm": lambda world: Call(world.held.public_id, body={}),
    "POST reservations/{public_id}/cancel": lambda world: Call(
        world.confirmed.public_id, body={"reason": "Rain."}
    ),
    "POST reservations/{public_id}/reschedule": lambda world: Call(
        world.confirmed.public_id, body=_times(world)
    ),
    "POST reservations/{public_id}/check-in": lambda world: Call(
        world.ready.public_id, body={"code": _venue_code(world)}
    ),
    "PUT reservations/{public_id}/participants": lambda world: Call(
        world.confirmed.public_id, body={"participants": [{"guest_name": "A Test Guest"}]}
    ),
}

# What else staff write of each kind of content.
_MORE: Final[dict[str, dict[str, Any]]] = {
    "announcements": {"is_pinned": True},
    "events": {
        "starts_at": "2026-12-05T01:00:00Z",
        "ends_at": "2026-12-05T08:00:00Z",
        "location": "Main lawn",
    },
    "contacts": {"department": "Golf", "email": "golf@club.example", "phone": "1", "hours": "Daily"},
    "faqs": {"topic": "Guests"},
    "rules": {"section": "Golf"},
    "outlets": {"hours": "Daily", "phone": "1", "menu": "Toast."},
    "promos": {"code": "RANGE2"},
}


def _written(name: str) -> dict[str, Any]:
    return {
        "title": "A new title",
        "body": "A new text.",
        "state": "published",
        "publish_from": "2026-05-01T00:00:00Z",
        "publish_until": "2026-12-31T00:00:00Z",
        "audience": "members",
        "categories": [],
        "position": 7,
        **_MORE[name],
    }


def _of_content(name: str) -> dict[str, Callable[[World], Call]]:
    return {
        f"POST {name}": lambda world: Call(body=_written(name)),
        f"PATCH {name}/{{public_id}}": lambda world: Call(
            world.content[name].public_id, body=_written(name), headers=ANY_VERSION
        ),
        f"DELETE {name}/{{public_id}}": lambda world: Call(
            world.content[name].public_id, headers=ANY_VERSION
        ),
    }


for _name in CONTENT:
    CALLS.update(_of_content(_name))


def _content_id(name: str) -> Callable[[World], object]:
    return lambda world: world.content[name].public_id


# The row that a path's id names where a read has no line of its own, by the path's first word.
IDS: Final[dict[str, Callable[[World], object]]] = {
    "documents": lambda world: world.statement.public_id,
    "facilities": lambda world: world.court.public_id,
    "images": lambda world: world.photo.public_id,
    "reservations": lambda world: world.confirmed.public_id,
    "statements": lambda world: world.statement.period,
    "chat": lambda world: world.thread.public_id,
    **{name: _content_id(name) for name in CONTENT},
}


def call_for(operation: Operation, world: World) -> Call:
    """The request of ``operation``. Raises KeyError for one that has neither a line nor an id here."""
    made = CALLS.get(str(operation))
    if made is not None:
        return made(world)
    if operation.method != "GET":
        raise KeyError(f"tests.api.calls has no request for {operation}.")
    return Call(IDS[operation.path.partition("/")[0]](world) if operation.has_id else None)


def path_of(operation: Operation, public_id: object) -> str:
    path = operation.path.replace("{variant}", "small.webp")
    return PREFIX + _PLACE.sub(lambda _place: str(public_id), path)


def send(client: APIClient, operation: Operation, call: Call) -> HttpResponse:
    """The answer to ``call``."""
    path = path_of(operation, call.public_id)
    if operation.takes_parts:
        body, kind = as_parts(call.body or {})
        return send_raw(client, operation, path, body, kind, **call.headers)
    body = b"" if call.body is None else orjson.dumps(call.body)
    return send_raw(client, operation, path, body, **call.headers)


def as_parts(body: dict[str, Any]) -> tuple[bytes, str]:
    """(body, content type) of a multipart request; bytes are a file, a list is a part for each of it."""
    return encode_multipart(BOUNDARY, {name: _part(value) for name, value in body.items()}), MULTIPART_CONTENT


def _part(value: Any) -> Any:
    if isinstance(value, bytes):
        return SimpleUploadedFile("a file", value)
    # A form has no other values than texts.
    return value if isinstance(value, str | list) else orjson.dumps(value).decode()


def send_raw(
    client: Any, operation: Operation, path: str, body: bytes, kind: str = "application/json", **headers: str
) -> HttpResponse:
    """The answer to these very bytes."""
    response: HttpResponse = client.generic(operation.method, path, body, content_type=kind, headers=headers)
    return response
