"""The only place where a cancellation happens, for the app, the admin, a closure or a command."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import Actor
from reservations.models import ChargeLine, Reservation
from reservations.policies.cancellation import Verdict, judge_cancellation
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.changes import own_terms, refuse_when_late
from reservations.services.errors import ReservationMovedOnError
from reservations.services.move import locked, move
from reservations.services.strikes import give_strike


@transactions.writes
def cancel_reservation(
    *, reservation: Reservation, by: Actor, reason: str, now: datetime, waive: bool = False
) -> Reservation:
    """Give the reservation back for its member: free its claims, cost what its policy says, tell them once.

    ``waive`` is staff's word that it costs nothing. Raises TooLateToCancelError inside a cut-off that
    denies, ReservationMovedOnError when it is already over, StaleVersionError when somebody was faster.
    """
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.ends_at <= now and not by.is_staff:
        # The sweep that completes it is only a minute behind; what is over is not given back.
        raise ReservationMovedOnError
    if reservation.policy_version is None:
        return move(reservation, to=State.CANCELLED_CLUB, by=by, now=now, reason=reason)
    terms = own_terms(reservation, rules)
    if not waive:
        refuse_when_late(reservation, terms, now)
    judged = judge_cancellation(
        terms=terms, state=State(reservation.state), starts_at=reservation.starts_at, now=now, waived=waive
    )
    move(
        reservation,
        to=State.CANCELLED_MEMBER,
        by=by,
        now=now,
        reason=reason,
        details={"cost": judged.verdict.value, "late_since": judged.late_since.isoformat()},
        columns={"is_charged": judged.verdict is Verdict.CHARGE},
    )
    if judged.verdict is Verdict.STRIKE:
        give_strike(reservation=reservation, reason=_("Late cancellation."), now=now)
    if judged.verdict is Verdict.CHARGE and reservation.membership_id is not None:
        ChargeLine.objects.create(
            membership_id=reservation.membership_id,
            reservation=reservation,
            description=_("Late cancellation of %(facility)s") % {"facility": reservation.facility.name},
            amount=terms.late_cancel_charge,
            at=now,
        )
    return reservation


@transactions.writes
def cancel_by_club(*, reservation: Reservation, by: Actor, reason: str, now: datetime) -> Reservation:
    """The club takes it back: it costs the member nothing, and the notice cannot be switched off."""
    reservation = locked(reservation, current_rules())
    return move(reservation, to=State.CANCELLED_CLUB, by=by, now=now, reason=reason)
