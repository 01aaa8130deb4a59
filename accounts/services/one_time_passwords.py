"""One-time codes: issued, sent again, checked. No code is ever in a row, a queue or a log.

At most one challenge of a user and purpose is live; an attempt is counted and committed before the
code is compared; the right code works once, whoever sends it how often.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Channel, Device, Grant, OneTimePassword, User
from accounts.policies.codes import (
    LIFETIME,
    MAX_ATTEMPTS,
    MAX_RESENDS,
    RESEND_GAP,
    derive_code,
    new_nonce,
    same_code,
)
from accounts.policies.identifiers import masked
from accounts.services.notifications import otp_row, write_outbox
from bcc.core import transactions
from bcc.core.errors import LimitedError, NotAllowedError, NotAuthenticatedError

Purpose = OneTimePassword.Purpose
# Asked for by naming somebody, without a sign-in: what is told must not say whether there is such a person.
UNNAMED: Final = frozenset({Purpose.ACTIVATION, Purpose.RESET})


class ChallengeOverError(NotAuthenticatedError):
    """Used, replaced, expired, tried too often, or never there: one answer for all."""

    code = "challenge_over"
    default_detail = _("This code can no longer be used. Sign in again to get a new one.")


class WrongCodeError(NotAuthenticatedError):
    code = "wrong_code"
    default_detail = _("This is not the code that was sent. Check it and type it again.")


class NoChannelError(NotAllowedError):
    code = "no_channel"
    default_detail = _(
        "The club has no address or mobile number to send you a code. Ask the club to add one."
    )


class ResendLimitError(LimitedError):
    code = "resend_limit"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is told of a challenge. ``sent_to`` is masked; empty for one that was asked for by a name."""

    challenge: UUID
    channel: str
    sent_to: str
    expires_at: datetime
    resend_at: datetime
    resends_left: int


@transactions.writes
def issue_challenge(
    *,
    user: User | None,
    purpose: Purpose,
    now: datetime,
    device: Device | None = None,
    nobody: User | None = None,
    address_key: str = "",
) -> Challenge:
    """Make a challenge, end the user's earlier one of the purpose, and send the code after commit.

    Without a user (an identifier that nobody has) the same statements run, the reply has the same
    shape, and nothing is sent: ``nobody`` is the closed account that the outbox row names then; without
    it there is no row. Raises NoChannelError for a user who cannot be reached.
    """
    channel, destination = _reach(user)
    User.lock(_key_of(user, nobody))
    _supersede(user_id=0 if user is None else user.pk, purpose=purpose, now=now)
    otp = OneTimePassword.objects.create(
        user=user,
        purpose=purpose,
        channel=channel,
        destination=destination,
        challenge=uuid.uuid4(),
        nonce=new_nonce(),
        device=device,
        address_key=address_key,
        created_at=now,
        expires_at=now + LIFETIME,
        last_sent_at=now,
    )
    _send(otp, user or nobody, now)
    return _told(otp)


def can_be_reached(user: User) -> bool:
    """Whether a code can be sent to ``user`` by any channel of OTP_CHANNELS."""
    return where_codes_go(user) is not None


def where_codes_go(user: User) -> tuple[Channel, str] | None:
    """The first channel of OTP_CHANNELS that reaches ``user``, and where to, as it may be shown; or None."""
    shown = ((channel, destination_shown(user, channel)) for channel in channels_of_codes())
    return next((one for one in shown if one[1]), None)


@transactions.writes
def resend_code(*, challenge: UUID, now: datetime, nobody: User | None = None) -> Challenge:
    """Send the code of a live challenge again: the same within the gap of 30 s, a new one after it.

    The expiry and the attempts already made stay. Raises ChallengeOverError, and ResendLimitError
    after the third time.
    """
    otp = _live(challenge, now)
    if otp.resends >= MAX_RESENDS:
        raise ResendLimitError(
            _("The code was sent often enough. Use the last one, or sign in again later."),
            retry_after=int((otp.expires_at - now).total_seconds()),
        )
    nonce = otp.nonce if now - otp.last_sent_at < RESEND_GAP else new_nonce()
    same = OneTimePassword.objects.live(now).filter(pk=otp.pk, resends=otp.resends)
    if not same.update(resends=otp.resends + 1, nonce=nonce, last_sent_at=now):
        raise ChallengeOverError
    otp.resends, otp.nonce, otp.last_sent_at = otp.resends + 1, nonce, now
    _send(otp, otp.user or nobody, now)
    return _told(otp)


