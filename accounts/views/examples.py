"""What the OpenAPI document shows of sign-in and of one's account. Plainly demo data."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_TOKENS: Final[dict[str, Any]] = {
    "access": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.example.access",
    "access_expires_at": "2026-06-01T00:10:00Z",
    "refresh": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.example.refresh",
    "refresh_expires_at": "2026-07-01T00:00:00Z",
}
_CHALLENGE: Final[dict[str, Any]] = {
    "challenge": "1f0c2f4e-5f3c-4c8e-9a54-3c1f6f3a7b10",
    "channel": "email",
    "sent_to": "d…4@example.com",
    "expires_at": "2026-06-01T00:05:00Z",
    "resend_at": "2026-06-01T00:00:30Z",
    "resends_left": 3,
}
_PERSON: Final[dict[str, Any]] = {
    "id": "8f6d1f0e-64a5-4f5d-8a42-0e7c6a5a8d11",
    "member_no": "D-0014",
    "first_name": "Demo",
    "last_name": "Member 014",
    "relation": "principal",
    "birth_date": "1980-05-17",
    "can_book": True,
    "can_view_statements": True,
}
_MEMBERSHIP: Final[dict[str, Any]] = {
    "id": "5d0a3f6e-9c55-4a3f-8b8e-2b1c0d9e7f12",
    "account_no": "D-0014",
    "category": {"code": "regular", "name": "Regular"},
    "standing": "good",
    "valid_to": None,
}

LOGIN_REQUEST: Final = OpenApiExample(
    "By member number",
    value={
        "identifier": "D-0014",
        "password": "the member's password",
        "device": {"platform": "android", "name": "My phone", "app_version": "1.4.0"},
    },
    request_only=True,
)
TRUSTED: Final = OpenApiExample(
    "A trusted device", value={"otp_required": False, "tokens": _TOKENS}, response_only=True
)
CHALLENGED: Final = OpenApiExample(
    "A new device", value={"otp_required": True, "challenge": _CHALLENGE}, response_only=True
)
NEWLY_TRUSTED: Final = OpenApiExample(
    "The right code",
    value={"otp_required": False, "tokens": _TOKENS, "device_token": "example-device-token"},
    response_only=True,
)
CODE_REQUEST: Final = OpenApiExample(
    "The code from the message",
    value={"challenge": _CHALLENGE["challenge"], "code": "123456"},
    request_only=True,
)
RESEND_REQUEST: Final = OpenApiExample(
    "Again, please",
    value={"purpose": "device", "challenge": _CHALLENGE["challenge"]},
    request_only=True,
)
RESET_REQUEST: Final = OpenApiExample(
    "A lost password", value={"purpose": "reset", "identifier": "D-0014"}, request_only=True
)
ACTIVATE_REQUEST: Final = OpenApiExample(
    "The first password",
    value={
        "grant": "example-grant",
        "new_password": "a phrase nobody else uses",
        "device": {"platform": "android", "name": "My phone", "app_version": "1.4.0"},
    },
    request_only=True,
)
NEW_PASSWORD_REQUEST: Final = OpenApiExample(
    "In place of a lost one",
    value={"grant": "example-grant", "new_password": "a phrase nobody else uses"},
    request_only=True,
)
CHALLENGE: Final = OpenApiExample("Sent again", value=_CHALLENGE | {"resends_left": 2}, response_only=True)
REFRESH_REQUEST: Final = OpenApiExample(
    "The last refresh token", value={"refresh": _TOKENS["refresh"]}, request_only=True
)
TOKENS: Final = OpenApiExample("A new pair", value=_TOKENS, response_only=True)
PASSWORD_REQUEST: Final = OpenApiExample(
    "A new password",
    value={"current_password": "the present password", "new_password": "a phrase nobody else uses"},
    request_only=True,
)
ME: Final = OpenApiExample(
    "A member",
    value={
        "id": "0f7c5a0e-51c1-4a1f-b1a0-7c1d2e3f4a13",
        "username": "d0014",
        "display_name": "Demo Member 014",
        "email": "demo014@example.com",
        "mobile": "",
        "is_staff": False,
        "permissions": [],
        "member": _PERSON,
        "membership": _MEMBERSHIP,
        "channel_preferences": [
            {
                "kind": "reservation_confirmed",
                "label": "Reservation confirmed",
                "channel": "email",
                "is_wanted": True,
                "may_change": True,
            }
        ],
    },
    response_only=True,
)
ME_PATCH: Final = OpenApiExample(
    "No e-mail for this kind",
    value={
        "channel_preferences": [{"kind": "reservation_confirmed", "channel": "email", "is_wanted": False}]
    },
    request_only=True,
)
HOUSEHOLD: Final = OpenApiExample(
    "A principal alone", value={"membership": _MEMBERSHIP, "members": [_PERSON]}, response_only=True
)
DEVICE: Final = OpenApiExample(
    "A phone",
    value={
        "id": "c3b0a1d2-7e6f-4d5c-8b9a-1a2b3c4d5e14",
        "platform": "android",
        "name": "My phone",
        "app_version": "1.4.0",
        "trusted_at": "2026-05-01T00:00:00Z",
        "last_seen_at": "2026-06-01T00:00:00Z",
        "is_current": True,
    },
    response_only=True,
)
CURRENT_DEVICE: Final = OpenApiExample(
    "After an update of the app",
    value={"platform": "android", "name": "My phone", "app_version": "1.5.0", "push_token": "a-push-token"},
    request_only=True,
)
NOTIFICATION: Final = OpenApiExample(
    "A notice",
    value={
        "id": "a1b2c3d4-0f1e-4d2c-9b3a-4c5d6e7f8a15",
        "kind": "reservation_confirmed",
        "title": "Confirmed: Tennis Court 1",
        "body": "Your reservation on 2 June 2026, 10:00 is confirmed.",
        "link": "reservations/7d3f",
        "created_at": "2026-06-01T00:00:00Z",
        "read_at": None,
    },
    response_only=True,
)
