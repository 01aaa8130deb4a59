"""Who works on a batch: a token and an instant on its row. A worker that dies loses it by the clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bcc.core import transactions
from documents.models import ImportBatch
from documents.services.batches import progress
from documents.services.batches.errors import LeaseLostError

# A killed worker's batch is taken up after so long and a tick of the sweeper. Longer than any one step
# between two renewals takes: a slice of a PDF, or the files of a chunk.
LEASE: Final = timedelta(seconds=45)
RENEW_AFTER: Final = timedelta(seconds=10)
# Screens are told of progress no more often than this.
TELL_AFTER: Final = timedelta(seconds=1)

Tick = Callable[[], datetime]


@dataclass(slots=True)
class Lease:
    """The right to work on one batch. ``tick`` gives the present instant."""

    batch_id: int
    token: str
    tick: Tick
    renewed_at: datetime
    told_at: datetime | None = field(default=None)

    def hold(self, *, done: int | None = None, **columns: Any) -> datetime:
        """Renew it, as the first statement of a chunk's transaction; the instant of it.

        It locks the batch's row until commit, so that a chunk is written by its holder or not at all. Raises
        LeaseLostError when another took over.
        """
        now = self.tick()
        values: dict[str, Any] = {"lease_until": now + LEASE, **columns}
        if done is not None:
            values["done"] = done
        mine = ImportBatch.objects.filter(pk=self.batch_id, lease_token=self.token)
        if not mine.update(**values):
            raise LeaseLostError
        self.renewed_at = now
        if done is not None and (self.told_at is None or now - self.told_at >= TELL_AFTER):
            self.told_at = now
            progress.push(ImportBatch.objects.get(pk=self.batch_id))
        return now

    def keep(self) -> None:
        """Renew it while something long goes on outside of a transaction, if it is time to."""
        if self.tick() - self.renewed_at >= RENEW_AFTER:
            transactions.run(self.hold)


def take_lease(*, batch_id: int, tick: Tick) -> Lease | None:
    """The lease of a batch that nobody holds and somebody should; None if it is another's."""
    now, token = tick(), secrets.token_hex(16)

    def take() -> int:
        free = ImportBatch.objects.to_work_on(now).filter(pk=batch_id)
        return free.update(lease_token=token, lease_until=now + LEASE)

    return Lease(batch_id, token, tick, now) if transactions.run(take) else None


def give_up(lease: Lease) -> None:
    """Free the batch for the next worker, if it is still ours."""

    def free() -> int:
        mine = ImportBatch.objects.filter(pk=lease.batch_id, lease_token=lease.token)
        return mine.update(lease_token="", lease_until=None)

    transactions.run(free)
