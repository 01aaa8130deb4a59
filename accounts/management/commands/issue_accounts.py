"""``manage.py issue_accounts FILE``: what the back office does with a file of accounts, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from accounts.models import AccountImport, AccountImportRow, Member
from accounts.services.issuing import run_import, start_import, take_file
from accounts.services.slips import make_slips
from bcc.core import clock
from bcc.core.errors import InvalidError

Verdict = AccountImportRow.Verdict


class Command(BaseCommand):
    help = (
        "Issue accounts from a CSV or XLSX file whose first row names the columns (account_no, category, "
        "first_name, last_name and more). A row that is refused is listed with its reasons and the others go "
        "in; the same file again changes nothing. Nobody is given a password: members activate by a code. "
        "Exits with 1 where a row was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The file.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Change no account; say what would happen."
        )
        parser.add_argument("--tell", action="store_true", help="Write to new members how to activate.")
        parser.add_argument("--slips", type=Path, help="Write the activation slips of new members there.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            batch = take_file(name=path.name, data=path.read_bytes(), by="command", now=clock.now())
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except InvalidError as error:
            raise CommandError(str(error.detail)) from error
        if not options["dry_run"]:
            start_import(public_id=batch.public_id, tells_members=options["tell"], now=clock.now())
            run_import(public_id=batch.public_id, progress=self._say_progress)
        refused = self._say_rows(batch, dry=options["dry_run"])
        if options["dry_run"]:
            batch.delete()
        elif options["slips"]:
            rows = batch.rows.filter(verdict=Verdict.NEW).order_by("number")
            wanted = Member.objects.select_related("user").filter(pk__in=rows.values("member_id"))
            options["slips"].write_bytes(make_slips(wanted.order_by("member_no")))
            self.stdout.write(f"Slips: {options['slips']}")
        if refused:
            raise CommandError(f"{refused} rows were refused.")

    def _say_progress(self, done: int, total: int) -> None:
        self.stdout.write(f"{done} of {total} rows done.")

    def _say_rows(self, batch: AccountImport, *, dry: bool) -> int:
        counts = dict(batch.rows.values_list("verdict").annotate(n=Count("pk")))
        for row in batch.rows.filter(verdict=Verdict.REFUSED).order_by("number"):
            said = "; ".join(f"{field}: {reason}" for field, reason in row.reasons)
            self.stdout.write(f"row {row.number}: {said}")
        summary = ", ".join(f"{counts.get(one.value, 0)} {one.value}" for one in Verdict)
        self.stdout.write(f"{summary}.{' Nothing was changed.' if dry else ''}")
        return int(counts.get(Verdict.REFUSED, 0))
