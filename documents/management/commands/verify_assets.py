"""``manage.py verify_assets``: does storage hold what the rows say, and nothing else?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from documents.services.sweeping import Report, verify_assets

SHOWN: Final = 20


class Command(BaseCommand):
    help = (
        "Compare every stored file with its row. Exits 0 if all is well, and 1 if a file is missing or "
        "damaged, or if there is something that nobody names any more: files without a row, halves of a "
        "write, rows without a reference, each older than six hours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Delete what nobody names any more. What is missing or damaged is left for a backup.",
        )
        parser.add_argument(
            "--quick", action="store_true", help="Compare sizes alone, instead of reading every byte."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_assets(
            now=clock.now(),
            repair=options["repair"],
            thorough=not options["quick"],
            told=lambda checked: self.stdout.write(f"{checked} files looked at …"),
        )
        self._tell("Missing, though a row names it", report.missing)
        self._tell("Damaged: not the bytes that the row says", report.damaged)
        self._tell("Without a row", report.orphans)
        self._tell("Half written", report.partial)
        self._tell("Rows that nobody names", report.unreferenced)
        self.stdout.write(f"{report.checked} files, {report.bytes:,} bytes.")
        if options["repair"]:
            self.stdout.write(f"Deleted: {report.removed}.")
        self._end(report, repaired=options["repair"])

    def _end(self, report: Report, *, repaired: bool) -> None:
        if not report.is_well:
            lost = len(report.missing) + len(report.damaged)
            raise CommandError(
                f"Missing or damaged: {lost}. Bring the files back from a backup (docs/backup.md), or let "
                "the same bytes be sent again: they take the place of the damaged ones."
            )
        if not report.is_clean and not repaired:
            raise CommandError("Nothing is lost. Run it again with --repair to delete what nobody names.")
        self.stdout.write("Every file is as it should be.")

    def _tell(self, heading: str, keys: Sequence[str]) -> None:
        if keys:
            self.stdout.write(f"{heading}: {len(keys)}")
            for key in keys[:SHOWN]:
                self.stdout.write(f"  {key}")
            if len(keys) > SHOWN:
                self.stdout.write(f"  … and {len(keys) - SHOWN} more")
