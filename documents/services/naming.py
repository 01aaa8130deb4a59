"""What a document is called where it is saved, whatever Finance called the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from bcc.core.downloads import safe_name
from bcc.core.errors import InvalidError
from documents.models import BatchKind, Document, DocumentKind, ImportItem, KindRule
from documents.policies.naming import FIELDS, filled, unknown_fields

# Without a rule of the club's own.
USUAL: Final[Mapping[str, str]] = {
    DocumentKind.STATEMENT: "SOA_{period}_{account_no}.pdf",
    DocumentKind.RECEIPT: "OR_{period}_{account_no}_{number}.pdf",
    DocumentKind.NOTICE: "Notice_{period}_{account_no}_{number}.pdf",
}
# A document that no batch filed was rendered from the balances.
RENDERED: Final[Mapping[str, str]] = {DocumentKind.STATEMENT: BatchKind.BALANCES}


def check_pattern(pattern: str) -> None:
    """Raises InvalidError (``download_name``) for a pattern with something unknown in braces."""
    unknown = unknown_fields(pattern)
    if unknown:
        text = _("There is no %(field)s. Use {%(known)s}.") % {
            "field": "{" + unknown[0].strip("{}") + "}",
            "known": "}, {".join(FIELDS),
        }
        raise InvalidError(text, errors={"download_name": [("unknown_field", text)]})


def download_name(document: Document) -> str:
    """Its name by the pattern of the kind of batch that filed it."""
    return download_names([document])[document.pk]


def download_names(documents: Iterable[Document]) -> dict[int, str]:
    """By the document's key, each one's name; two queries for all. ``asset`` and ``membership`` are read."""
    rows = list(documents)
    filed_by: dict[int | None, str] = dict(
        ImportItem.objects.filter(document__in=[row.pk for row in rows])
        .order_by("-pk")
        .values_list("document_id", "batch__kind")
    )
    patterns = dict(KindRule.objects.values_list("kind", "download_name"))
    return {
        row.pk: name_of(
            kind=row.kind,
            period=row.period,
            number=row.number,
            account_no=row.membership.account_no,
            media_type=row.asset.media_type,
            pattern=patterns.get(_kind_of(row, filed_by)),
        )
        for row in rows
    }


def _kind_of(document: Document, filed_by: Mapping[int | None, str]) -> str:
    return filed_by.get(document.pk) or RENDERED.get(document.kind, "")


def name_of(
    *, kind: str, period: str, number: str, account_no: str, media_type: str, pattern: str | None
) -> str:
    """The name by ``pattern``, or by the usual one of the kind where the club has no rule."""
    values = {"period": period, "account_no": account_no, "kind": kind, "number": number}
    return safe_name(filled(pattern or USUAL[kind], values, media_type=media_type))
