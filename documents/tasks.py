"""What Celery calls. Each may be run twice, or be dropped: the rows decide."""

from __future__ import annotations

from celery import shared_task

from bcc.core import clock
from documents.services import sweeping


@shared_task(name="documents.sweep_assets")
def sweep_assets() -> int:
    """Delete what nobody names any more, and say in the log what is missing. Returns how many it deleted."""
    return sweeping.verify_assets(now=clock.now(), repair=True, thorough=False).removed
