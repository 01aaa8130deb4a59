"""Examples of the chat in the API's document; people in them are plainly made up."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_CONVERSATION: Final = "3f0f4c52-1c1e-4f0e-9a51-1d1f2f3b4a10"
_CLERK: Final = "9a8b7c6d-5e4f-4a3b-8c1d-0e9f8a7b6c5d"
_ID: Final = "7d1c2b9a-5e6f-4a3b-8c2d-9e0f1a2b3c4d"
_CLIENT_ID: Final = "0b9d8c7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e"
_AT: Final = "2026-11-25T04:30:00Z"
_MESSAGE: Final[dict[str, Any]] = {
    "id": _ID,
    "seq": 41,
    "type": "text",
    "sender": {"id": _CLERK, "name": "Demo Front Desk", "is_staff": True},
    "client_id": _CLIENT_ID,
    "body": "The pool opens at nine.",
    "reply_to": None,
    "attachments": [],
    "created_at": _AT,
    "edited_at": None,
    "deleted_at": None,
}


def _answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True)


def _question(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


CONVERSATION: Final = _answer(
    "A thread with a desk",
    {
        "id": _CONVERSATION,
        "kind": "desk",
        "title": "Front Desk",
        "desk": "5c4b3a29-1807-4f6e-9d5c-4b3a29180716",
        "state": "OPEN",
        "last_seq": 41,
        "last_read_seq": 40,
        "unread": 1,
        "is_muted": False,
        "active_at": _AT,
        "last_message": _MESSAGE,
        "people": [
            {
                "id": _CLERK,
                "name": "Demo Front Desk",
                "is_staff": True,
                "is_me": False,
                "last_read_seq": 41,
                "last_delivered_seq": 41,
            }
        ],
    },
)
NEW_CONVERSATION: Final = _question(
    "With a desk", {"kind": "desk", "desk": "5c4b3a29-1807-4f6e-9d5c-4b3a29180716"}
)
MESSAGES: Final = _answer(
    "One message", {"results": [{"seq": 41, "message": _MESSAGE}], "last_seq": 41, "has_more": False}
)
NEW_MESSAGE: Final = _question("A question", {"client_id": _CLIENT_ID, "body": "Is the pool open?"})
SENT: Final = _answer("It stands", {"client_id": _CLIENT_ID, "id": _ID, "seq": 41, "held": False})
READ: Final = _question("Until the last", {"seq": 41})
MUTE: Final = _question("Quiet", {"is_muted": True})
CHANGED_BODY: Final = _question("Mended", {"body": "Is the small pool open?"})
REPORT: Final = _question("Advertising", {"reason": "spam", "note": "The third time today."})
REPORTED: Final = _answer(
    "A report",
    {
        "id": "c1d2e3f4-0516-4a2b-8c3d-4e5f60718293",
        "message": _ID,
        "reason": "spam",
        "state": "OPEN",
        "created_at": _AT,
    },
)
NEW_BLOCK: Final = _question("Somebody", {"user": _CLERK})
BLOCK: Final = _answer("Somebody", {"id": _CLERK, "name": "Demo Member 009-0", "created_at": _AT})
DESK: Final = _answer(
    "The front desk",
    {
        "id": "5c4b3a29-1807-4f6e-9d5c-4b3a29180716",
        "code": "front-desk",
        "name": "Front Desk",
        "department": "Member services",
        "description": "Bookings, guests and everything else.",
        "is_open": True,
        "opens_at": "2026-11-25T22:00:00Z",
        "hours": [{"weekday": 0, "opens": "06:00", "closes": "22:00"}],
    },
)
PREFERENCES: Final = _answer(
    "As it begins",
    {
        "accepts_direct": False,
        "accepts_groups": False,
        "shows_presence": True,
        "club_allows_direct": False,
        "club_allows_groups": False,
    },
)
PREFERENCES_PATCH: Final = _question("Allow it", {"accepts_direct": True})
CONNECTION: Final = _answer(
    "A phone",
    {
        "id": "d4c3b2a1-6f5e-4d3c-8b2a-1f0e9d8c7b6a",
        "user": _CLERK,
        "name": "Demo Member 009-0",
        "device": "My phone",
        "platform": "ios",
        "app_version": "1.4.0",
        "process": "sockets-7-a1b2c3",
        "connected_at": _AT,
        "last_active_at": _AT,
        "waiting_frames": 0,
        "waiting_bytes": 0,
    },
)
PICTURES: Final = [
    OpenApiExample("A picture", value="(bytes)", media_type=media_type, response_only=True)
    for media_type in ("image/webp", "image/jpeg")
]
