"""What a member reads of their household's papers and account, each in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from bcc.core.errors import NotFoundError
from documents.models import (
    AccountEntry,
    Assessment,
    Document,
    DocumentAccess,
    DocumentKind,
    Publication,
    StatementSummary,
)

_SHOWN = tuple(f"document__{name}" for name in ("public_id", "kind", "period", "number"))
# More assessments than this no household has open.
MOST_ASSESSMENTS = 50


@dataclass(frozen=True, slots=True)
class Statement:
    """One month: the paper, the sums where Finance gave them as data, or both."""

    period: str
    document: Document | None
    sums: StatementSummary | None


@dataclass(frozen=True, slots=True)
class Balance:
    """The last sums that were published, and what is assessed beside them."""

    sums: StatementSummary
    assessments: list[Assessment]


def documents_of(
    member_id: int, *, kind: str | None = None, period: str | None = None
) -> QuerySet[Document, Any]:
    """The household's published documents that the member may see; ordered by the caller."""
    rows = Document.objects.shown_to(member_id).select_related("asset", "membership")
    if kind is not None:
        rows = rows.filter(kind=kind)
    return rows if period is None else rows.filter(period=period)


def statements_of(member_id: int) -> QuerySet[Document, Any]:
    return documents_of(member_id, kind=DocumentKind.STATEMENT).filter(number="")


def with_sums(documents: Sequence[Document]) -> list[Statement]:
    """Each document with the published sums of its month; one query for all."""
    found = {
        (one.membership_id, one.period): one
        for one in StatementSummary.objects.published().filter(
            membership__in={row.membership_id for row in documents},
            period__in={row.period for row in documents},
            number="",
        )
    }
    return [Statement(row.period, row, found.get((row.membership_id, row.period))) for row in documents]


def find_statement(member_id: int, period: str) -> Statement:
    """The statement of a month, also where there are sums and no paper yet.

    Raises NotFoundError where there is neither, whatever the reason.
    """
    document: Document | None = statements_of(member_id).filter(period=period).first()
    sums: StatementSummary | None = (
        StatementSummary.objects.shown_to(member_id).filter(period=period, number="").first()
    )
    if document is None and sums is None:
        raise NotFoundError
    return Statement(period, document, sums)


def find_document(member_id: int, public_id: UUID) -> Document:
    """One document, in one query. Raises NotFoundError: another's is like one that is not there."""
    row: Document | None = documents_of(member_id).filter(public_id=public_id).first()
    if row is None:
        raise NotFoundError
    return row


def find_balance(member_id: int, *, today: date) -> Balance:
    """The household's balance: two queries. Raises NotFoundError before the first sums.

    Assessments are those of the month of the sums and later, and older ones that are not due yet.
    """
    sums: StatementSummary | None = (
        StatementSummary.objects.shown_to(member_id).filter(number="").order_by("-period", "-pk").first()
    )
    if sums is None:
        raise NotFoundError
    open_still = Q(period__gte=sums.period) | Q(due_on__gte=today)
    rows = Assessment.objects.published().filter(open_still, membership_id=sums.membership_id)
    return Balance(sums, list(rows.order_by("period", "pk")[:MOST_ASSESSMENTS]))


def entries_of(
    member_id: int,
    *,
    period: str | None = None,
    kind: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[AccountEntry, Any]:
    """The lines of the household's account; both dates are included."""
    rows: QuerySet[AccountEntry, Any] = AccountEntry.objects.shown_to(member_id)
    wanted = {"period": period, "kind": kind, "posted_on__gte": since, "posted_on__lte": until}
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def staff_accesses_of(member_id: int) -> QuerySet[DocumentAccess, Any]:
    """Each time staff read one of the household's documents; drafts, which nobody saw yet, are left out."""
    own = Document.objects.exclude(state=Publication.DRAFT).of_reader(member_id)
    return (
        DocumentAccess.objects.filter(is_staff=True, document__in=own)
        .select_related("document", "user")
        .only("kind", "at", "user__display_name", "user__username", *_SHOWN)
    )
