"""``manage.py apply_retention``: delete what is kept no longer, as RETENTION_DAYS says."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.services.privacy import apply_retention, old_rows
from bcc.core import clock


class Command(BaseCommand):
    help = "Delete what is told of people and is older than RETENTION_DAYS says. The scheduler does it daily."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Delete nothing; count what would go.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if options["dry_run"]:
            found = {name: rows.count() for name, rows in old_rows(now).items()}
        else:
            found = apply_retention(now=now)
        for name, count in found.items():
            self.stdout.write(f"{count:8d}  {name}, older than {settings.RETENTION_DAYS[name]} days")
        self.stdout.write("Nothing was deleted." if options["dry_run"] else "Done.")
