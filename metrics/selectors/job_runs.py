"""Which of the scheduled jobs should have begun by now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from metrics.models import JobRun
from metrics.models.job_run import GRACE_SECONDS


@dataclass(frozen=True, slots=True)
class Job:
    """A scheduled job. ``due_at`` is when it should begin next; None of ``started_at``: never yet."""

    name: str
    started_at: datetime | None
    due_at: datetime
    grace: timedelta

    def is_late(self, now: datetime) -> bool:
        return self.due_at + self.grace < now


def scheduled_jobs() -> list[Job]:
    """The jobs of ``SCHEDULES`` that are switched on, at the times that staff gave them. Two queries."""
    wanted = {schedule.task for schedule in settings.SCHEDULES.values()}
    runs = {run.name: run for run in JobRun.objects.filter(name__in=wanted)}
    entries = (
        PeriodicTask.objects.filter(enabled=True, task__in=wanted)
        .select_related("interval", "crontab")
        .order_by("task", "pk")
    )
    jobs = []
    for entry in entries:
        run = runs.get(entry.task)
        # One that never ran has been waiting since it was scheduled.
        since = entry.date_changed if run is None else run.last_started_at
        due_at = _next_start(entry, since)
        if due_at is not None:
            grace = GRACE_SECONDS if run is None else run.grace_seconds
            started_at = None if run is None else run.last_started_at
            jobs.append(Job(entry.task, started_at, due_at, timedelta(seconds=grace)))
    return jobs


def late_jobs(now: datetime) -> list[Job]:
    """Those whose last start is older than their interval and their grace together.

    ``now`` is the machine's time, as that of the heartbeats is.
    """
    return [job for job in scheduled_jobs() if job.is_late(now)]


def _next_start(entry: PeriodicTask, since: datetime) -> datetime | None:
    if entry.interval is not None:
        every: timedelta = entry.interval.schedule.run_every
        return since + every
    if entry.crontab is not None:
        last, wait, _now = entry.crontab.schedule.remaining_delta(since)
        due_at: datetime = last + wait
        return due_at
    return None  # once at an hour, or by the sun: nobody's heartbeat
