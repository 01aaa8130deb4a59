"""``manage.py mark_no_shows``: what the scheduler does with those who did not come, by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bcc.core import clock
from bcc.core.actors import COMMAND
from reservations.management.said import say_rows
from reservations.services import mark_no_shows
from reservations.services.venue import find_no_shows


class Command(BaseCommand):
    help = (
        "Mark as no-show every confirmed reservation that nobody checked in to in the time that its policy "
        "gives. Each member has a strike, and the place is free again. The scheduler does the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; list who did not come.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if options["dry_run"]:
            count = say_rows(self.stdout, find_no_shows(now=now))
            self.stdout.write(f"{count} would be no-shows. Nothing was changed.")
            return
        self.stdout.write(f"{mark_no_shows(now=now, by=COMMAND)} marked as no-show.")
