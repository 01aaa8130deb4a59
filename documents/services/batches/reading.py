"""RECEIVED → IDENTIFIED: every document and row of the files becomes an item, once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import SCHEDULER
from documents.isolation import Refusal
from documents.models import BatchFile, ImportBatch, ImportItem, Severity
from documents.parsers.pdfs import Workers
from documents.policies.batches import ABSENT, BatchState, Decision, Outcome
from documents.policies.reasons import sentence
from documents.services.batches.kinds import handler_of
from documents.services.batches.kinds.accounts import Accounts
from documents.services.batches.kinds.base import Draft, Handler, Source, chunked
from documents.services.batches.leases import Lease
from documents.services.batches.move import write_event
from documents.services.batches.sources import path_of

# Items of one transaction: half a second of SQLite's writer at most.
CHUNK: Final = 200


def read_batch(batch: ImportBatch, lease: Lease) -> BatchState:
    """Write the items of each file that is not read yet, going on behind the last one written.

    A chunk is written in one transaction with the renewal of the lease, so after a crash what is there is
    whole, and nothing is read into it twice. Raises Refusal and ChildFailedError as the parsers do.
    """
    handler, accounts = handler_of(batch.kind), Accounts()
    with Workers() as workers:
        for file in batch.files.filter(is_read=False).select_related("asset").order_by("ordinal"):
            _read_file(batch, file, handler, accounts, workers, lease)
    originals = batch.files.filter(is_correction=False)
    first = originals.order_by("ordinal").first()
    if first is None:
        raise Refusal("wrong_kind", "no file")
    _write_all(batch, first, handler.rest(batch), lease)
    if not batch.items.exists():
        raise Refusal("table_empty" if handler.error_columns else "wrong_kind", "")
    return BatchState.IDENTIFIED


def _read_file(
    batch: ImportBatch,
    file: BatchFile,
    handler: Handler,
    accounts: Accounts,
    workers: Workers,
    lease: Lease,
) -> None:
    notes: dict[str, str] = {}
    last = (
        ImportItem.objects.filter(batch=batch, file=file).exclude(method=ABSENT).order_by("-ordinal").first()
    )
    with path_of(file.asset) as path:
        source = Source(
            batch=batch,
            file=file,
            path=path,
            workers=workers,
            accounts=accounts,
            notice=notes.__setitem__,
            tick=lease.tick,
        )
        _write_all(batch, file, handler.read(source, after=last), lease)

    def finish() -> None:
        now = lease.hold()
        BatchFile.objects.filter(pk=file.pk).update(is_read=True)
        for code, detail in notes.items():
            said = f"{file.name}: {sentence(code)} {detail}"
            write_event(batch, source=BatchState(batch.state), by=SCHEDULER, now=now, detail=said)

    transactions.run(finish)


def _write_all(batch: ImportBatch, file: BatchFile, drafts: Iterable[Draft], lease: Lease) -> None:
    for chunk in chunked(_kept_alive(drafts, lease), CHUNK):
        transactions.run(lambda chunk=chunk: _write(batch, file, chunk, lease))  # type: ignore[misc]  # the chunk of now


def _kept_alive(drafts: Iterable[Draft], lease: Lease) -> Iterable[Draft]:
    for draft in drafts:
        lease.keep()
        yield draft


def _write(batch: ImportBatch, file: BatchFile, drafts: list[Draft], lease: Lease) -> None:
    lease.hold()
    newest = ImportItem.objects.filter(batch=batch).order_by("-ordinal").values_list("ordinal", flat=True)
    first = (newest.first() or 0) + 1
    items = [_item_of(batch, file, ordinal, draft) for ordinal, draft in enumerate(drafts, first)]
    for item, draft in zip(items, drafts, strict=True):
        if draft.replaces and not _replace(batch, draft.replaces, item.ordinal):
            item.values = {
                **item.values,
                "problem": {
                    "code": "item_unknown",
                    "detail": _("Item #%(number)d does not wait for a correction.")
                    % {"number": draft.replaces},
                },
            }
    ImportItem.objects.bulk_create(items)
    total = items[-1].ordinal
    lease.hold(done=total, total=total)


def _replace(batch: ImportBatch, ordinal: int, by_ordinal: int) -> bool:
    """The row that a corrected one takes the place of is done with; False where it does not wait."""
    waits = ImportItem.objects.waiting().filter(batch=batch, ordinal=ordinal)
    return bool(
        waits.update(
            decision=Decision.DISCARD,
            severity=Severity.NOTICE,
            reason="replaced",
            detail="",
            decision_note=_("See item #%(number)d.") % {"number": by_ordinal},
        )
    )


def _item_of(batch: ImportBatch, file: BatchFile, ordinal: int, draft: Draft) -> ImportItem:
    values = dict(draft.values)
    if draft.problem is not None:
        values["problem"] = {"code": draft.problem[0][:40], "detail": draft.problem[1][:200]}
    item = ImportItem(
        batch=batch,
        file=file,
        ordinal=ordinal,
        source_name=draft.source_name[:200],
        first_page=draft.first_page,
        last_page=draft.last_page,
        row_number=draft.row_number,
        key_read=draft.key_read,
        method=draft.method,
        found_id=draft.membership_id,
        membership_id=draft.membership_id,
        number=draft.number,
        amount=draft.amount,
        values=values,
        sha256=draft.sha256,
    )
    if values.get("why") == "cover":
        item.outcome, item.decision = Outcome.QUARANTINED, Decision.DISCARD
        item.reason, item.severity = "cover_page", Severity.NOTICE
    return item
