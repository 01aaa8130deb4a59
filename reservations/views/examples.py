"""What the OpenAPI document shows of bookings. Plainly demo data."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_FACILITY: Final[dict[str, Any]] = {
    "id": "0f4a7c1e-6f0f-4f1f-8a63-0d8f3a0b7c21",
    "name": "Tennis Court 1",
    "kind": "court",
}
_MEMBER: Final[dict[str, Any]] = {
    "id": "8f6d1f0e-64a5-4f5d-8a42-0e7c6a5a8d11",
    "member_no": "D-0014",
    "name": "Demo Member 014",
}
_TIMES: Final[dict[str, Any]] = {"starts_at": "2026-06-02T02:00:00Z", "ends_at": "2026-06-02T03:00:00Z"}
_LATER: Final[dict[str, Any]] = {"starts_at": "2026-06-03T07:00:00Z", "ends_at": "2026-06-03T08:00:00Z"}
_LINE: Final[dict[str, Any]] = {
    "id": "7d3f2a10-1c5b-4e0a-9a2f-6b8c1d2e3f16",
    "reference": "7d3f2a10",
    "facility": _FACILITY,
    "member": _MEMBER,
    "type": "NORMAL",
    "state": "CONFIRMED",
    **_TIMES,
    "expires_at": None,
    "party": 2,
    "guests": 1,
    "nights": 0,
    "room_no": "",
    "notes": "Two rackets, please.",
    "reschedules": 0,
    "version": 1,
    "created_at": "2026-06-01T00:00:00Z",
}
_WHOLE: Final[dict[str, Any]] = {
    **_LINE,
    "participants": [
        {"kind": "member", "id": _MEMBER["id"], "name": "Demo Member 014"},
        {"kind": "guest", "id": "e2b7c9d0-3a4f-4b1c-8d6e-5f7a8b9c0d17", "name": "Demo Guest"},
    ],
    "cancel_free_until": "2026-06-01T14:00:00Z",
}


def _answer(title: str, **changes: Any) -> OpenApiExample:
    return OpenApiExample(title, {**_WHOLE, **changes}, response_only=True)


WISH: Final = OpenApiExample(
    "An hour of tennis for two",
    {
        "facility": _FACILITY["id"],
        **_TIMES,
        "party": 2,
        "participants": [{"guest_name": "Demo Guest"}],
        "notes": "Two rackets, please.",
    },
    request_only=True,
)
LINE: Final = OpenApiExample("A confirmed one", _LINE, response_only=True)
BOOKED: Final = _answer("Booked at once")
HELD: Final = _answer("Held until it is confirmed", state="HELD", expires_at="2026-06-01T00:10:00Z")
QUOTE: Final = OpenApiExample(
    "It would be confirmed at once",
    {
        "facility": _FACILITY,
        **_TIMES,
        "party": 2,
        "state": "CONFIRMED",
        "expires_at": None,
        "estimate": "450.00",
        "currency": "PHP",
        "terms": ["Cancel up to 12 hours before the start."],
    },
    response_only=True,
)
REASON: Final = OpenApiExample("With a reason", {"reason": "Rain."}, request_only=True)
CANCELLED: Final = _answer("Given back", state="CANCELLED_MEMBER", version=2, cancel_free_until=None)
NEW_TIMES: Final = OpenApiExample("A day later", _LATER, request_only=True)
MOVED: Final = _answer("Moved", **_LATER, reschedules=1, version=2, cancel_free_until="2026-06-02T19:00:00Z")
VENUE_CODE: Final = OpenApiExample("From the wall", {"code": "4711"}, request_only=True)
CHECKED_IN: Final = _answer("Checked in", state="CHECKED_IN", version=2)
COMPANIONS: Final = OpenApiExample(
    "A member and somebody new",
    {
        "participants": [
            {"member": "9a7e2c1f-75b6-4a6e-9b53-1f8d7b6a9e18"},
            {"guest_name": "Demo Guest"},
        ]
    },
    request_only=True,
)
EVENT: Final = OpenApiExample(
    "A booking",
    {
        "action": "created",
        "from_state": "",
        "to_state": "CONFIRMED",
        "actor": "Demo Member 014",
        "actor_kind": "member",
        "reason": "",
        "at": "2026-06-01T00:00:00Z",
    },
    response_only=True,
)
CALENDAR: Final = OpenApiExample(
    "One event",
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Tennis Court 1\r\n"
    "DTSTART:20260602T020000Z\r\nDTEND:20260602T030000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    response_only=True,
    media_type="text/calendar",
)
_REFUSED: Final[dict[str, Any]] = {
    "code": "quota_exceeded",
    "detail": "You have used this up: one booking a day.",
    "limit": 1,
    "current": 1,
    "retry_at": "2026-06-02T16:00:00Z",
}
AVAILABILITY: Final = OpenApiExample(
    "A day with a free slot and one that a rule refuses",
    {
        "facility": _FACILITY,
        "rulebook": 42,
        "days": [
            {
                "date": "2026-06-02",
                "slots": [
                    {**_TIMES, "state": "free", "left": 1, "reasons": []},
                    {
                        "starts_at": "2026-06-02T03:00:00Z",
                        "ends_at": "2026-06-02T04:00:00Z",
                        "state": "refused",
                        "left": 1,
                        "reasons": [_REFUSED],
                    },
                ],
            }
        ],
    },
    response_only=True,
)
PRIVILEGES: Final = OpenApiExample(
    "One of two bookings left",
    {
        "standing": "good",
        "can_book": True,
        "holds": [],
        "strikes": [],
        "quotas": [
            {
                "name": "Two a day",
                "measure": "count",
                "period": "day",
                "per": "member",
                "limit": 2,
                "used": 1,
                "left": 1,
                "until": "2026-06-01",
            }
        ],
    },
    response_only=True,
)
NEW_GUEST: Final = OpenApiExample(
    "With a letter",
    {
        "name": "Demo Guest",
        "guest_class": "sponsored",
        "valid_from": "2026-06-01",
        "valid_until": "2026-06-30",
        "letter_of_introduction": "From a sister club.",
    },
    request_only=True,
)
GUEST: Final = OpenApiExample(
    "On the list",
    {
        "id": "e2b7c9d0-3a4f-4b1c-8d6e-5f7a8b9c0d17",
        "name": "Demo Guest",
        "guest_class": "sponsored",
        "valid_from": "2026-06-01",
        "valid_until": "2026-06-30",
        "letter_of_introduction": "From a sister club.",
        "host": _MEMBER,
    },
    response_only=True,
)
