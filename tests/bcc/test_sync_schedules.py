from __future__ import annotations

import json
from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from bcc.management.commands.sync_schedules import MARK, sync_schedules
from bcc.settings.schedules import SCHEDULES, Schedule

pytestmark = pytest.mark.django_db

TWO = {
    "Sweep": Schedule("core.sweep", "Sweeps.", every=60),
    "Nightly": Schedule("core.nightly", "At three.", crontab="0 3 * * *"),
}


class TestSyncSchedules:
    def test_makes_what_is_missing(self) -> None:
        assert sync_schedules(schedules=TWO).made == ["Sweep", "Nightly"]
        sweep = PeriodicTask.objects.get(name="Sweep")
        assert (sweep.task, sweep.enabled, sweep.description) == ("core.sweep", True, "Sweeps.")
        assert (sweep.interval.every, sweep.interval.period) == (60, IntervalSchedule.SECONDS)
        assert json.loads(sweep.headers) == {MARK: "Sweep"}
        nightly = PeriodicTask.objects.get(name="Nightly")
        assert (nightly.crontab.hour, nightly.crontab.minute) == ("3", "0")
        assert str(nightly.crontab.timezone) == settings.TIME_ZONE

    def test_changes_nothing_the_second_time(self) -> None:
        sync_schedules(schedules=TWO)
        before = list(PeriodicTask.objects.order_by("pk").values())
        changes = sync_schedules(schedules=TWO)
        assert (changes.made, changes.removed) == ([], [])
        assert list(PeriodicTask.objects.order_by("pk").values()) == before

    def test_keeps_what_staff_changed(self) -> None:
        sync_schedules(schedules=TWO)
        sweep = PeriodicTask.objects.get(name="Sweep")
        sweep.name, sweep.enabled = "Sweep, but not now", False
        sweep.interval = IntervalSchedule.objects.create(every=5, period=IntervalSchedule.MINUTES)
        sweep.save()
        changes = sync_schedules(schedules=TWO | {"Sweep": Schedule("core.sweep", "Other.", every=1)})
        assert changes.made == []
        sweep.refresh_from_db()
        assert (sweep.name, sweep.enabled, sweep.interval.every) == ("Sweep, but not now", False, 5)

    def test_removes_only_its_own(self) -> None:
        sync_schedules(schedules=TWO)
        interval = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.HOURS)
        PeriodicTask.objects.create(name="Staff's own", task="core.sweep", interval=interval)
        changes = sync_schedules(schedules={"Sweep": TWO["Sweep"]})
        assert changes.removed == ["Nightly"]
        assert set(PeriodicTask.objects.values_list("name", flat=True)) == {"Sweep", "Staff's own"}

    def test_steps_aside_for_a_name_that_staff_took(self) -> None:
        interval = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.HOURS)
        PeriodicTask.objects.create(name="Sweep", task="core.other", interval=interval)
        sync_schedules(schedules=TWO)
        assert PeriodicTask.objects.get(name="Sweep").task == "core.other"
        assert PeriodicTask.objects.get(name="Sweep (2)").task == "core.sweep"

    def test_only_says_so_on_a_dry_run(self) -> None:
        assert sync_schedules(schedules=TWO, dry_run=True).made == ["Sweep", "Nightly"]
        assert not PeriodicTask.objects.exists()


class TestCommand:
    def test_says_what_it_did(self) -> None:
        first, second = StringIO(), StringIO()
        call_command("sync_schedules", stdout=first)
        call_command("sync_schedules", stdout=second)
        assert len(first.getvalue().splitlines()) == len(SCHEDULES)
        assert second.getvalue().strip() == "Nothing to change."


class TestSchedules:
    @pytest.mark.parametrize("name", SCHEDULES)
    def test_name_tasks_that_exist(self, name: str) -> None:
        assert SCHEDULES[name].task in current_app.tasks

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_have_one_rhythm_each(self, name: str) -> None:
        assert (SCHEDULES[name].every is None) != (SCHEDULES[name].crontab is None)
