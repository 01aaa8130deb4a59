"""Passwords: checked and hashed outside of any transaction, a few at a time."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password, verify_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Grant, Session, User
from accounts.services import epoch
from accounts.services.grants import GrantOverError, Purpose, find_grant, use_grant
from accounts.services.messages import local_text
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import void_challenges
from accounts.services.sessions import end_all_sessions
from accounts.services.tokens import Tokens, make_tokens
from bcc.core import push, transactions
from bcc.core.errors import InvalidError, NotAllowedError, StaleVersionError

# NIST 800-63B-4: at least 64 must be possible; beyond this a hash is only work for the server.
MAX_LENGTH: Final = 128

# A sign-in this young has just shown the password and the device; after it a change asks for a code too.
FRESH: Final = timedelta(minutes=15)

# A storm of sign-ins must leave a core to everybody else; the hash runs without the interpreter's lock.
_cores = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) - 1))


class WrongPasswordError(InvalidError):
    """The present password was not right."""

    code = "wrong_password"

    def __init__(self) -> None:
        detail = _("This is not your present password. Type it again.")
        super().__init__(detail, errors={"current_password": [("wrong_password", detail)]})


class StepUpRequiredError(NotAllowedError):
    """The sign-in is old: whoever holds the phone now must show that they also get its messages."""

    code = "step_up_required"
    default_detail = gettext_lazy("Confirm it with a code first: ask for one, and send its grant along.")


class PasswordChangedError(StaleVersionError):
    default_detail = gettext_lazy("The password was changed in the meantime. Sign in again.")


def password_is_right(*, user: User | None, password: str) -> bool:
    """Whether ``password`` is the user's; about as much work for nobody, or for one without a password.

    A hash of another cost is brought to the present one when the password was right.
    """
    with _cores:
        if user is None:
            make_password(password)
            return False
        right, outdated = verify_password(password, user.password)
        if right and outdated:
            _replace_hash(user=user, encoded=make_password(password))
    return bool(right)


def encoded_password(password: str, *, user: User | None = None) -> str:
    """The hash of a new password that the rules allow. Raises InvalidError on ``new_password``."""
    if len(password) > MAX_LENGTH:
        detail = _("At most %(limit)d characters. Choose a shorter password.") % {"limit": MAX_LENGTH}
        raise InvalidError(errors={"new_password": [("password_too_long", detail)]})
    try:
        validate_password(password, user)
    except ValidationError as error:
        pairs = [(one.code or "invalid", " ".join(one.messages)) for one in error.error_list]
        raise InvalidError(errors={"new_password": pairs}) from error
    with _cores:
        return make_password(password)


def change_password(
    *, user_id: int, session_id: UUID, current: str, new: str, now: datetime, grant: str = ""
) -> Tokens:
    """Set a new password and end every other session and socket; returns new tokens for this one.

    Raises StepUpRequiredError for a sign-in older than FRESH without the ``grant`` of a code,
    GrantOverError for one that is none, WrongPasswordError, InvalidError for a password that the rules
    refuse, and PasswordChangedError when it was changed at the same moment or this session ended.
    """
    given = None
    if grant:
        given = find_grant(token=grant, purpose=Purpose.STEP_UP, now=now)
        if given.user_id != user_id:
            raise GrantOverError
    elif not Session.objects.filter(public_id=session_id, started_at__gt=now - FRESH).exists():
        raise StepUpRequiredError
    user = User.objects.get(pk=user_id)
    if not password_is_right(user=user, password=current):
        raise WrongPasswordError
    user.refresh_from_db(fields=["password"])  # the check may have renewed the hash
    encoded = encoded_password(new, user=user)
    return _change(user=user, session_id=session_id, encoded=encoded, grant=given, now=now)


def set_password(*, user: User, password: str | None, now: datetime) -> None:
    """Give an account a password that the form has checked, or none; every session of it ends."""
    with _cores:
        encoded = make_password(password)
    _set(user=user, encoded=encoded, now=now)


@transactions.writes
def _set(*, user: User, encoded: str, now: datetime) -> None:
    user.password = encoded
    user.save(update_fields=["password"])
    end_all_sessions(user=user, reason=Session.EndReason.PASSWORD, now=now)


@transactions.writes
def _change(*, user: User, session_id: UUID, encoded: str, grant: Grant | None, now: datetime) -> Tokens:
    if grant is not None:
        use_grant(grant=grant, now=now)
    same = User.objects.filter(pk=user.pk, password=user.password, token_version=user.token_version)
    if not same.update(password=encoded, token_version=user.token_version + 1):
        raise PasswordChangedError
    user.password, user.token_version = encoded, user.token_version + 1
    live = list(Session.objects.live(now).filter(user=user))
    kept = next((session for session in live if session.public_id == session_id), None)
    if kept is None:
        raise PasswordChangedError
    others = [session for session in live if session is not kept]
    Session.objects.filter(pk__in=[session.pk for session in others]).update(
        ended_at=now, end_reason=Session.EndReason.PASSWORD
    )
    for session in others:
        push.end_sessions(user.public_id, session.public_id)
    epoch.move()
    void_challenges(user_id=user.pk, now=now)
    notify(
        user_id=user.pk,
        kind="password_changed",
        context={"at": local_text(now)},
        dedupe=f"password:{user.public_id.hex}:{user.token_version}",
        now=now,
    )
    return make_tokens(user=user, session=kept, now=now)


@transactions.writes
def _replace_hash(*, user: User, encoded: str) -> None:
    # Compare-and-set: a password changed at this moment must not be brought back.
    if User.objects.filter(pk=user.pk, password=user.password).update(password=encoded):
        user.password = encoded
