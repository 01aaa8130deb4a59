"""Rows of papers and accounts, as batches would leave them. Plainly test data."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Membership, User
from documents.models import (
    AccessKind,
    AccountEntry,
    Assessment,
    BatchFile,
    BatchKind,
    BatchSource,
    Document,
    ImportBatch,
    ImportItem,
    KindRule,
    Publication,
    StatementSummary,
)
from documents.policies.batches import BatchState, Outcome
from documents.services.assets import keep_bytes
from documents.services.reading import note_access

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def make_document(
    membership: Membership,
    period: str,
    *,
    now: datetime,
    kind: str = "statement",
    number: str = "",
    version: int = 1,
    state: Publication = Publication.PUBLISHED,
    body: bytes | None = None,
    media_type: str = "application/pdf",
) -> Document:
    """A document of a household; its bytes are its own unless given."""
    own = f"{membership.account_no} {kind} {period} {number} {version}".encode()
    asset = keep_bytes(PDF + own if body is None else body, media_type=media_type, now=now)
    return Document.objects.create(
        membership=membership,
        kind=kind,
        period=period,
        number=number,
        version=version,
        state=state,
        asset=asset,
        sha256=asset.sha256,
        pages=1,
        created_at=now,
        published_at=None if state == Publication.DRAFT else now,
    )


def make_statement(membership: Membership, period: str, *, now: datetime, due: str = "1250.00") -> Document:
    """A statement and its sums."""
    make_sums(membership, period, now=now, due=due)
    return make_document(membership, period, now=now)


def make_sums(
    membership: Membership, period: str, *, now: datetime, due: str = "1250.00", **more: Any
) -> StatementSummary:
    return StatementSummary.objects.create(
        **_row(membership, period, now, more),
        previous=Decimal("1250.00"),
        charges=Decimal(due),
        payments=Decimal("1250.00"),
        due=Decimal(due),
        due_on=date(2026, 6, 20),
    )


def make_entry(
    membership: Membership,
    period: str,
    *,
    now: datetime,
    number: str,
    posted_on: date,
    amount: str = "860.00",
    kind: str = "charge",
    description: str = "Lunch",
    **more: Any,
) -> AccountEntry:
    return AccountEntry.objects.create(
        **_row(membership, period, now, {"number": number, **more}),
        kind=kind,
        posted_on=posted_on,
        description=description,
        outlet="Terrace",
        amount=Decimal(amount),
    )


def make_account(membership: Membership, period: str, *, now: datetime) -> None:
    """Two entries and an assessment."""
    make_entry(membership, period, now=now, number="CH-1", posted_on=date(2026, 5, 17))
    make_entry(
        membership, period, now=now, number="OR-1", posted_on=date(2026, 5, 20), kind="payment",
        amount="-1250.00", description="Payment, thank you",
    )  # fmt: skip
    Assessment.objects.create(
        **_row(membership, period, now, {"number": "COURSE"}),
        description="Assessment for the course",
        amount=Decimal("5000.00"),
        due_on=date(2026, 7, 31),
    )


def read_by_staff(document: Document, user: User, *, now: datetime) -> None:
    note_access(document_id=document.pk, user_id=user.pk, is_staff=True, kind=AccessKind.DOWNLOAD, now=now)


def _row(membership: Membership, period: str, now: datetime, more: dict[str, Any]) -> dict[str, Any]:
    text = f"{membership.account_no} {period} {sorted(more.items())}"
    return {
        "membership": membership,
        "period": period,
        "state": Publication.PUBLISHED,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "created_at": now,
        "published_at": now,
        **more,
    }


def make_batch(kind: BatchKind, *, now: datetime, period: str = "2026-05", title: str = "May") -> ImportBatch:
    """A published batch of Finance."""
    user, _made = User.objects.get_or_create(username="finance-uploader", defaults={"is_staff": True})
    text = f"{kind} {period} {title} {ImportBatch.objects.count()}"
    return ImportBatch.objects.create(
        kind=kind,
        period=period,
        source=BatchSource.UPLOAD,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        title=title,
        state=BatchState.PUBLISHED.value,
        uploader=user,
        created_at=now,
    )


def name_files(kind: str, pattern: str) -> None:
    """What the club calls files of a kind of batch from now on."""
    KindRule.objects.update_or_create(kind=kind, defaults={"download_name": pattern})


def file_in_batch(batch: ImportBatch, *documents: Document) -> None:
    """Items of ``batch`` that ended as these documents, in this order."""
    first = batch.items.count() + 1
    file = batch.files.first() or BatchFile.objects.create(
        batch=batch,
        asset=keep_bytes(f"of batch {batch.pk}".encode(), media_type="application/zip", now=batch.created_at),
        name="batch.zip",
        ordinal=1,
        received_at=batch.created_at,
    )
    for ordinal, document in enumerate(documents, start=first):
        ImportItem.objects.create(
            batch=batch,
            file=file,
            ordinal=ordinal,
            membership=document.membership,
            outcome=Outcome.FILED.value,
            document=document,
        )
