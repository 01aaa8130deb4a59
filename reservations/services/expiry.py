"""Deadlines that have passed. Beat ends them every minute; a booking ends those in its way at once."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import Q, QuerySet

from bcc.core import transactions
from bcc.core.actors import BOOKING, SCHEDULER, Actor
from bcc.core.errors import BusyError, ConflictError
from bcc.core.intervals import Interval
from bcc.core.prepared import Prepared
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.move import lock_parents_of, locked, move, move_each

# So many end in one transaction: enough that its cost is shared, few enough that nobody waits for long.
BATCH = 25
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
    """Expire every reservation whose deadline has passed, a few in each transaction; how many.

    Idempotent, right after missed ticks and with several schedulers: the locks, the look again and the
    compare-and-set let one win. Batches come in no order, so that schedulers seldom want the same one.
    One that cannot be expired keeps nobody else waiting; what it raised is raised in the end.
    """
    # By facility: those of one batch share the locks of its spaces.
    found = Reservation.objects.due_to_expire(now).order_by("facility_id", "pk").values_list("pk", flat=True)
    due = list(found)
    batches = [due[first : first + BATCH] for first in range(0, len(due), BATCH)]
    random.shuffle(batches)
    expired, failures = 0, list[Exception]()
    for batch in batches:
        try:
            expired += _expire_together(pks=batch, now=now, by=by)
        except (OperationalError, InterfaceError, BusyError):
            raise  # the database itself: the next run takes up what is left
        except Exception as error:  # noqa: BLE001 - whatever it was: alone each shows whose it is
            log.info("expiry_batch_divided", reservations=len(batch), reason=type(error).__name__)
            for pk in batch:
                expired += _expire_one(pk=pk, now=now, by=by, failures=failures)
    if failures:
        raise failures[0]
    return expired


def _expire_one(*, pk: int, now: datetime, by: Actor, failures: list[Exception]) -> bool:
    try:
        return expire_if_due(pk=pk, now=now, by=by)
    except (OperationalError, InterfaceError, BusyError):
        raise
    except ConflictError:
        # Somebody confirmed, cancelled or expired it between the look and the lock; theirs stands.
        log.info("expiry_overtaken", reservation=pk)
    except Exception as error:
        log.exception("expiry_failed", reservation=pk)
        failures.append(error)
    return False


@transactions.writes
def _expire_together(*, pks: list[int], now: datetime, by: Actor) -> int:
    """Expire those of ``pks`` that are due, all or none; how many."""
    due = Reservation.objects.due_to_expire(now).filter(pk__in=pks).order_by("pk")
    seen = list(due)
    if not seen:
        return 0
    lock_parents_of(seen, current_rules())
    standing = list(due.select_related("facility", "member__user"))
    if not standing:
        return 0  # another scheduler had them first
    move_each(standing, to=State.EXPIRED, by=by, now=now)
    return len(standing)


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
