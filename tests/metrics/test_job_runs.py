from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from celery.result import allow_join_result
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask

from bcc import health
from bcc.management.commands.sync_schedules import sync_schedules
from bcc.settings.schedules import Schedule
from metrics.models import JobRun
from metrics.selectors.job_runs import late_jobs, scheduled_jobs
from metrics.services.job_runs import note_finished, note_started

TASK = "tests.heartbeat"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def heartbeat() -> Iterator[Any]:
    """A task of the tests; ``fails`` makes it raise."""

    @current_app.task(name=TASK)
    def task(fails: str = "") -> int:
        if fails:
            raise ValueError(fails)
        return 7

    yield task
    current_app.tasks.pop(TASK)


@pytest.fixture
def schedules(settings: Any, db: None) -> None:
    settings.SCHEDULES = {"Beat": Schedule(TASK, "Beats.", every=60)}
    sync_schedules(schedules=settings.SCHEDULES)
    PeriodicTask.objects.update(date_changed=NOON)


def run_at(moment: datetime, **values: Any) -> JobRun:
    return JobRun.objects.create(name=TASK, last_started_at=moment, **values)


class TestHeartbeats:
    def test_a_job_that_goes_well(self, heartbeat: Any, schedules: None, travel: Any, now: datetime) -> None:
        heartbeat.apply_async()
        run = JobRun.objects.get()
        assert (run.name, run.last_ok, run.last_error) == (TASK, True, "")
        assert (run.last_started_at, run.last_finished_at) == (now, now)
        assert run.duration_ms is not None

    def test_a_job_that_fails_says_how_and_no_secret(self, heartbeat: Any, schedules: None) -> None:
        heartbeat.apply(kwargs={"fails": "password=hunter22 " + "x" * 400}, throw=False)
        run = JobRun.objects.get()
        assert run.last_ok is False
        assert run.last_error.startswith("ValueError: password=[redacted]")
        assert len(run.last_error) == 200

    def test_keeps_one_row_a_job(self, heartbeat: Any, schedules: None) -> None:
        for _ in range(3):
            heartbeat.apply_async()
        assert JobRun.objects.count() == 1

    def test_leaves_what_nobody_scheduled_alone(self, heartbeat: Any, db: None) -> None:
        heartbeat.apply_async()
        assert not JobRun.objects.exists()

    def test_stops_no_job_when_it_cannot_be_written(
        self, heartbeat: Any, schedules: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(**_: Any) -> None:
            raise OperationalError("away")

        monkeypatch.setattr("metrics.receivers.heartbeats.note_started", away)
        # Whether a worker ran in this process before is nothing that this asks about.
        with allow_join_result():
            assert heartbeat.apply_async().get() == 7


class TestNoteStarted:
    def test_leaves_what_the_last_run_came_to(self, db: None) -> None:
        note_started(name=TASK, at=NOON)
        note_finished(name=TASK, at=NOON, duration_ms=5, is_ok=False, error=ValueError("no"))
        note_started(name=TASK, at=NOON + timedelta(minutes=1))
        run = JobRun.objects.get()
        assert (run.last_started_at, run.last_error) == (NOON + timedelta(minutes=1), "ValueError: no")


class TestLateJobs:
    def test_none_while_each_begins_in_time_and_grace(self, schedules: None) -> None:
        run_at(NOON, grace_seconds=30)
        assert late_jobs(NOON + timedelta(seconds=90)) == []
        assert [job.name for job in late_jobs(NOON + timedelta(seconds=91))] == [TASK]

    def test_one_that_never_ran_waits_since_it_was_scheduled(self, schedules: None) -> None:
        assert late_jobs(NOON + timedelta(seconds=180)) == []
        late = late_jobs(NOON + timedelta(seconds=181))
        assert [(job.name, job.started_at) for job in late] == [(TASK, None)]

    def test_goes_by_the_time_that_staff_gave_it(self, schedules: None) -> None:
        entry = PeriodicTask.objects.select_related("interval").get()
        entry.interval.every = 600
        entry.interval.save()
        run_at(NOON, grace_seconds=0)
        assert late_jobs(NOON + timedelta(seconds=600)) == []
        assert len(late_jobs(NOON + timedelta(seconds=601))) == 1

    def test_one_that_staff_switched_off_is_never_late(self, schedules: None) -> None:
        run_at(NOON)
        PeriodicTask.objects.update(enabled=False)
        assert scheduled_jobs() == []

    def test_a_daily_one_is_late_after_its_hour(self, schedules: None, settings: Any) -> None:
        PeriodicTask.objects.all().delete()
        settings.SCHEDULES = {"Daily": Schedule(TASK, "Daily.", crontab="0 6 * * *")}
        sync_schedules(schedules=settings.SCHEDULES)
        # Six in the morning at the club is 22:00 UTC of the day before.
        run_at(datetime(2026, 6, 1, 22, 0, 5, tzinfo=UTC), grace_seconds=60)
        assert late_jobs(datetime(2026, 6, 2, 22, 1, tzinfo=UTC)) == []
        assert len(late_jobs(datetime(2026, 6, 2, 22, 1, 1, tzinfo=UTC))) == 1

    def test_asks_two_questions_whatever_there_is(
        self, settings: Any, db: None, django_assert_num_queries: Any
    ) -> None:
        sync_schedules(schedules=settings.SCHEDULES)
        with django_assert_num_queries(2):
            assert len(scheduled_jobs()) == len({one.task for one in settings.SCHEDULES.values()})


class TestCheckScheduler:
    def test_is_well_while_the_jobs_begin(self, schedules: None, travel: Any, now: datetime) -> None:
        run_at(now)
        assert health.check_scheduler().is_well

    def test_names_the_late_ones_and_what_to_do(self, schedules: None, travel: Any, now: datetime) -> None:
        run_at(now - timedelta(hours=1))
        found = health.check_scheduler()
        assert not found.is_well
        assert TASK in found.detail
        assert "celery -A bcc beat" in found.fix

    def test_notices_that_nothing_is_scheduled(self, db: None) -> None:
        found = health.check_scheduler()
        assert (found.is_well, "sync_schedules" in found.fix) == (False, True)

    def test_says_when_the_database_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> None:
            raise OperationalError("no route")

        monkeypatch.setattr(health, "scheduled_jobs", away)
        assert not health.check_scheduler().is_well
