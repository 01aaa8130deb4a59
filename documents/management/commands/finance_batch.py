"""``manage.py finance_batch``: look at Finance's batches, approve one, take one back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.core.errors import DomainError
from documents.management.said import say_batch, staff_named
from documents.models import ImportBatch
from documents.policies.batches import BatchState
from documents.services.batches.steps import approve_batch, roll_back_batch
from documents.services.batches.work import work_on

APPROVE = "documents.approve_batch"


class Command(BaseCommand):
    help = (
        "list: the latest batches. show ID: one of them. approve ID --by NAME: have it published, as another "
        "person than its uploader. rollback ID --by NAME --reason TEXT: take back what it published; what "
        "it took the place of is shown again. ID is a batch's id, or the beginning of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["list", "show", "approve", "rollback"])
        parser.add_argument("id", nargs="?", default="")
        parser.add_argument("--by", default="", help="Who does it, by a name that signs in.")
        parser.add_argument("--reason", default="", help="Why; it stands in the history.")
        parser.add_argument("--limit", type=int, default=20, help="How many to list.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; show the batch.")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action == "list":
            for batch in ImportBatch.objects.order_by("-created_at", "-pk")[: options["limit"]]:
                say_batch(self.stdout, batch)
            return
        batch = _find(options["id"])
        if action != "show" and not options["dry_run"]:
            by = staff_named(options["by"], APPROVE)
            try:
                if action == "approve":
                    approve_batch(batch=batch, by=by, now=clock.now(), reason=options["reason"])
                else:
                    self._roll_back(batch, by, options["reason"])
            except DomainError as error:
                raise CommandError(str(error.detail)) from error
            work_on(batch_id=batch.pk, tick=clock.now)
        batch = ImportBatch.objects.get(pk=batch.pk)
        say_batch(self.stdout, batch)
        if action == "approve" and batch.state == BatchState.FAILED:
            raise CommandError(
                "The batch failed while it was published. What was published stays; try again."
            )

    def _roll_back(self, batch: ImportBatch, by: Any, reason: str) -> None:
        if not reason.strip():
            raise CommandError("Say why, with --reason: it stands in the history.")
        for line in roll_back_batch(batch=batch, by=by, now=clock.now(), reason=reason):
            self.stdout.write(f"Not undone, for it was changed since: {line}")


def _find(text: str) -> ImportBatch:
    wanted = text.replace("-", "").lower()
    if len(wanted) == 32:
        try:
            found = list(ImportBatch.objects.filter(public_id=UUID(wanted)))
        except ValueError as error:
            raise CommandError(f"{text!r} is no id of a batch.") from error
    else:
        latest = ImportBatch.objects.order_by("-created_at", "-pk")[:2_000]
        found = [one for one in latest if wanted and one.public_id.hex.startswith(wanted)]
    if len(found) != 1:
        raise CommandError(f"{len(found)} batches begin with {text!r}. See `finance_batch list`.")
    return found[0]
