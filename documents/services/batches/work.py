"""What a worker does with a batch: read, check, publish, tell; each resumed where a dead one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import structlog

from bcc.core import transactions
from bcc.core.actors import SCHEDULER
from bcc.core.errors import BusyError, DomainError, NotFoundError
from documents.isolation import ChildFailedError, Refusal
from documents.models import ImportBatch
from documents.policies.batches import BatchState
from documents.policies.reasons import sentence
from documents.services.batches.checking import check_batch
from documents.services.batches.errors import LeaseLostError
from documents.services.batches.leases import Lease, Tick, give_up, take_lease
from documents.services.batches.move import move_batch
from documents.services.batches.publishing import publish_batch, tell_of_batch
from documents.services.batches.reading import read_batch

log = structlog.get_logger(__name__)

Step = Callable[[ImportBatch, Lease], BatchState | None]


def _begin(batch: ImportBatch, lease: Lease) -> BatchState:
    return BatchState.PUBLISHING


def _to_review(batch: ImportBatch, lease: Lease) -> BatchState:
    return BatchState.REVIEW


# What is done in a state, and where the batch goes then; nowhere after the last.
STEPS: Final[Mapping[BatchState, Step]] = {
    BatchState.RECEIVED: read_batch,
    BatchState.IDENTIFIED: check_batch,
    BatchState.VALIDATED: _to_review,
    BatchState.APPROVED: _begin,
    BatchState.PUBLISHING: publish_batch,
    BatchState.PUBLISHED: tell_of_batch,
}


def work_on(*, batch_id: int, tick: Tick) -> bool:
    """Take a batch as far as it goes without a person; False where another has it, or nothing is to do.

    ``tick`` gives the present instant. A file that cannot be read ends the batch as FAILED, with what to do;
    whatever nobody foresaw does so too, and is raised for the log.
    """
    lease = take_lease(batch_id=batch_id, tick=tick)
    if lease is None:
        return False
    try:
        _go_on(lease)
    except LeaseLostError:
        log.warning("lease_lost", batch=batch_id)
    except BusyError:
        # The database is away; the sweeper comes again.
        log.warning("batch_busy", batch=batch_id)
        raise
    finally:
        with _whatever_the_database_says(batch_id):
            give_up(lease)
    return True


def work_on_public(*, public_id: UUID, tick: Tick) -> bool:
    """``work_on`` by the id that nudges carry. Raises NotFoundError."""
    pk = ImportBatch.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if pk is None:
        raise NotFoundError
    return work_on(batch_id=pk, tick=tick)


def sweep_batches(*, tick: Tick) -> int:
    """Work on every batch that nobody holds though somebody should; returns how many.

    One that fails keeps no other waiting.
    """
    ids = ImportBatch.objects.to_work_on(tick()).order_by("created_at", "pk").values_list("pk", flat=True)
    worked = 0
    for pk in list(ids):
        try:
            worked += work_on(batch_id=pk, tick=tick)
        except Exception:
            log.exception("batch_failed", batch=pk)
    return worked


def _go_on(lease: Lease) -> None:
    while True:
        batch = ImportBatch.objects.get(pk=lease.batch_id)
        state = BatchState(batch.state)
        step = STEPS.get(state)
        if step is None or (state == BatchState.PUBLISHED and batch.told_at is not None):
            return
        try:
            following = step(batch, lease)
        except Refusal as refusal:
            log.info("batch_refused", batch=batch.pk, code=refusal.code, detail=refusal.detail)
            _fail(lease, refusal.code, refusal.detail)
            return
        except ChildFailedError as failed:
            log.warning("batch_child_failed", batch=batch.pk, why=failed.why, detail=failed.detail)
            _fail(lease, "child_failed", failed.why)
            return
        except (LeaseLostError, BusyError):
            raise
        except DomainError as error:
            log.warning("batch_refused", batch=batch.pk, code=error.code)
            _fail(lease, error.code, str(error.detail))
            return
        except Exception:
            _fail(lease, "unexpected", "")
            raise
        if following is None:
            return
        _move(lease, following)


def _move(lease: Lease, to: BatchState) -> None:
    def move() -> None:
        now = lease.hold()
        batch = ImportBatch.objects.get(pk=lease.batch_id)
        columns = {"published_at": now} if to == BatchState.PUBLISHED else {}
        move_batch(batch, to=to, by=SCHEDULER, now=now, columns=columns)

    transactions.run(move)


def _fail(lease: Lease, code: str, detail: str) -> None:
    """Published ones stay published: what fails then is the telling, and the sweeper tries again."""
    if ImportBatch.objects.filter(pk=lease.batch_id, state=BatchState.PUBLISHED).exists():
        return
    said = str(sentence(code))

    def fail() -> None:
        now = lease.hold()
        batch = ImportBatch.objects.get(pk=lease.batch_id)
        move_batch(
            batch,
            to=BatchState.FAILED,
            by=SCHEDULER,
            now=now,
            detail=f"{said} {detail}".strip(),
            columns={"failure_code": code[:40], "failure_detail": f"{said} {detail}".strip()[:500]},
        )

    transactions.run(fail)


@contextmanager
def _whatever_the_database_says(batch_id: int) -> Iterator[None]:
    """Giving up a lease is a courtesy: it runs out by itself."""
    try:
        yield
    except BusyError:
        log.warning("lease_kept", batch=batch_id)