def check_code(*, challenge: UUID, code: str, now: datetime) -> OneTimePassword:
    """The challenge that ``code`` answers, still to be consumed. Not a transaction: the attempt is
    committed before the code is looked at, whatever comes after.

    Raises WrongCodeError, and ChallengeOverError for one that cannot be answered any more.
    """
    otp = _count_attempt(challenge=challenge, now=now)
    right = derive_code(key=settings.OTP_KEY, purpose=otp.purpose, challenge=otp.challenge, nonce=otp.nonce)
    # Nobody's challenge is compared like any other, and never answered.
    if not same_code(code, right) or otp.user_id is None:
        if otp.attempts >= MAX_ATTEMPTS:
            raise ChallengeOverError
        raise WrongCodeError(attempts_left=MAX_ATTEMPTS - otp.attempts)
    return otp


@transactions.writes
def consume(*, otp: OneTimePassword, now: datetime) -> None:
    """Use a challenge up, inside the transaction of what it allows. Raises ChallengeOverError if somebody
    was faster."""
    if not OneTimePassword.objects.live(now).filter(pk=otp.pk, nonce=otp.nonce).update(consumed_at=now):
        raise ChallengeOverError


@transactions.writes
def void_challenges(*, user_id: int, now: datetime) -> None:
    """End every live challenge and grant of a user: what they were asked for under is no longer true."""
    User.lock(user_id)
    for purpose in Purpose:
        _supersede(user_id=user_id, purpose=purpose, now=now)
    Grant.objects.live(now).filter(user_id=user_id).update(used_at=now)


@transactions.writes
def _count_attempt(*, challenge: UUID, now: datetime) -> OneTimePassword:
    mine = OneTimePassword.objects.live(now).filter(challenge=challenge, attempts__lt=MAX_ATTEMPTS)
    if not mine.update(attempts=F("attempts") + 1):
        raise ChallengeOverError
    return OneTimePassword.objects.select_related("user", "device").get(challenge=challenge)


def _live(challenge: UUID, now: datetime) -> OneTimePassword:
    live = OneTimePassword.objects.live(now).select_related("user")
    otp = live.filter(challenge=challenge, attempts__lt=MAX_ATTEMPTS).first()
    if otp is None:
        raise ChallengeOverError
    return otp


def _supersede(*, user_id: int, purpose: Purpose, now: datetime) -> None:
    open_ones = OneTimePassword.objects.filter(
        user_id=user_id, purpose=purpose, consumed_at__isnull=True, superseded_at__isnull=True
    )
    open_ones.update(superseded_at=now)


def _reach(user: User | None) -> tuple[Channel, str]:
    """``where_codes_go``, for nobody too. Raises NoChannelError."""
    channels = channels_of_codes()
    if user is None:
        if channels[:1] == [Channel.PUSH]:
            _phone_of(0)  # what is asked of somebody too: the reply shall take as long
        return (channels[0] if channels else Channel.EMAIL), ""
    reached = where_codes_go(user)
    if reached is None:
        raise NoChannelError
    return reached


def channels_of_codes() -> list[Channel]:
    """Those of OTP_CHANNELS that have a sender, in the order in which they are tried."""
    return [Channel(name) for name in settings.OTP_CHANNELS if name in settings.NOTIFICATION_SENDERS]


def destination_shown(user: User, channel: Channel) -> str:
    """Where a code reaches ``user`` by ``channel``, as it may be shown before sign-in; empty if nowhere.

    A push goes to devices that a code was right on before, never to the one that is signing in, and
    is shown as the kind of the device last seen: its name may be its owner's.
    """
    if channel == Channel.PUSH:
        device = _phone_of(user.pk)
        return "" if device is None else str(device.get_platform_display())
    address = str(user.mobile) if channel == Channel.SMS else user.email
    return masked(address) if address else ""


def _phone_of(user_id: int) -> Device | None:
    reached = Device.objects.reached_by_push().filter(user_id=user_id)
    return reached.order_by("-last_seen_at", "-pk").first()


def _key_of(user: User | None, nobody: User | None) -> int:
    return user.pk if user is not None else nobody.pk if nobody is not None else 0


def _send(otp: OneTimePassword, recipient: User | None, now: datetime) -> None:
    if recipient is not None:
        row = otp_row(otp=otp, recipient=recipient, now=now)
        write_outbox([row], recipient=recipient.public_id, now=now)


def _told(otp: OneTimePassword) -> Challenge:
    is_unnamed = otp.purpose in UNNAMED
    return Challenge(
        challenge=otp.challenge,
        channel=_reach(None)[0] if is_unnamed else otp.channel,
        sent_to="" if is_unnamed else otp.destination,
        expires_at=otp.expires_at,
        resend_at=min(otp.last_sent_at + RESEND_GAP, otp.expires_at),
        resends_left=MAX_RESENDS - otp.resends,
    )
