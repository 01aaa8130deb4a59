"""IDENTIFIED → VALIDATED: the dry run. It reads everything and writes items only."""

from __future__ import annotations

from typing import Final

from bcc.core import transactions
from documents.models import ImportBatch, ImportItem
from documents.models.batches import ImportItemQuerySet
from documents.policies.batches import BatchState, Decision, Outcome
from documents.services.batches.kinds import handler_of, rule_of
from documents.services.batches.kinds.base import by_key
from documents.services.batches.leases import Lease

CHUNK: Final = 200
WRITTEN: Final = ("severity", "reason", "detail", "outcome", "before")


def check_batch(batch: ImportBatch, lease: Lease) -> BatchState:
    """Settle every item that is not over, a chunk at a time; checking one again says the same."""
    handler, rule = handler_of(batch.kind), rule_of(batch.kind)
    done = 0
    for items in by_key(to_check(batch), CHUNK):
        handler.check(batch, items, rule)
        done = items[-1].ordinal

        def write(items: list[ImportItem] = items, done: int = done) -> None:
            lease.hold(done=done)
            ImportItem.objects.bulk_update(items, WRITTEN)

        transactions.run(write)
    return BatchState.VALIDATED


def to_check(batch: ImportBatch) -> ImportItemQuerySet:
    """What is neither published nor given up."""
    return (
        ImportItem.objects.filter(batch=batch)
        .exclude(outcome=Outcome.FILED)
        .exclude(decision=Decision.DISCARD)
    )


def check_one(item: ImportItem) -> None:
    """Settle one item anew, after a person changed whose it is or accepted it; the caller writes it."""
    batch = item.batch
    handler_of(batch.kind).check(batch, [item], rule_of(batch.kind))
