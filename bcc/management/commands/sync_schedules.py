"""``manage.py sync_schedules``: bring what the scheduler should do to the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from bcc.core import transactions
from bcc.settings.schedules import Schedule

# A header of the entry says that it is ours: staff may change its name, time and description.
MARK = "bcc_schedule"


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of entries made and removed."""

    made: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@transactions.writes
def sync_schedules(*, schedules: Mapping[str, Schedule], dry_run: bool = False) -> Changes:
    """Make entries that are missing, remove ours that are no longer listed, and touch no other.

    An entry that is there stays as staff left it, also switched off. To stop one for good, staff
    switch it off; one that they delete is made again at the next start.
    """
    ours = {
        json.loads(entry.headers)[MARK]: entry
        for entry in PeriodicTask.objects.filter(headers__contains=MARK).order_by("pk")
    }
    changes = Changes(
        made=[name for name in schedules if name not in ours],
        removed=[name for name in ours if name not in schedules],
    )
    if dry_run:
        return changes
    for name in changes.removed:
        ours[name].delete()
    for name in changes.made:
        schedule = schedules[name]
        PeriodicTask.objects.create(
            name=_free_name(name),
            task=schedule.task,
            description=schedule.description,
            headers=json.dumps({MARK: name}),
            **_timing(schedule),
        )
    return changes


def _timing(schedule: Schedule) -> dict[str, Any]:
    if schedule.crontab is not None:
        fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        given = dict(zip(fields, schedule.crontab.split(), strict=True))
        crontab, _made = CrontabSchedule.objects.get_or_create(**given, timezone=settings.TIME_ZONE)
        return {"crontab": crontab}
    interval, _made = IntervalSchedule.objects.get_or_create(
        every=schedule.every, period=IntervalSchedule.SECONDS
    )
    return {"interval": interval}


def _free_name(name: str) -> str:
    """``name``, or with a number after it where staff gave that name to an entry of their own."""
    candidate, number = name, 1
    while PeriodicTask.objects.filter(name=candidate).exists():
        number += 1
        candidate = f"{name} ({number})"
    return candidate


class Command(BaseCommand):
    help = (
        "Makes the scheduler's entries that are missing and removes those that this version no longer "
        "has. Entries that staff changed or added stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would change, and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        changes = sync_schedules(schedules=settings.SCHEDULES, dry_run=options["dry_run"])
        for name in changes.made:
            self.stdout.write(f"made     {name}")
        for name in changes.removed:
            self.stdout.write(f"removed  {name}")
        if not changes.made and not changes.removed and options["verbosity"] > 0:
            self.stdout.write("Nothing to change.")
