"""Strikes, and the hold that too many of them bring."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import PrivilegeHold
from bcc.core import transactions
from facilities.models import StrikeRule
from reservations.models import Reservation, Strike
from reservations.selectors.rulebook import current_rules


@transactions.writes
def give_strike(*, reservation: Reservation, reason: str, now: datetime) -> Strike:
    """One strike for a reservation, and a booking hold when a strike rule's number is reached.

    Under the membership's lock, which every caller holds. A hold that a strike brought is counted from
    its own strikes: those before the last hold of this source do not count again.
    """
    member_id = reservation.member_id
    if member_id is None:
        raise ValueError("What the club booked for itself brings nobody a strike.")
    strike = Strike.objects.create(member_id=member_id, reservation=reservation, reason=reason, at=now)
    brought = brings_hold(member_id=member_id, at=now)
    if brought is not None:
        rule, count = brought
        PrivilegeHold.objects.create(
            member_id=member_id,
            source=PrivilegeHold.Source.STRIKES,
            scope=PrivilegeHold.Scope.BOOKING,
            reason=_("%(count)d strikes in %(days)d days.") % {"count": count, "days": rule.within_days},
            starts_at=now,
            until=now + timedelta(days=rule.hold_days),
        )
    return strike


def brings_hold(
    *, member_id: int, at: datetime, leaving_out: int | None = None
) -> tuple[StrikeRule, int] | None:
    """The strike rule whose number the member's strikes reach at ``at``, and how many they are.

    ``leaving_out`` is a hold that is itself in question.
    """
    holds = PrivilegeHold.objects.filter(
        member_id=member_id, source=PrivilegeHold.Source.STRIKES, starts_at__lte=at
    )
    if leaving_out is not None:
        holds = holds.exclude(pk=leaving_out)
    last_hold = holds.order_by("-starts_at").first()
    for rule in current_rules().strike_rules:
        since = at - timedelta(days=rule.within_days)
        if last_hold is not None:
            since = max(since, last_hold.starts_at)
        recent = Strike.objects.filter(
            member_id=member_id, at__gt=since, at__lte=at, waived_at__isnull=True
        ).count()
        if recent >= rule.strikes:
            return rule, recent
    return None
