"""``manage.py ingest_finance``: a file of Finance by hand, read and checked at once."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.core.actors import COMMAND
from bcc.core.errors import DomainError
from documents.management.said import say_batch, staff_named
from documents.models import BatchKind, BatchSource, ImportBatch
from documents.policies.batches import BatchState
from documents.services.batches.receive import Delivered, receive_batch
from documents.services.batches.steps import end_trial
from documents.services.batches.work import work_on


class Command(BaseCommand):
    help = (
        "Take in one or more files of Finance as one batch: they are stored, read and checked, and then wait "
        "for a person to approve them. The same files again change nothing. With --dry-run the batch is a "
        "trial, which nobody can publish; without it later, the same batch becomes real."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--kind", required=True, choices=BatchKind.values)
        parser.add_argument("--period", default="", help="The month, as 2026-10.")
        parser.add_argument("--control-count", type=int, help="How many items Finance says there are.")
        parser.add_argument("--control-total", help="What Finance says they come to, as 1234.50.")
        parser.add_argument("--by", default="", help="Who uploads it, by a name that signs in.")
        parser.add_argument("--dry-run", action="store_true", help="A trial: read and check, never publish.")

    def handle(self, *args: Any, **options: Any) -> None:
        by = staff_named(options["by"], "documents.upload_batch") if options["by"] else COMMAND
        with ExitStack() as stack:
            files = [Delivered(path.name, stack.enter_context(_opened(path))) for path in options["paths"]]
            try:
                received = receive_batch(
                    kind=options["kind"],
                    period=options["period"],
                    files=files,
                    source=BatchSource.COMMAND,
                    by=by,
                    now=clock.now(),
                    control_count=options["control_count"],
                    control_total=_amount(options["control_total"]),
                    is_trial=options["dry_run"],
                )
            except DomainError as error:
                raise CommandError(_said(error)) from error
        batch = received.batch
        if not received.is_new:
            self.stdout.write("This very delivery is there already.")
            if batch.is_trial and not options["dry_run"]:
                end_trial(batch=batch, by=by, now=clock.now())
        work_on(batch_id=batch.pk, tick=clock.now)
        batch = ImportBatch.objects.get(pk=batch.pk)
        say_batch(self.stdout, batch)
        if batch.state == BatchState.FAILED:
            raise CommandError("The batch failed. Nothing was published.")


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _amount(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise CommandError(f"{text!r} is no amount. Write it as 1234.50.") from error


def _said(error: DomainError) -> str:
    errors = getattr(error, "errors", {})
    told = [str(detail) for pairs in errors.values() for _code, detail in pairs]
    return " ".join(told) or str(error.detail)
