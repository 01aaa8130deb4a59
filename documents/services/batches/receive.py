"""A delivery of Finance becomes a batch: its files into storage, one row, and a nudge to the workers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import IO, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.enqueue import enqueue
from bcc.core.errors import InvalidError
from documents.models import Asset, BatchFile, BatchKind, ImportBatch, Period
from documents.policies.batches import BatchState
from documents.policies.periods import is_period
from documents.services import assets
from documents.services.batches import progress
from documents.services.batches.errors import (
    BatchMovedOnError,
    EmptyDeliveryError,
    PeriodClosedError,
    PeriodNeededError,
)
from documents.services.batches.move import move_batch, write_event

WORK_TASK: Final = "documents.work_on_batch"
NAME_LENGTH: Final = 200
# What belongs to no month; everything else does.
WITHOUT_PERIOD: Final = frozenset({BatchKind.DELINQUENCY, BatchKind.MEMBER_MASTER})
_MAGIC: Final = ((b"%PDF-", "application/pdf"), (b"PK\x03\x04", "application/zip"))


@dataclass(frozen=True, slots=True)
class Delivered:
    """One file as it came: ``content`` can be read from its start, and more than once."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """``is_new`` is false where the same delivery was there already: nothing was changed then."""

    batch: ImportBatch
    is_new: bool


def receive_batch(
    *,
    kind: str,
    period: str,
    files: Sequence[Delivered],
    source: str,
    by: Actor,
    now: datetime,
    control_count: int | None = None,
    control_total: Decimal | None = None,
    is_trial: bool = False,
) -> Received:
    """Keep the files, then write the batch; the same files for the same kind and period are one batch.

    The files are on the disk before the row is written, outside of any transaction: they may be large.
    Raises EmptyDeliveryError, PeriodNeededError, PeriodClosedError, and InvalidError for a kind or period
    that is none.
    """
    period = _checked_period(kind, period)
    kept = _kept(files, now)
    digest = delivery_hash(kind, period, [asset.sha256 for _name, asset in kept])
    found = ImportBatch.objects.filter(sha256=digest).first()
    if found is not None:
        return Received(found, is_new=False)
    batch = ImportBatch(
        kind=kind,
        period=period,
        source=source,
        sha256=digest,
        title=_title(kept),
        control_count=control_count,
        control_total=control_total,
        uploader_id=by.user_id,
        is_trial=is_trial,
        created_at=now,
    )
    return _write(batch, kept, by, now)


@transactions.writes
def _write(batch: ImportBatch, kept: Sequence[tuple[str, Asset]], by: Actor, now: datetime) -> Received:
    if batch.period and not lock_open_period(batch.period):
        raise PeriodClosedError
    batch.pk = None
    try:
        # A savepoint: the index refuses the second of two who deliver the same at once.
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError:
        return Received(ImportBatch.objects.get(sha256=batch.sha256), is_new=False)
    BatchFile.objects.bulk_create(
        BatchFile(batch=batch, ordinal=ordinal, name=name, asset=asset, received_at=now)
        for ordinal, (name, asset) in enumerate(kept, 1)
    )
    write_event(batch, source=None, by=by, now=now)
    nudge(batch)
    progress.push(batch)
    return Received(batch, is_new=True)


def add_corrections(
    *, batch: ImportBatch, files: Sequence[Delivered], by: Actor, now: datetime
) -> ImportBatch:
    """Corrected rows of the error file go back in under the same batch, which is read on from there.

    Raises BatchMovedOnError unless it is in review or published, EmptyDeliveryError, PeriodClosedError, and
    InvalidError for a file that the batch has already.
    """
    if batch.state not in (BatchState.REVIEW, BatchState.PUBLISHED):
        raise BatchMovedOnError
    return _write_corrections(batch, _kept(files, now), by, now)


@transactions.writes
def _write_corrections(
    batch: ImportBatch, kept: Sequence[tuple[str, Asset]], by: Actor, now: datetime
) -> ImportBatch:
    refuse_closed(batch)
    move_batch(
        batch,
        to=BatchState.RECEIVED,
        by=by,
        now=now,
        detail=_("Corrected rows: %(names)s") % {"names": _title(kept)},
        columns={"told_at": None},
    )
    there = {one.asset_id for one in batch.files.all()}
    if any(asset.pk in there for _name, asset in kept):
        detail = _(
            "The batch has this very file already. Correct the rows in it, save it, and choose it again."
        )
        raise InvalidError(errors={"files": [("taken", detail)]})
    first = batch.files.count() + 1
    BatchFile.objects.bulk_create(
        BatchFile(batch=batch, ordinal=ordinal, name=name, asset=asset, received_at=now, is_correction=True)
        for ordinal, (name, asset) in enumerate(kept, first)
    )
    nudge(batch)
    return batch


def nudge(batch: ImportBatch) -> None:
    """Have a worker look at the batch once this has committed; the sweeper finds what gets lost."""
    enqueue(WORK_TASK, batch=str(batch.public_id))


def lock_open_period(period: str) -> bool:
    """Lock the row of a period, made if it is new; whether it is open.

    Whoever publishes into a period and whoever closes it hold this, so neither sees half of the other.
    """
    row = Period.objects.filter(period=period).first()
    if row is None:
        row, _is_new = Period.objects.get_or_create(period=period)
    transactions.lock_rows(Period, [row.pk])
    return not Period.objects.filter(pk=row.pk, closed_at__isnull=False).exists()


def refuse_closed(batch: ImportBatch) -> None:
    """Lock the batch's period. Raises PeriodClosedError."""
    if batch.period and not lock_open_period(batch.period):
        raise PeriodClosedError


def delivery_hash(kind: str, period: str, hashes: Sequence[str]) -> str:
    """Whatever the files are called, and in whatever order they come."""
    return hashlib.sha256("\n".join([kind, period, *sorted(hashes)]).encode()).hexdigest()


def _checked_period(kind: str, period: str) -> str:
    if kind not in BatchKind.values:
        raise InvalidError(
            errors={"kind": [("unknown_kind", _("There is no such kind. Choose one of the list."))]}
        )
    if kind in WITHOUT_PERIOD:
        return ""
    if not period:
        raise PeriodNeededError
    if not is_period(period):
        detail = _("Write the month as 2026-10: the year, a hyphen, two digits.")
        raise InvalidError(errors={"period": [("period", detail)]})
    return period


def _kept(files: Sequence[Delivered], now: datetime) -> list[tuple[str, Asset]]:
    if not files:
        raise EmptyDeliveryError
    kept: dict[str, tuple[str, Asset]] = {}
    for one in files:
        one.content.seek(0)
        start = one.content.read(8)
        if not start:
            raise EmptyDeliveryError
        media_type = next((name for magic, name in _MAGIC if start.startswith(magic)), "text/csv")
        asset = assets.keep(one.content, media_type=media_type, now=now)
        # The same bytes twice in one delivery are once in it.
        kept.setdefault(asset.sha256, (_plain_name(one.name), asset))
    return list(kept.values())


def _plain_name(name: str) -> str:
    """The last part of what the sender calls it, without what no screen shows; never a path of ours."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in last if character.isprintable()).strip()
    return shown[-NAME_LENGTH:] or "?"


def _title(kept: Sequence[tuple[str, Asset]]) -> str:
    first = kept[0][0]
    more = len(kept) - 1
    named = first if not more else _("%(first)s and %(more)d more") % {"first": first[:160], "more": more}
    return named[:NAME_LENGTH]
