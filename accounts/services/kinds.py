"""What accounts itself tells people."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Channel
from accounts.services.messages import MessageKind, register

ONE_TIME_CODE: Final = MessageKind(
    code="one_time_code",
    label=_("One-time code"),
    fields={"code": "123456"},
    texts={
        Channel.SMS: (
            "",
            _("$code is your code for $club, for five minutes. Give it to nobody, not to staff either."),
        ),
        Channel.PUSH: (
            _("Your code for $club"),
            _("$code, for five minutes. Give it to nobody, not to staff either."),
        ),
        Channel.EMAIL: (
            _("Your code for $club"),
            _(
                "Your code is $code. Enter it in the app within five minutes.\n\n"
                "Give it to nobody, not to staff either. If you did not just sign in, change your password."
            ),
        ),
    },
    is_security=True,
)

NEW_DEVICE: Final = MessageKind(
    code="new_device",
    label=_("Sign-in on a new device"),
    fields={"device": "Pixel 9", "at": "4 May 2026, 07:30"},
    texts={
        Channel.IN_APP: (
            _("New sign-in"),
            _("Somebody signed in as you on $device at $at. If it was not you, change your password now."),
        ),
        Channel.EMAIL: (
            _("New sign-in at $club"),
            _("Somebody signed in as you on $device at $at.\n\nIf it was not you, change your password now."),
        ),
    },
    is_security=True,
)

PASSWORD_CHANGED: Final = MessageKind(
    code="password_changed",
    label=_("Password changed"),
    fields={"at": "4 May 2026, 07:30"},
    texts={
        Channel.IN_APP: (
            _("Password changed"),
            _("Your password was changed at $at. Other devices were signed out."),
        ),
        Channel.EMAIL: (
            _("Your password at $club was changed"),
            _(
                "Your password was changed at $at, and other devices were signed out.\n\n"
                "If it was not you, call the club."
            ),
        ),
    },
    is_security=True,
)

SESSION_COPIED: Final = MessageKind(
    code="session_copied",
    label=_("Sign-in ended because it was used twice"),
    fields={"device": "Pixel 9", "at": "4 May 2026, 07:30"},
    texts={
        Channel.IN_APP: (
            _("Signed out for safety"),
            _(
                "Your sign-in on $device was used from two places at $at and has been ended. "
                "Change your password."
            ),
        ),
        Channel.EMAIL: (
            _("Signed out at $club for safety"),
            _(
                "Your sign-in on $device was used from two places at $at and has been ended.\n\n"
                "Sign in again and change your password."
            ),
        ),
    },
    is_security=True,
)


ACCOUNT_ISSUED: Final = MessageKind(
    code="account_issued",
    label=_("Account issued"),
    fields={"name": "Demo Member", "member_no": "D-0014"},
    texts={
        Channel.EMAIL: (
            _("Your account at $club"),
            _(
                "Dear $name,\n\nyour account is ready. Open the app, choose to activate, and enter your "
                "member number, $member_no. A code is sent to you, and you choose your own password.\n\n"
                "The club never asks for your password or for a code."
            ),
        ),
    },
    is_security=True,
)


SECOND_FACTOR: Final = MessageKind(
    code="second_factor",
    label=_("Second factor set up"),
    fields={"at": "4 May 2026, 07:30"},
    texts={
        Channel.EMAIL: (
            _("A second factor was set up for you at $club"),
            _(
                "An app was set up at $at to sign in to the back office in your name.\n\n"
                "If it was not you, tell the club's administrator at once."
            ),
        ),
    },
    is_security=True,
)


STAFF_MESSAGE: Final = MessageKind(
    code="staff_message",
    label=_("Message of the club"),
    fields={"title": "The pool is closed on Friday", "text": "It opens again on Saturday at six."},
    texts={Channel.IN_APP: ("$title", "$text"), Channel.EMAIL: ("$title", "$text")},
)

STAFF_MESSAGE_IN_APP: Final = MessageKind(
    code="staff_message_in_app",
    label=_("Message of the club, in the app only"),
    fields={"title": "The pool is closed on Friday", "text": "It opens again on Saturday at six."},
    texts={Channel.IN_APP: ("$title", "$text")},
)


def register_own_kinds() -> None:
    for kind in (
        ONE_TIME_CODE,
        NEW_DEVICE,
        PASSWORD_CHANGED,
        SESSION_COPIED,
        ACCOUNT_ISSUED,
        SECOND_FACTOR,
        STAFF_MESSAGE,
        STAFF_MESSAGE_IN_APP,
    ):
        register(kind)
