"""Files as Finance delivers them, made small; and the way from a delivery to where it waits for a person."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.models import Membership, User
from bcc.core.actors import Actor
from documents.models import BatchKind, BatchSource, ImportBatch, ImportItem
from documents.services.batches.receive import Delivered, Received, receive_batch
from documents.services.batches.steps import approve_batch
from documents.services.batches.work import work_on

PERIOD = "2026-05"
BALANCES = ("Account No", "Name", "Previous Balance", "Charges", "Payments", "Amount Due")


def staff(user: User) -> Actor:
    return Actor("staff", str(user), user.pk)


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Delivered:
    lines = [",".join(heading), *(",".join(str(cell) for cell in row) for row in rows)]
    return Delivered(name, io.BytesIO("\n".join(lines).encode() + b"\n"))


def balance(
    membership: Membership | str, previous: object, charges: object, payments: object, due: object
) -> list[object]:
    account_no = membership if isinstance(membership, str) else membership.account_no
    return [account_no, "Test Member", previous, charges, payments, due]


def balances_file(*rows: Sequence[object], name: str = "balances.csv") -> Delivered:
    return csv_file(name, BALANCES, rows)


def zip_file(files: Mapping[str, bytes], name: str = "statements.zip") -> Delivered:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in files.items():
            archive.writestr(member, data)
    return Delivered(name, content)


def receive(
    kind: BatchKind,
    *files: Delivered,
    now: datetime,
    by: Actor,
    period: str = PERIOD,
    **more: Any,
) -> Received:
    return receive_batch(
        kind=kind, period=period, files=files, source=BatchSource.UPLOAD, by=by, now=now, **more
    )


def work(batch: ImportBatch, now: datetime) -> ImportBatch:
    """As far as a worker takes it."""
    work_on(batch_id=batch.pk, tick=lambda: now)
    return ImportBatch.objects.get(pk=batch.pk)


def review(kind: BatchKind, *files: Delivered, now: datetime, by: Actor, **more: Any) -> ImportBatch:
    return work(receive(kind, *files, now=now, by=by, **more).batch, now)


def publish(batch: ImportBatch, *, by: Actor, now: datetime) -> ImportBatch:
    approve_batch(batch=batch, by=by, now=now)
    return work(batch, now)


def item_of(batch: ImportBatch, ordinal: int) -> ImportItem:
    return ImportItem.objects.get(batch=batch, ordinal=ordinal)


def ends(batch: ImportBatch) -> list[tuple[int, str, str]]:
    """(ordinal, outcome, reason) of every item."""
    rows = batch.items.order_by("ordinal").values_list("ordinal", "outcome", "reason")
    return [(ordinal, str(outcome), reason) for ordinal, outcome, reason in rows]
