"""What staff set aside afterwards: a strike, a charge, and a flag that somebody has looked after."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import PrivilegeHold
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import WrongStateError
from reservations.models import ChargeLine, Reservation, ReservationEvent, Strike
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.errors import ReservationMovedOnError
from reservations.services.move import change, locked, write_event
from reservations.services.strikes import brings_hold


class AlreadyWaivedError(WrongStateError):
    code = "already_waived"
    default_detail = _("Somebody has waived it already. There is nothing more to do.")


class AlreadyExportedError(WrongStateError):
    code = "already_exported"
    default_detail = _("Finance has this charge already. Ask Finance for a credit instead.")


@transactions.writes
def waive_strike(*, strike: Strike, by: Actor, reason: str, now: datetime) -> bool:
    """Set a strike aside; True if that also lifted the hold on booking which it had brought.

    A hold goes only where no strike rule, as it is now, would bring it without this strike. Raises
    AlreadyWaivedError.
    """
    reservation = locked(strike.reservation, current_rules())
    strike.refresh_from_db()
    if strike.is_waived:
        raise AlreadyWaivedError
    _waive(strike, by, reason, now)
    _note(reservation, by, reason, now, cost="strike")
    hold = (
        PrivilegeHold.objects.in_force(now, PrivilegeHold.Scope.BOOKING)
        .filter(member_id=strike.member_id, source=PrivilegeHold.Source.STRIKES, starts_at__gte=strike.at)
        .order_by("starts_at", "pk")
        .first()
    )
    if hold is None or brings_hold(member_id=strike.member_id, at=hold.starts_at, leaving_out=hold.pk):
        return False
    hold.lifted_at = now
    hold.save(update_fields=["lifted_at"])
    return True


@transactions.writes
def waive_charge(*, line: ChargeLine, by: Actor, reason: str, now: datetime) -> ChargeLine:
    """Set a charge aside before Finance has it; the cancellation then counts in no quota either.

    Raises AlreadyWaivedError and AlreadyExportedError.
    """
    reservation = locked(line.reservation, current_rules())
    line.refresh_from_db()
    if line.is_waived:
        raise AlreadyWaivedError
    if line.exported_at is not None:
        raise AlreadyExportedError
    _waive(line, by, reason, now)
    change(reservation, now=now, values={"is_charged": False})
    _note(reservation, by, reason, now, cost="charge")
    return line


@transactions.writes
def settle_attention(*, reservation: Reservation, by: Actor, reason: str, now: datetime) -> Reservation:
    """Take the flag off: somebody has looked after it. Raises ReservationMovedOnError if there is none."""
    reservation = locked(reservation, current_rules())
    if not reservation.needs_attention:
        raise ReservationMovedOnError(_("Nothing is left to look after. Somebody was faster."))
    change(reservation, now=now, values={"needs_attention": False})
    write_event(
        reservation,
        action=ReservationEvent.Action.SETTLED,
        source=State(reservation.state),
        by=by,
        now=now,
        reason=reason,
    )
    return reservation


def _waive(row: Strike | ChargeLine, by: Actor, reason: str, now: datetime) -> None:
    row.waived_at, row.waived_by, row.waive_reason = now, by.name[:150], reason
    row.save(update_fields=["waived_at", "waived_by", "waive_reason"])


def _note(reservation: Reservation, by: Actor, reason: str, now: datetime, *, cost: str) -> None:
    write_event(
        reservation,
        action=ReservationEvent.Action.WAIVED,
        source=State(reservation.state),
        by=by,
        now=now,
        reason=reason,
        details={"waived": cost},
    )
