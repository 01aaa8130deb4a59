"""What members are told of their reservations. Staff edit the words; these are the club's first ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Channel
from accounts.services.messages import MessageKind, register
from accounts.services.notifications import News, notify, notify_each
from bcc.core import clock, push
from reservations.models import Reservation
from reservations.policies.states import State

FIELDS = {
    "facility": "Tennis Court 1",
    "when": "24 December 2026, 07:00",
    "until": "08:00",
    "party": "4",
    "deadline": "23 December 2026, 07:00",
    "reason": "Heavy rain.",
    "reference": "3f1c2a90",
}

Words = tuple[str | Promise, str | Promise]

_TEXTS: dict[State, Words] = {
    State.HELD: (
        _("On hold: $facility"),
        _("$facility on $when is on hold for you until $deadline. Confirm it in the app before then."),
    ),
    State.PENDING_APPROVAL: (
        _("Waiting for approval: $facility"),
        _("Your request for $facility on $when waits for the club. You hear from us by $deadline."),
    ),
    State.PENDING_CONFIRMATION: (
        _("Please confirm: $facility"),
        _("$facility on $when is yours if you confirm it by $deadline. Open the app to confirm."),
    ),
    State.CONFIRMED: (
        _("Confirmed: $facility"),
        _("$facility on $when is confirmed for a party of $party. Your reference is $reference."),
    ),
    State.CHECKED_IN: (_("Checked in: $facility"), _("You are checked in to $facility. Enjoy your time.")),
    State.COMPLETED: (
        _("Thank you: $facility"),
        _("Your time at $facility on $when is over. Come back soon."),
    ),
    State.NO_SHOW: (
        _("Missed: $facility"),
        _("Nobody checked in to $facility on $when. Ask the front desk if this is wrong."),
    ),
    State.DENIED: (
        _("Not approved: $facility"),
        _("The club could not approve $facility on $when. $reason Choose another time in the app."),
    ),
    State.EXPIRED: (
        _("Expired: $facility"),
        _("$facility on $when was not confirmed in time and is free again. Book it anew if you want it."),
    ),
    State.CANCELLED_MEMBER: (
        _("Cancelled: $facility"),
        _("Your reservation of $facility on $when is cancelled. $reason"),
    ),
    State.CANCELLED_CLUB: (
        _("Cancelled by the club: $facility"),
        _("The club had to cancel $facility on $when. $reason Choose another time in the app."),
    ),
}
_EXTRA: dict[str, Words] = {
    "reservation_rescheduled": (
        _("Moved: $facility"),
        _("Your reservation of $facility is now on $when. Your reference is $reference."),
    ),
    "reservation_kept": (
        _("Please note: $facility"),
        _("Your reservation of $facility on $when stands, but: $reason"),
    ),
    "reservation_deadline_reminder": (
        _("Confirm soon: $facility"),
        _("$facility on $when is still waiting for you. Confirm it by $deadline or it expires."),
    ),
    "reservation_start_reminder": (
        _("Coming up: $facility"),
        _("$facility is booked for you on $when. Cancel it in the app if you cannot come."),
    ),
}
# What happens at the venue itself is shown in the app; nobody needs an e-mail of it.
_IN_APP_ONLY = {State.CHECKED_IN, State.COMPLETED}


def kind_of(state: State) -> str:
    return f"reservation_{state.lower()}"


def register_kinds() -> None:
    """Declare every kind; called once by the app's ``ready``."""
    for state, words in _TEXTS.items():
        channels = (Channel.IN_APP,) if state in _IN_APP_ONLY else (Channel.IN_APP, Channel.EMAIL)
        _declare(kind_of(state), words, channels, is_security=state is State.CANCELLED_CLUB)
    for code, words in _EXTRA.items():
        _declare(code, words, (Channel.IN_APP, Channel.EMAIL))


def _declare(code: str, words: Words, channels: tuple[Channel, ...], *, is_security: bool = False) -> None:
    register(
        MessageKind(
            code=code,
            label=words[0],
            fields=FIELDS,
            texts=dict.fromkeys(channels, words),
            is_security=is_security,
        )
    )


def tell(
    reservation: Reservation,
    *,
    kind: str,
    user_id: int | None,
    now: datetime,
    facility_name: str,
    reason: str = "",
    dedupe: str = "",
    valid_until: datetime | None = None,
) -> None:
    """Tell the member of ``reservation`` once, in the app and by e-mail; nobody if they have no sign-in."""
    if user_id is None:
        return
    notify(
        user_id=user_id,
        kind=kind,
        context=_context_of(reservation, facility_name, reason),
        dedupe=dedupe or _dedupe(reservation),
        now=now,
        valid_until=valid_until or _valid_until(reservation, now),
        link=_link(reservation),
    )


def tell_each(reservations: Iterable[Reservation], *, kind: str, now: datetime) -> None:
    """Tell the member of each once, as ``tell`` does; with ``facility`` and ``member`` at hand."""
    news = [
        News(
            user_id=one.member.user_id,
            kind=kind,
            context=_context_of(one, one.facility.name, ""),
            dedupe=_dedupe(one),
            valid_until=_valid_until(one, now),
            link=_link(one),
        )
        for one in reservations
        if one.member is not None and one.member.user_id is not None
    ]
    notify_each(kind=kind, news=news, now=now)


def _context_of(reservation: Reservation, facility_name: str, reason: str) -> dict[str, str]:
    zone = clock.zone()

    def text(instant: datetime | None, form: str = "j F Y, H:i") -> str:
        return "" if instant is None else date_format(instant.astimezone(zone), form)

    return {
        "facility": facility_name,
        "when": text(reservation.starts_at),
        "until": text(reservation.ends_at, "H:i"),
        "party": str(reservation.party),
        "deadline": text(reservation.expires_at),
        "reason": reason,
        "reference": str(reservation.public_id)[:8],
    }


def _dedupe(reservation: Reservation) -> str:
    return f"reservation:{reservation.public_id}:v{reservation.version}"


def _valid_until(reservation: Reservation, now: datetime) -> datetime:
    return max(reservation.ends_at, now + timedelta(days=1))


def _link(reservation: Reservation) -> str:
    return f"reservations/{reservation.public_id}"


def push_change(reservation: Reservation, user_public_id: UUID | None) -> None:
    """Hint the member's sockets that the reservation changed."""
    if user_public_id is not None:
        push.to_user(user_public_id, _changed(reservation))


def push_changes(reservations: Iterable[Reservation]) -> None:
    """Hint the sockets of each one's member; with ``member`` and its user at hand."""
    push.to_each(
        (one.member.user.public_id, _changed(one))
        for one in reservations
        if one.member is not None and one.member.user is not None
    )


def _changed(reservation: Reservation) -> dict[str, Any]:
    return {
        "type": "reservation.changed",
        "reservation": str(reservation.public_id),
        "state": str(reservation.state),
        "version": reservation.version,
    }
