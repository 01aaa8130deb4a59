"""The second factor of staff: a code from an app on their telephone (TOTP), or a recovery code.

django-otp keeps the devices, refuses a code that was used, and makes guessing slower each time; here is
who is enrolled, how, and that it is told.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any, Final

import segno
from django.conf import settings
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.services.messages import local_text
from accounts.services.notifications import notify
from bcc.core import transactions

RECOVERY_CODES: Final = 10
# Letters and digits that are not taken for each other on paper.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_NAME: Final = "app"
_RECOVERY: Final = "recovery"


def is_enrolled(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


@transactions.writes
def begin_enrolment(*, user: User) -> TOTPDevice:
    """The device that waits for its first code; the same one while it does. Not for who is enrolled."""
    User.lock(user.pk)
    waiting = TOTPDevice.objects.filter(user=user, confirmed=False).order_by("pk").first()
    return waiting or TOTPDevice.objects.create(user=user, name=_NAME, confirmed=False)


def picture_of(device: TOTPDevice) -> str:
    """The picture that an app reads, as an address for ``<img>``: drawn here, sent to nobody."""
    drawn: str = segno.make(device.config_url, error="m", micro=False).svg_data_uri(scale=5, border=2)
    return drawn


def secret_of(device: TOTPDevice) -> str:
    """The same as text, in groups of four, for who cannot use the camera."""
    text = base64.b32encode(bytes.fromhex(device.key)).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


@transactions.writes
def confirm_enrolment(*, user: User, device: TOTPDevice, code: str, now: datetime) -> list[str] | None:
    """Enrol the device whose app shows ``code``; returns the recovery codes, which are shown once.

    None for a wrong code: that is counted, and a run of wrong ones waits longer each time.
    """
    User.lock(user.pk)
    device = TOTPDevice.objects.get(pk=device.pk, user=user)
    if device.confirmed or not _accepts(device, code):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    _tell(user, now)
    return make_recovery_codes(user=user)


@transactions.writes
def check_second_factor(*, user: User, code: str) -> Any | None:
    """The device of ``user`` that ``code`` is of, or None. A code works once; wrong ones are counted."""
    User.lock(user.pk)
    typed = "".join(code.split()).replace("-", "").lower()
    for device in TOTPDevice.objects.filter(user=user, confirmed=True).order_by("pk"):
        if typed.isdecimal() and _accepts(device, typed):
            return device
    if typed.isdecimal():
        return None
    for device in StaticDevice.objects.filter(user=user, confirmed=True).order_by("pk"):
        if _accepts(device, _stored(typed)):
            return device
    return None


@transactions.writes
def make_recovery_codes(*, user: User) -> list[str]:
    """Ten new codes, each good once, in place of all earlier ones."""
    User.lock(user.pk)
    device, _made = StaticDevice.objects.get_or_create(user=user, name=_RECOVERY)
    device.token_set.all().delete()
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=device, token=_stored(code)) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user, device__confirmed=True).count())


@transactions.writes
def forget_second_factor(*, user: User) -> None:
    """Let somebody who lost both telephone and recovery codes enrol anew at the next sign-in."""
    User.lock(user.pk)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def is_required() -> bool:
    """Off in demo mode only."""
    required: bool = settings.STAFF_SECOND_FACTOR
    return required


def _stored(code: str) -> str:
    """What stands for a recovery code in its row: 64 bits of an HMAC, so that a copy of the table lets
    nobody in."""
    return salted_hmac("accounts.recovery", code, algorithm="sha256").hexdigest()[:16]


def _accepts(device: Any, code: str) -> bool:
    allowed, _why = device.verify_is_allowed()
    return bool(allowed and device.verify_token(code))


def _tell(user: User, now: datetime) -> None:
    notify(
        user_id=user.pk,
        kind="second_factor",
        context={"at": local_text(now)},
        dedupe=f"second_factor:{user.public_id.hex}:{int(now.timestamp())}",
        now=now,
    )
