"""What waits at this moment: a handful of counts over indexes, for those who watch the club's server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from accounts.models import Notification
from metrics.selectors.job_runs import late_jobs
from reservations.models import Reservation


@dataclass(frozen=True, slots=True)
class Gauges:
    """Messages due in the outbox, the age in seconds of the oldest, holds past their deadline, late jobs."""

    outbox_due: int
    outbox_oldest_seconds: float
    holds_due: int
    jobs_late: int


def read_gauges(*, now: datetime, machine_now: datetime) -> Gauges:
    """Four queries, whatever the size of the club. ``now`` is the club's time, for what falls due by it."""
    outbox = Notification.objects.due(now).aggregate(waiting=Count("pk"), oldest=Min("send_at"))
    oldest: datetime | None = outbox["oldest"]
    return Gauges(
        outbox_due=outbox["waiting"],
        outbox_oldest_seconds=0.0 if oldest is None else (now - oldest).total_seconds(),
        holds_due=Reservation.objects.due_to_expire(now).count(),
        jobs_late=len(late_jobs(machine_now)),
    )
