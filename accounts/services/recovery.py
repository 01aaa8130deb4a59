"""Getting in without a password: the first activation of an account, and the reset of a lost password.

Both are asked for by naming somebody. Whoever is named, the same look-up, the same statements and the
same reply follow; only whether a message leaves the house differs, and that after the reply.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError

from accounts import signals
from accounts.models import Grant, Session, User
from accounts.selectors.people import NOBODY, find_user_or_nobody
from accounts.services import one_time_passwords
from accounts.services.devices import DeviceFacts, remember_untrusted, trust
from accounts.services.grants import find_grant, use_grant
from accounts.services.messages import local_text
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import Challenge, Purpose, can_be_reached, issue_challenge
from accounts.services.passwords import encoded_password
from accounts.services.sessions import end_all_sessions, open_session
from accounts.services.sign_in import SignedIn, tell_of_device
from bcc.core import transactions


def request_code(*, identifier: str, purpose: Purpose, now: datetime, address_key: str = "") -> Challenge:
    """A challenge for ACTIVATION or RESET, whoever is named.

    A code is sent to an active account that can be reached: for an activation one that has no password
    yet, for a reset one that has.
    """
    user, nobody = find_user_or_nobody(identifier)
    if user is not None and not _may_have(user, purpose):
        user = None
    return issue_challenge(
        user=user, purpose=purpose, nobody=nobody or ensure_nobody(), address_key=address_key, now=now
    )


def resend_code(*, challenge: UUID, now: datetime) -> Challenge:
    """Send the code of a challenge again, or seem to. Raises as ``one_time_passwords.resend_code`` does."""
    return one_time_passwords.resend_code(challenge=challenge, nobody=ensure_nobody(), now=now)


def activate(*, grant: str, password: str, facts: DeviceFacts, now: datetime) -> SignedIn:
    """Give an account its first password and sign in on the device that answered the code.

    Raises GrantOverError, and InvalidError on ``new_password``; the grant is still good after the latter.
    """
    given = find_grant(token=grant, purpose=Purpose.ACTIVATION, now=now)
    encoded = encoded_password(password, user=given.user)
    signed_in = _activate(grant=given, encoded=encoded, facts=facts, now=now)
    signals.signed_in.send(sender=User, user_id=given.user_id, method="otp")
    return signed_in


def reset_password(*, grant: str, password: str, now: datetime) -> None:
    """Set a new password in place of a lost one; every session and socket of the account ends.

    Raises GrantOverError, and InvalidError on ``new_password``; the grant is still good after the latter.
    """
    given = find_grant(token=grant, purpose=Purpose.RESET, now=now)
    encoded = encoded_password(password, user=given.user)
    _reset(grant=given, encoded=encoded, now=now)


@transactions.writes
def _activate(*, grant: Grant, encoded: str, facts: DeviceFacts, now: datetime) -> SignedIn:
    user = _set_password(grant=grant, encoded=encoded, now=now)
    device = remember_untrusted(user=user, facts=facts, now=now)
    device_token = trust(device=device, now=now)
    tokens = open_session(user=user, device=device, now=now)
    tell_of_device(user=user, device=device, event=device.public_id, now=now)
    return SignedIn(tokens, device_token)


@transactions.writes
def _reset(*, grant: Grant, encoded: str, now: datetime) -> None:
    user = _set_password(grant=grant, encoded=encoded, now=now)
    notify(
        user_id=user.pk,
        kind="password_changed",
        context={"at": local_text(now)},
        dedupe=f"password:{user.public_id.hex}:{user.token_version}",
        now=now,
    )


@transactions.writes
def _set_password(*, grant: Grant, encoded: str, now: datetime) -> User:
    use_grant(grant=grant, now=now)
    user: User = grant.user
    user.password = encoded
    user.save(update_fields=["password"])
    end_all_sessions(user=user, reason=Session.EndReason.PASSWORD, now=now)
    user.refresh_from_db(fields=["token_version"])
    return user


def _may_have(user: User, purpose: Purpose) -> bool:
    if not user.is_active or not can_be_reached(user):
        return False
    return user.awaits_activation is (purpose == Purpose.ACTIVATION)


def ensure_nobody() -> User:
    """The account that the outbox rows of unknown identifiers name, made at the first one."""
    nobody = User.objects.filter(username=NOBODY).first()
    if nobody is not None:
        return nobody
    try:
        return _make_nobody()
    except IntegrityError:  # another process made it at this moment
        return User.objects.get(username=NOBODY)


@transactions.writes
def _make_nobody() -> User:
    return User.objects.create(username=NOBODY, is_active=False, password=make_password(None))
