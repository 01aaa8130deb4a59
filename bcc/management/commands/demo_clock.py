"""``manage.py demo_clock``: move the club's time, so that a release or an expiry can be watched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from reservations import services


class Command(BaseCommand):
    help = "Move the club's time (demo mode only): demo_clock 2026-12-24T06:59+08:00 [--run], or --reset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "instant", nargs="?", help="Where to, with an offset, as in 2026-12-24T06:59+08:00."
        )
        parser.add_argument("--run", action="store_true", help="Do at once what the scheduler would do then.")
        parser.add_argument("--reset", action="store_true", help="Back to the machine's time.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_MODE:
            raise CommandError("This is no demo: DEMO_MODE is off. The time stays as it is.")
        if options["reset"] == bool(options["instant"]):
            raise CommandError("Give an instant such as 2026-12-24T06:59+08:00, or --reset.")
        offset = timedelta(0)
        if options["instant"]:
            offset = _read(options["instant"]) - datetime.now(UTC)
        clock.move_demo_clock(offset)
        now = clock.now()
        self.stdout.write(f"The club's time is {now.astimezone(clock.zone()):%A %d %B %Y, %H:%M}.")
        if options["run"]:
            done = {
                "expired": services.expire_due(now=now),
                "no-shows": services.mark_no_shows(now=now),
                "completed": services.complete_finished(now=now),
                "reminded": services.send_reminders(now=now),
            }
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in done.items()))


def _read(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no instant. Write it as in 2026-12-24T06:59+08:00.") from error
    if instant.tzinfo is None:
        raise CommandError(f"{text} has no offset. Write it as in 2026-12-24T06:59+08:00.")
    return instant
