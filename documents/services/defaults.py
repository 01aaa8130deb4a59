"""The first patterns and regions of a new club, so that a file with a usual name is read at once."""

from __future__ import annotations

from typing import Final

from bcc.core import transactions
from documents.models import BatchKind, DocumentKind, FileNamePattern, KindRule, PageRegion

_STATEMENT, _RECEIPT, _NOTICE = DocumentKind.STATEMENT, DocumentKind.RECEIPT, DocumentKind.NOTICE
PATTERNS: Final = (
    (BatchKind.STATEMENT_ZIP, "SOA_{period}_{account_no}.pdf", _STATEMENT, "SOA_2026-10_D-0001.pdf"),
    (BatchKind.STATEMENT_ZIP, "SOA_{account_no}_{period}.pdf", _STATEMENT, "SOA_D-0001_2026-10.pdf"),
    (BatchKind.STATEMENT_ZIP, "SOA-{account_no}-{period}.pdf", _STATEMENT, "SOA-D-0001-202610.pdf"),
    (BatchKind.STATEMENT_ZIP, "{account_no}_{period}.pdf", _STATEMENT, "D-0001_2026-10.pdf"),
    (BatchKind.STATEMENT_ZIP, "SOA_{account_no}.pdf", _STATEMENT, "SOA_D-0001.pdf"),
    (BatchKind.STATEMENT_ZIP, "{account_no}.pdf", _STATEMENT, "D-0001.pdf"),
    (BatchKind.PAPERS, "OR_{number}_{account_no}.pdf", _RECEIPT, "OR_10023_D-0001.pdf"),
    (BatchKind.PAPERS, "NOTICE_{number}_{account_no}.pdf", _NOTICE, "NOTICE_7_D-0001.pdf"),
    (BatchKind.PAPERS, "NOTICE_{account_no}_*.pdf", _NOTICE, "NOTICE_D-0001_dues.pdf"),
)
# Receipts and notices are many in a month: their numbers tell them apart.
DOWNLOAD_NAMES: Final = {BatchKind.PAPERS: {"download_name": "{kind}_{period}_{account_no}_{number}.pdf"}}
# The upper part of an A4 or Letter page, by the label that statements have.
REGIONS: Final = (
    ("Head, by its label", 0, 0, 216, 110, "Account No"),
    ("Head, by the number", 0, 0, 216, 110, ""),
)


@transactions.writes
def sync_defaults() -> None:
    """A rule for each kind; patterns and regions only for a club that has none at all, deleted or not."""
    is_new = not KindRule.objects.exists()
    for kind in BatchKind:
        KindRule.objects.get_or_create(kind=kind.value, defaults=DOWNLOAD_NAMES.get(kind, {}))
    if not is_new:
        return
    for position, (kind, pattern, document_kind, sample) in enumerate(PATTERNS, 1):
        FileNamePattern.objects.create(
            kind=kind, pattern=pattern, document_kind=document_kind, sample=sample, position=position * 10
        )
    for position, (name, left, top, width, height, label) in enumerate(REGIONS, 1):
        PageRegion.objects.create(
            kind=BatchKind.STATEMENT_PDF,
            name=name,
            left=left,
            top=top,
            width=width,
            height=height,
            label=label,
            position=position * 10,
        )
