"""APPROVED → PUBLISHING → PUBLISHED, and then the members are told; and all of it taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bcc.core import transactions
from bcc.core.actors import SCHEDULER, Actor
from documents.models import BatchFile, ImportBatch, ImportItem
from documents.models.batches import ImportItemQuerySet
from documents.parsers.pdfs import Workers
from documents.policies.batches import BatchState, Outcome
from documents.services.batches.errors import PeriodClosedError
from documents.services.batches.kinds import handler_of
from documents.services.batches.kinds.accounts import Accounts
from documents.services.batches.kinds.base import Handler, Piece, Source, by_key, chunked
from documents.services.batches.leases import Lease
from documents.services.batches.receive import lock_open_period
from documents.services.batches.sources import path_of

# Items of one transaction; their files are stored before it begins.
CHUNK: Final = 100
WRITTEN: Final = ("severity", "reason", "detail", "outcome", "before", "membership", "document")


def publish_batch(batch: ImportBatch, lease: Lease) -> BatchState:
    """File what is to be filed, a chunk at a time, each whole or not at all.

    Raises PeriodClosedError when the period was closed by force in the meantime.
    """
    handler, accounts = handler_of(batch.kind), Accounts()
    done = batch.items.filed().count()
    with Workers() as workers:
        for file in batch.files.select_related("asset").order_by("ordinal"):
            for pieces in chunked(_pieces(batch, file, handler, accounts, workers, lease), CHUNK):
                done += len(pieces)
                transactions.run(lambda pieces=pieces, done=done: _file(batch, handler, pieces, lease, done))  # type: ignore[misc]  # those of now
    return BatchState.PUBLISHED


def _pieces(
    batch: ImportBatch,
    file: BatchFile,
    handler: Handler,
    accounts: Accounts,
    workers: Workers,
    lease: Lease,
) -> Iterator[Piece]:
    wanted = ImportItem.objects.to_publish().filter(batch=batch, file=file)
    if not wanted.exists():
        return
    with path_of(file.asset) as path:
        source = Source(
            batch=batch,
            file=file,
            path=path,
            workers=workers,
            accounts=accounts,
            notice=lambda _code, _detail: None,
            tick=lease.tick,
        )
        for piece in handler.pieces(source, _each(wanted)):
            lease.keep()
            yield piece


def _each(rows: ImportItemQuerySet) -> Iterator[ImportItem]:
    for chunk in by_key(rows, CHUNK):
        yield from chunk


def _file(batch: ImportBatch, handler: Handler, pieces: list[Piece], lease: Lease, done: int) -> None:
    now = lease.hold(done=done)
    if batch.period and not lock_open_period(batch.period):
        raise PeriodClosedError
    handler.file(batch, pieces, by=SCHEDULER, now=now)
    ImportItem.objects.bulk_update([piece.item for piece in pieces], WRITTEN)


def tell_of_batch(batch: ImportBatch, lease: Lease) -> None:
    """Tell the members of what this batch filed; nobody twice of one thing, for each message has a key."""
    handler = handler_of(batch.kind)
    for items in by_key(batch.items.filed().select_related("document"), CHUNK):

        def tell(items: list[ImportItem] = items) -> None:
            now = lease.hold()
            handler.tell(batch, items, now=now)

        transactions.run(tell)
    transactions.run(lambda: lease.hold(told_at=lease.tick()))


def take_back_filed(batch: ImportBatch, *, by: Actor, now: datetime) -> list[str]:
    """Undo the filing of every item, inside the caller's transaction; what could not be undone, as lines."""
    handler, left = handler_of(batch.kind), []
    for items in by_key(batch.items.filed().select_related("document"), CHUNK):
        left += handler.take_back(batch, items, by=by, now=now)
        for item in items:
            item.outcome, item.reason = Outcome.QUARANTINED, "rolled_back"
        ImportItem.objects.bulk_update(items, ("outcome", "reason"))
    return left
