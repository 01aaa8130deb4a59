"""A document about to be handed over: whose it is, where its bytes are, and its name, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from bcc.core.errors import NotFoundError
from bcc.core.prepared import Prepared
from documents.models import Asset, Document, ImportItem, KindRule
from documents.services.naming import RENDERED, name_of

_FIELDS = (
    "pk", "kind", "period", "number", "membership__account_no", "asset__sha256", "asset__media_type",
    "asset__size", "asset__key", "pattern",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """``asset`` has what serving asks of one, and no key of the database."""

    document_id: int
    asset: Asset
    name: str


def find_content(*, member_id: int, public_id: UUID) -> Content:
    """What ``find_document`` finds, without a row of each table. Raises NotFoundError."""
    row = _CONTENT.row(member=member_id, document=public_id)
    if row is None:
        raise NotFoundError
    pk, kind, period, number, account_no, sha256, media_type, size, key, pattern = row
    name = name_of(
        kind=kind,
        period=period,
        number=number,
        account_no=account_no,
        media_type=media_type,
        pattern=pattern,
    )
    return Content(pk, Asset(sha256=sha256, media_type=media_type, size=size, key=key), name)


def _content_rows(*, member: int, document: UUID) -> QuerySet[Any, Any]:
    filed_by = ImportItem.objects.filter(document=OuterRef("pk")).order_by("pk").values("batch__kind")[:1]
    rendered = Case(*(When(kind=kind, then=Value(by)) for kind, by in RENDERED.items()), default=Value(""))
    pattern = KindRule.objects.filter(kind=OuterRef("filed_by")).values("download_name")[:1]
    rows = Document.objects.shown_to(member).filter(public_id=document)
    rows = rows.annotate(filed_by=Coalesce(Subquery(filed_by), rendered))
    return rows.annotate(pattern=Subquery(pattern)).values_list(*_FIELDS)


_CONTENT = Prepared(_content_rows, member=int, document=UUID)
