"""Sessions: opened by a sign-in, carried on by refresh tokens that work once, ended in many ways."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import signals
from accounts.models import Device, RefreshTokenUse, Session, User
from accounts.policies.identity import Identity
from accounts.policies.tokens import SESSION_LIFETIME, Claims, TokenType
from accounts.services import epoch
from accounts.services.identities import SessionEndedError
from accounts.services.messages import local_text
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import void_challenges
from accounts.services.tokens import Tokens, make_tokens, read_token
from bcc.core import push, transactions
from bcc.core.errors import NotAuthenticatedError


class TokenReusedError(NotAuthenticatedError):
    """A refresh token came a second time: it was copied, or the app lost a reply. Its family is dead."""

    code = "refresh_reused"
    default_detail = _("This session was ended because its token was used twice. Sign in again.")


class _SpentError(Exception):
    """The insert of the token's use met another. Not a DatabaseError: the door does not retry it."""


@transactions.writes
def open_session(*, user: User, device: Device, now: datetime) -> Tokens:
    """Begin a family of refresh tokens for ``user`` on ``device``.

    The tokens carry the version that ``user`` was loaded with: a password changed since then makes
    them dead on arrival.
    """
    session = Session.objects.create(
        user=user, device=device, started_at=now, expires_at=now + SESSION_LIFETIME
    )
    User.objects.filter(pk=user.pk).update(last_login=now)
    return make_tokens(user=user, session=session, now=now)


def refresh(*, token: str, now: datetime) -> Tokens:
    """Exchange a refresh token for a new pair; it works once.

    The second use ends the whole family, and that is committed although the answer is a refusal: so
    this is not one transaction. Raises NotAuthenticatedError: TokenTooOldError, TokenInvalidError,
    SessionEndedError (also for a user who is gone), TokenReusedError.
    """
    claims = read_token(token, type=TokenType.REFRESH, now=now)
    try:
        return _rotate(claims=claims, now=now)
    except _SpentError as error:
        _end_family(public_id=claims.session, now=now)
        signals.sign_in_failed.send(sender=Session, reason="refresh_reused")
        raise TokenReusedError from error


@transactions.writes
def log_out(*, identity: Identity, now: datetime) -> None:
    """End this session and its sockets; its device hears no more. Ending an ended one changes nothing."""
    session = Session.objects.filter(public_id=identity.session_id).only("pk", "device_id").first()
    if session is None:
        return
    Session.objects.live(now).filter(pk=session.pk).update(ended_at=now, end_reason=Session.EndReason.LOGOUT)
    Device.objects.filter(pk=session.device_id).update(push_token="")
    push.end_sessions(identity.public_id, identity.session_id)
    epoch.move()


@transactions.writes
def log_out_everywhere(*, user_id: int, now: datetime) -> None:
    """End every session, socket and open challenge of a user."""
    user = User.objects.only("pk", "public_id").get(pk=user_id)
    end_all_sessions(user=user, reason=Session.EndReason.LOGOUT, now=now)


@transactions.writes
def end_all_sessions(*, user: User, reason: Session.EndReason, now: datetime) -> None:
    """What log-out everywhere, deactivation and a reset have in common: the token version moves."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    Session.objects.live(now).filter(user=user).update(ended_at=now, end_reason=reason)
    Device.objects.filter(user=user).exclude(push_token="").update(push_token="")
    void_challenges(user_id=user.pk, now=now)
    push.end_sessions(user.public_id)
    epoch.move()


@transactions.writes
def revoke_session(*, public_id: UUID, now: datetime) -> bool:
    """End one session for the staff; False if it was over."""
    return _end(public_id=public_id, reason=Session.EndReason.REVOKED, now=now) is not None


@transactions.writes
def _rotate(*, claims: Claims, now: datetime) -> Tokens:
    jti = claims.jti
    session_pk = Session.objects.filter(public_id=claims.session).values_list("pk", flat=True).first()
    if session_pk is None or jti is None:
        raise SessionEndedError
    try:
        RefreshTokenUse.objects.create(session_id=session_pk, jti=jti, used_at=now)
    except IntegrityError as error:
        raise _SpentError from error
    # Read after the insert: whoever ended the family has done so before, or waits for this commit.
    session = Session.objects.live(now).select_related("user").filter(pk=session_pk).first()
    if (
        session is None
        or session.user.public_id != claims.user
        or not session.user.is_active
        or session.user.token_version != claims.token_version
    ):
        raise SessionEndedError
    Device.objects.filter(pk=session.device_id).update(last_seen_at=now)
    return make_tokens(user=session.user, session=session, now=now)


@transactions.writes
def _end_family(*, public_id: UUID, now: datetime) -> None:
    session = _end(public_id=public_id, reason=Session.EndReason.REUSE, now=now)
    if session is not None:
        notify(
            user_id=session.user_id,
            kind="session_copied",
            context={"device": str(session.device), "at": local_text(now)},
            dedupe=f"session_copied:{session.public_id.hex}",
            now=now,
        )


def _end(*, public_id: UUID, reason: Session.EndReason, now: datetime) -> Session | None:
    """End a live session, its sockets and what others remember of it; None if it was over."""
    if not Session.objects.live(now).filter(public_id=public_id).update(ended_at=now, end_reason=reason):
        return None
    session = Session.objects.select_related("user", "device").get(public_id=public_id)
    push.end_sessions(session.user.public_id, session.public_id)
    epoch.move()
    return session
