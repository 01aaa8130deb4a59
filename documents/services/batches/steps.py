"""What people do with a batch: approve, reject, send back, roll back, take up again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import StaleVersionError
from documents.models import ImportBatch, ImportItem
from documents.policies.batches import BatchState
from documents.selectors.batches import Counts, counts_of
from documents.services.batches.errors import (
    BatchMovedOnError,
    ControlError,
    NothingToPublishError,
    PartlyPublishedError,
    SamePersonError,
    TrialError,
)
from documents.services.batches.kinds import rule_of
from documents.services.batches.move import change_batch, move_batch, write_event
from documents.services.batches.publishing import take_back_filed
from documents.services.batches.receive import nudge, refuse_closed

MOST_LINES: Final = 10


def _seen(batch: ImportBatch, version: int | None) -> ImportBatch:
    """The batch as it stands; StaleVersionError where somebody changed what a page showed."""
    stands = ImportBatch.objects.select_related("uploader").get(pk=batch.pk)
    if version is not None and stands.version != version:
        raise StaleVersionError(_("Somebody has changed this batch in the meantime. Look at it again."))
    return stands


@transactions.writes
def approve_batch(
    *, batch: ImportBatch, by: Actor, now: datetime, reason: str = "", version: int | None = None
) -> ImportBatch:
    """Have it published. Raises SamePersonError for its uploader unless the rule of the kind says otherwise,
    TrialError, ControlError, NothingToPublishError, PeriodClosedError, StaleVersionError."""
    batch = _seen(batch, version)
    if batch.state != BatchState.REVIEW:
        raise BatchMovedOnError
    if batch.is_trial:
        raise TrialError
    is_own = batch.uploader_id is not None and by.user_id == batch.uploader_id
    if is_own and rule_of(batch.kind).needs_second_person:
        raise SamePersonError
    refuse_closed(batch)
    counts = counts_of(batch)
    _reconcile(batch, counts)
    if not counts.open and not counts.filed:
        raise NothingToPublishError
    move_batch(
        batch,
        to=BatchState.APPROVED,
        by=by,
        now=now,
        detail=reason,
        columns={"approver_id": by.user_id, "approved_at": now, "told_at": None},
    )
    nudge(batch)
    return batch


def _reconcile(batch: ImportBatch, counts: Counts) -> None:
    if not counts.is_reconciled:
        raise ControlError(_("The items do not add up. Read the batch again."))
    if batch.control_count is not None and batch.control_count != counts.counted:
        said = _(
            "Finance says %(said)d items, and there are %(found)d. Correct one of them, or reject the batch."
        )
        raise ControlError(said % {"said": batch.control_count, "found": counts.counted})
    if batch.control_total is not None and batch.control_total != counts.amount:
        said = _("Finance says %(said)s in all, the items make %(found)s. Correct one, or reject the batch.")
        raise ControlError(said % {"said": batch.control_total, "found": counts.amount})


@transactions.writes
def reject_batch(
    *, batch: ImportBatch, by: Actor, now: datetime, reason: str, version: int | None = None
) -> ImportBatch:
    """Publish nothing of it. Raises PartlyPublishedError where something of it is published already."""
    batch = _seen(batch, version)
    if batch.items.filed().exists():
        raise PartlyPublishedError
    return move_batch(batch, to=BatchState.REJECTED, by=by, now=now, detail=reason)


@transactions.writes
def send_back(
    *, batch: ImportBatch, by: Actor, now: datetime, reason: str, version: int | None = None
) -> ImportBatch:
    """From approved back to review, while no worker has begun."""
    batch = _seen(batch, version)
    return move_batch(
        batch,
        to=BatchState.REVIEW,
        by=by,
        now=now,
        detail=reason,
        columns={"approver_id": None, "approved_at": None},
    )


@transactions.writes
def reopen_batch(
    *, batch: ImportBatch, by: Actor, now: datetime, reason: str = "", version: int | None = None
) -> ImportBatch:
    """Take a batch up again: read it anew with the patterns of now, unless part of it is published.

    What is published stays so, and only what is left goes through the review again. Decisions of people
    stand where items stay, and go where they are read anew. Raises PeriodClosedError.
    """
    batch = _seen(batch, version)
    refuse_closed(batch)
    was = BatchState(batch.state)
    columns = {
        "failure_code": "",
        "failure_detail": "",
        "told_at": None,
        "approver_id": None,
        "approved_at": None,
    }
    move_batch(batch, to=BatchState.RECEIVED, by=by, now=now, detail=reason, columns=columns)
    if was == BatchState.PUBLISHED or batch.items.filed().exists():
        pass
    elif was == BatchState.FAILED and batch.items.exists() and not batch.files.filter(is_read=False).exists():
        # It failed when it was published or checked: what was read and decided still holds.
        pass
    else:
        read_anew(batch)
    nudge(batch)
    return batch


def read_anew(batch: ImportBatch) -> None:
    """Forget the items, none of which is published, so that the files are read from their start."""
    ImportItem.objects.filter(batch=batch).delete()
    batch.files.update(is_read=False)
    ImportBatch.objects.filter(pk=batch.pk).update(total=0, done=0)


@transactions.writes
def roll_back_batch(
    *, batch: ImportBatch, by: Actor, now: datetime, reason: str, version: int | None = None
) -> list[str]:
    """Take back everything that the batch published, and show again what it took the place of.

    All or nothing, in one transaction. Returns what could not be undone because somebody changed it since,
    as lines. Raises PeriodClosedError, BatchMovedOnError.
    """
    batch = _seen(batch, version)
    if batch.state != BatchState.PUBLISHED:
        raise BatchMovedOnError
    refuse_closed(batch)
    move_batch(batch, to=BatchState.ROLLED_BACK, by=by, now=now, detail=reason)
    left = take_back_filed(batch, by=by, now=now)
    if left:
        said = _("Not undone, for it was changed since: %(lines)s") % {"lines": "; ".join(left[:MOST_LINES])}
        write_event(batch, source=BatchState.ROLLED_BACK, by=by, now=now, detail=said)
    return left


@transactions.writes
def correct_control(
    *,
    batch: ImportBatch,
    control_count: int | None,
    control_total: Decimal | None,
    by: Actor,
    now: datetime,
    reason: str,
    version: int | None = None,
) -> ImportBatch:
    """Other control figures, with the reason in the history. Only while the batch is in review."""
    batch = _seen(batch, version)
    if batch.state != BatchState.REVIEW:
        raise BatchMovedOnError
    said = _(
        "Control figures: %(count)s items and %(total)s, before %(was_count)s and %(was_total)s. %(reason)s"
    ) % {
        "count": "–" if control_count is None else control_count,
        "total": "–" if control_total is None else control_total,
        "was_count": "–" if batch.control_count is None else batch.control_count,
        "was_total": "–" if batch.control_total is None else batch.control_total,
        "reason": reason,
    }
    change_batch(batch, values={"control_count": control_count, "control_total": control_total})
    write_event(batch, source=BatchState.REVIEW, by=by, now=now, detail=said)
    return batch


@transactions.writes
def end_trial(*, batch: ImportBatch, by: Actor, now: datetime) -> ImportBatch:
    """From a trial to the real thing: it may be approved from now on."""
    batch = _seen(batch, None)
    if batch.is_trial:
        change_batch(batch, values={"is_trial": False})
        write_event(batch, source=BatchState(batch.state), by=by, now=now, detail=_("No trial any more."))
    return batch
