"""Signing in: a password on a trusted device, a password and a one-time code on a new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import signals
from accounts.models import Device, OneTimePassword, Session, User
from accounts.policies.identity import Identity
from accounts.selectors.people import find_user
from accounts.services.devices import DeviceFacts, find_trusted, note_seen, remember_untrusted, trust
from accounts.services.grants import Granted, give_grant
from accounts.services.messages import local_text
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import (
    Challenge,
    ChallengeOverError,
    NoChannelError,
    Purpose,
    WrongCodeError,
    check_code,
    consume,
    issue_challenge,
)
from accounts.services.passwords import password_is_right
from accounts.services.sessions import open_session
from accounts.services.tokens import Tokens
from bcc.core import transactions
from bcc.core.errors import NotAuthenticatedError, NotFoundError


class WrongCredentialsError(NotAuthenticatedError):
    """Nobody of that name, a wrong password, or an account that is closed: one answer for all."""

    code = "wrong_credentials"
    default_detail = _(
        "The member number, e-mail, mobile number or password is not right. Check them and try again."
    )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Tokens, and once per device the token that proves it from then on."""

    tokens: Tokens
    device_token: str | None = None


def sign_in(
    *,
    identifier: str,
    password: str,
    facts: DeviceFacts,
    device_token: str,
    now: datetime,
    address_key: str = "",
) -> SignedIn | Challenge:
    """Tokens on a device that ``device_token`` proves, a challenge on any other.

    Looking up and hashing take about the same time whoever is asked for, and stand outside of any
    transaction. Raises WrongCredentialsError, and NoChannelError for somebody who cannot get a code.
    """
    user = find_user(identifier)
    if not password_is_right(user=user, password=password) or user is None or not user.is_active:
        signals.sign_in_failed.send(sender=User, reason="wrong_credentials")
        raise WrongCredentialsError
    device = find_trusted(user=user, device_token=device_token)
    if device is None:
        try:
            return _challenge(user=user, facts=facts, address_key=address_key, now=now)
        except NoChannelError:
            signals.sign_in_failed.send(sender=User, reason=NoChannelError.code)
            raise
    tokens = _sign_in_trusted(user=user, device=device, facts=facts, now=now)
    signals.signed_in.send(sender=User, user_id=user.pk, method="password")
    return SignedIn(tokens)


def verify_code(*, challenge: UUID, code: str, now: datetime) -> SignedIn | Granted:
    """Answer a challenge.

    That of a new device gives tokens, and a device token that is never shown again; that of an
    activation, a reset or a change gives a grant for it. Raises WrongCodeError and ChallengeOverError;
    the attempt is counted in either case.
    """
    try:
        otp = check_code(challenge=challenge, code=code, now=now)
        if otp.purpose != Purpose.DEVICE:
            return _grant(otp=otp, now=now)
        signed_in = _trust_and_open(otp=otp, now=now)
    except (WrongCodeError, ChallengeOverError) as error:
        signals.sign_in_failed.send(sender=User, reason=error.code)
        raise
    signals.signed_in.send(sender=User, user_id=otp.user_id, method="otp")
    return signed_in


@transactions.writes
def ask_again(*, identity: Identity, now: datetime, address_key: str = "") -> Challenge:
    """A challenge to the signed-in person before a change that matters (STEP_UP).

    Raises NoChannelError for somebody who cannot get a code, NotFoundError where the user is gone.
    """
    session = Session.objects.live(now).select_related("user", "device")
    found = session.filter(public_id=identity.session_id).first()
    if found is None:
        raise NotFoundError
    return issue_challenge(
        user=found.user, purpose=Purpose.STEP_UP, device=found.device, address_key=address_key, now=now
    )


def tell_of_device(*, user: User, device: Device, event: UUID, now: datetime) -> None:
    """Tell somebody that they, or somebody else, signed in on a device not seen before."""
    notify(
        user_id=user.pk,
        kind="new_device",
        context={"device": str(device), "at": local_text(now)},
        dedupe=f"new_device:{event.hex}",
        now=now,
    )


@transactions.writes
def _challenge(*, user: User, facts: DeviceFacts, address_key: str, now: datetime) -> Challenge:
    device = remember_untrusted(user=user, facts=facts, now=now)
    return issue_challenge(user=user, purpose=Purpose.DEVICE, device=device, address_key=address_key, now=now)


@transactions.writes
def _sign_in_trusted(*, user: User, device: Device, facts: DeviceFacts, now: datetime) -> Tokens:
    note_seen(device=device, facts=facts, now=now)
    return open_session(user=user, device=device, now=now)


@transactions.writes
def _grant(*, otp: OneTimePassword, now: datetime) -> Granted:
    if otp.user is None or not otp.user.is_active:
        raise ChallengeOverError
    consume(otp=otp, now=now)
    return give_grant(user=otp.user, purpose=Purpose(otp.purpose), now=now)


@transactions.writes
def _trust_and_open(*, otp: OneTimePassword, now: datetime) -> SignedIn:
    user, device = otp.user, otp.device
    if user is None or device is None or not user.is_active:
        raise ChallengeOverError
    consume(otp=otp, now=now)
    device_token = trust(device=device, now=now)
    tokens = open_session(user=user, device=device, now=now)
    tell_of_device(user=user, device=device, event=otp.challenge, now=now)
    return SignedIn(tokens, device_token)
