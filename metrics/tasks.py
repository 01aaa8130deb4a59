"""What Celery calls."""

from __future__ import annotations

from celery import shared_task

from bcc.core import clock
from metrics.services.activities import purge_activities as purge


@shared_task(name="metrics.purge_activities")
def purge_activities() -> int:
    """Delete activities that are kept no longer. Returns how many."""
    return purge(now=clock.now())
