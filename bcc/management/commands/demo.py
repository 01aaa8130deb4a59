"""``manage.py demo``: load the demo club into an empty data folder."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.management.demo import loader


class Command(BaseCommand):
    help = "Load the demo club (demo mode only). What is there stays, unless --reset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="Delete everything in the database first.")
        parser.add_argument(
            "--days",
            type=int,
            help="Bookings of so many days before and after today (default: some weeks, as the file says).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_MODE:
            raise CommandError("This is no demo: DEMO_MODE is off. Nothing was changed.")
        if options["days"] is not None and options["days"] < 0:
            raise CommandError("--days is a number of days: 0 for today's bookings only.")
        if not options["reset"] and loader.is_complete():
            self.stdout.write("  the club's data is there and stays as it is")
            return
        if loader.has_data():
            reset = options["reset"]
            self.stdout.write(
                "  deleting what is there" if reset else "  the last loading was cut short: it begins anew"
            )
            loader.forget_sign_ins()
            call_command("flush", interactive=False, verbosity=0)
        started = time.monotonic()
        loaded = loader.load(
            now=clock.now(), say=lambda text: self.stdout.write(f"  {text}"), days=options["days"]
        )
        booked, seconds = loaded.bookings, time.monotonic() - started
        self.stdout.write(
            f"  {len(loaded.members)} members, {len(loaded.staff)} staff, {booked.made} reservations "
            f"({booked.refused} refused by the club's rules) in {seconds:.0f} s"
        )
