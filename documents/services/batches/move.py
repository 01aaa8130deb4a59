"""The one door of the state table. No other code writes ``state``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import StaleVersionError
from documents.models import BatchEvent, ImportBatch
from documents.policies.batches import WORKED, BatchState, may_follow
from documents.services.batches import progress
from documents.services.batches.errors import BatchMovedOnError

DETAIL_LENGTH: Final = 500


@transactions.writes
def move_batch(
    batch: ImportBatch,
    *,
    to: BatchState,
    by: Actor,
    now: datetime,
    detail: str = "",
    columns: Mapping[str, Any] | None = None,
) -> ImportBatch:
    """Check the table, compare and set the version, write the event, and hint who looks at it.

    ``columns`` are further columns that the move sets. Where the new state is a worker's, one is nudged
    after commit. Raises BatchMovedOnError for a move that the table lacks, StaleVersionError when somebody
    was faster.
    """
    source = BatchState(batch.state)
    if not may_follow(source, to):
        raise BatchMovedOnError
    values: dict[str, Any] = {"state": to.value, "done": 0, **(columns or {})}
    if to not in WORKED and to != BatchState.PUBLISHED:
        # A person's turn: whoever worked on it stops. Of what is published its worker tells next.
        values |= {"lease_token": "", "lease_until": None}
    change_batch(batch, values=values)
    write_event(batch, source=source, by=by, now=now, detail=detail)
    progress.push(batch)
    return batch


def change_batch(batch: ImportBatch, *, values: Mapping[str, Any]) -> None:
    """Compare and set: the row as read, or StaleVersionError. Not for ``state`` but by ``move_batch``."""
    version = batch.version + 1
    same = ImportBatch.objects.filter(pk=batch.pk, version=batch.version)
    if not same.update(version=version, **values):
        raise StaleVersionError
    batch.version = version
    for name, value in values.items():
        setattr(batch, name, value)


def write_event(
    batch: ImportBatch, *, source: BatchState | None, by: Actor, now: datetime, detail: str = ""
) -> None:
    """Add to the history: a move, or what was said while it stayed where it is."""
    BatchEvent.objects.create(
        batch=batch,
        from_state="" if source is None else source.value,
        to_state=batch.state,
        actor_kind=by.kind,
        actor_name=by.name[:160],
        detail=detail[:DETAIL_LENGTH],
        at=now,
    )
