"""``manage.py render_statements 2026-10``: a PDF for each household whose sums came without one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.core.errors import DomainError
from documents.policies.periods import is_period
from documents.services.statements import render_statements


class Command(BaseCommand):
    help = (
        "Render the statement of each household with published sums in a month, from the published rows. "
        "What Finance sent as a paper stands, and what is there already is not made again: run it after "
        "balances and charges are published, and after corrections."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("period", help="the month, as 2026-10")

    def handle(self, *args: Any, **options: Any) -> None:
        period = options["period"]
        if not is_period(period):
            raise CommandError("Write the month as 2026-10: the year, a hyphen, two digits.")
        try:
            done = render_statements(period=period, now=clock.now())
        except DomainError as error:
            raise CommandError(str(error.detail)) from error
        self.stdout.write(
            f"Made: {len(done.made)}. There already: {done.unchanged}. Sent by Finance: {done.given}. "
            f"Withdrawn, and left so: {done.withdrawn}. Households with sums: {done.seen}."
        )
