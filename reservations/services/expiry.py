"""Deadlines that have passed. Beat ends them every minute; a booking ends those in its way at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Q, QuerySet

from bcc.core import transactions
from bcc.core.actors import BOOKING, SCHEDULER, Actor
from bcc.core.errors import ConflictError
from bcc.core.intervals import Interval
from bcc.core.prepared import Prepared
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.move import locked, move

BATCH = 100
log = structlog.get_logger(__name__)


def _in_the_way(
    *, spaces: list[int], starts_at: datetime, ends_at: datetime, membership: int, now: datetime
) -> QuerySet[Any, Any]:
    over_cells = Q(facility__facility_spaces__space_id__in=spaces) & Q(
        starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    due = Reservation.objects.due_to_expire(now).filter(over_cells | Q(membership_id=membership))
    return due.order_by().distinct().values_list("pk")


_IN_THE_WAY = Prepared(
    _in_the_way, spaces=(int,), starts_at=datetime, ends_at=datetime, membership=int, now=datetime
)


def expire_due(*, now: datetime, by: Actor = SCHEDULER) -> int:
    """Expire every reservation whose deadline has passed, each in its own transaction; how many.

    Idempotent, right after missed ticks and with two schedulers: the lock, the look again and the
    compare-and-set let one win.
    """
    expired = 0
    after = 0
    while True:
        due = list(
            Reservation.objects.due_to_expire(now)
            .filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:BATCH]
        )
        for pk in due:
            expired += _expire_one(pk=pk, now=now, by=by)
        if len(due) < BATCH:
            return expired
        after = due[-1]


def _expire_one(*, pk: int, now: datetime, by: Actor) -> bool:
    try:
        return expire_if_due(pk=pk, now=now, by=by)
    except ConflictError:
        # Somebody confirmed, cancelled or expired it between the look and the lock; theirs stands.
        log.info("expiry_overtaken", reservation=pk)
        return False


@transactions.writes
def expire_if_due(*, pk: int, now: datetime, by: Actor) -> bool:
    """Expire one reservation if its deadline has passed; False when it has not, or not any more."""
    reservation = Reservation.objects.due_to_expire(now).filter(pk=pk).first()
    if reservation is None:
        return False
    reservation = locked(reservation, current_rules())
    if reservation.expires_at is None or reservation.expires_at > now:
        return False
    move(reservation, to=State.EXPIRED, by=by, now=now)
    return True


def expire_in_the_way(
    *, space_ids: Iterable[int], interval: Interval, membership_id: int | None, now: datetime
) -> None:
    """Expire what is due over the cells of ``interval``, and what is due of the household.

    Inside the booking's transaction and under its locks, so a late scheduler never blocks a member.
    """
    found = _IN_THE_WAY.rows(
        spaces=list(space_ids) or [0],
        starts_at=interval.starts_at,
        ends_at=interval.ends_at,
        membership=membership_id or 0,
        now=now,
    )
    if not found:
        return
    due = Reservation.objects.select_related("facility", "member__user").order_by("pk")
    for reservation in due.filter(pk__in=[pk for (pk,) in found]):
        move(reservation, to=State.EXPIRED, by=BOOKING, now=now)
