"""Heartbeats of the scheduled jobs, written when each begins and ends."""

from __future__ import annotations

from datetime import datetime

from bcc.core import transactions
from bcc.core.logs import masked
from metrics.models import JobRun
from metrics.models.job_run import ERROR_LENGTH


@transactions.writes
def note_started(*, name: str, at: datetime) -> None:
    """The job ``name`` begins. What its last run came to stays until this one ends."""
    if not JobRun.objects.filter(name=name).update(last_started_at=at):
        _run, is_new = JobRun.objects.get_or_create(name=name, defaults={"last_started_at": at})
        if not is_new:  # two first runs at once
            JobRun.objects.filter(name=name).update(last_started_at=at)


@transactions.writes
def note_finished(
    *, name: str, at: datetime, duration_ms: int, is_ok: bool, error: BaseException | None = None
) -> None:
    """The job ``name`` has ended. Of an ``error`` its kind and its text are kept, without secrets."""
    text = "" if error is None else masked(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]
    JobRun.objects.filter(name=name).update(
        last_finished_at=at, last_ok=is_ok, duration_ms=duration_ms, last_error=text
    )
