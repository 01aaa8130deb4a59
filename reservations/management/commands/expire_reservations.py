"""``manage.py expire_reservations``: what the scheduler does every minute, by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bcc.core import clock
from bcc.core.actors import COMMAND
from reservations.management.said import say_rows
from reservations.models import Reservation
from reservations.services import expire_due


class Command(BaseCommand):
    help = (
        "Expire every reservation whose deadline has passed: its place is free again and the member is told. "
        "The scheduler does the same each minute; running both does no harm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; list what is due.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if options["dry_run"]:
            due = Reservation.objects.due_to_expire(now).select_related("facility", "member")
            count = say_rows(self.stdout, due.order_by("expires_at", "pk"))
            self.stdout.write(f"{count} would expire. Nothing was changed.")
            return
        self.stdout.write(f"{expire_due(now=now, by=COMMAND)} expired.")
