"""A member's reservations as a card of theirs shows them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from bcc.core import clock
from bcc.core.intervals import Interval
from reservations.models import Reservation

MOST_COMING: Final = 5


def reservations_today(member_id: int, now: datetime) -> list[Reservation]:
    """Those of the club's day of ``now`` that stand or stood, in order of time."""
    midnight = datetime.combine(clock.local_date(now), time(0), tzinfo=clock.zone())
    day = Interval(midnight, midnight + timedelta(days=1))
    rows = Reservation.objects.filter(member=member_id).overlapping(day).select_related("facility")
    return list(rows.order_by("starts_at", "pk"))


def reservations_coming(member_id: int, now: datetime) -> list[Reservation]:
    """The next few that occupy, after the club's day of ``now``."""
    tomorrow = datetime.combine(clock.local_date(now) + timedelta(days=1), time(0), tzinfo=clock.zone())
    rows = Reservation.objects.filter(member=member_id, starts_at__gte=tomorrow).occupying()
    return list(rows.select_related("facility").order_by("starts_at", "pk")[:MOST_COMING])
