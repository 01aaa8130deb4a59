"""A published batch to take away: its documents under their own names, and a manifest, as one ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

import structlog
from django.core.files.storage import default_storage

from bcc.core import transactions
from bcc.core.exports import Cell, csv_bytes
from bcc.core.prepared import PreparedInsert
from documents.models import AccessKind, Document, DocumentAccess, ImportBatch, ImportItem
from documents.policies.naming import told_apart
from documents.services.assets import CHUNK
from documents.services.naming import download_names

MANIFEST: Final = "manifest.csv"
HEADING: Final = (
    "file", "account_no", "kind", "period", "number", "version", "state", "pages", "bytes", "sha256",
    "stored",
)  # fmt: skip
# Documents a query.
PAGE: Final = 200

_ACCESSES: Final = PreparedInsert(DocumentAccess)
log = structlog.get_logger(__name__)


def batch_archive(batch: ImportBatch) -> Iterator[bytes]:
    """The ZIP of what ``batch`` filed, block by block, while it is made; for a StreamingHttpResponse.

    Names are those of the download pattern, two that are equal told apart. ``manifest.csv`` stands at
    the end and has a line for each document, with its hash; a file that storage lost has a line that
    says so, and no entry. No file is held in memory, of the manifest a line a document. Whoever hands
    it out writes the access rows: see ``documents_of_batch``.
    """
    pipe = _Pipe()
    rows: list[Sequence[Cell]] = []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for document, name in _named(batch):
            is_there = default_storage.exists(document.asset.key)
            rows.append(_line(document, name, is_there=is_there))
            if is_there:
                yield from _entry(archive, pipe, document, name)
            else:
                log.error("asset_missing", key=document.asset.key)
        archive.writestr(_info(MANIFEST, batch), csv_bytes(HEADING, rows), zipfile.ZIP_DEFLATED)
    yield pipe.taken()


@transactions.writes
def note_export(*, batch: ImportBatch, user_id: int, now: datetime) -> int:
    """Write that somebody of the staff takes away every document of ``batch``; returns how many.

    Before the first byte leaves: it is shown to each of the members.
    """
    rows = {
        document.pk: DocumentAccess(
            document_id=document.pk, user_id=user_id, is_staff=True, kind=AccessKind.EXPORT.value, at=now
        )
        for document in documents_of_batch(batch)
    }
    _ACCESSES.many(list(rows.values()))
    return len(rows)


def documents_of_batch(batch: ImportBatch) -> Iterator[Document]:
    """What ``batch`` filed, in the order of its items, with asset and membership; a page a query."""
    last = -1
    items = ImportItem.objects.filed().filter(batch=batch, document__isnull=False)
    while page := list(
        items.filter(ordinal__gt=last)
        .select_related("document__asset", "document__membership")
        .order_by("ordinal")[:PAGE]
    ):
        for item in page:
            if item.document is not None:
                yield item.document
        last = page[-1].ordinal


def _named(batch: ImportBatch) -> Iterator[tuple[Document, str]]:
    """Each document once, with a name that no other has."""
    waiting: list[Document] = []
    seen: set[int] = set()

    def names() -> Iterator[str]:
        for page in _pages(batch):
            found = download_names(page)
            for document in page:
                if document.pk not in seen:
                    seen.add(document.pk)
                    waiting.append(document)
                    yield found[document.pk]

    apart = told_apart(chain([MANIFEST], names()))
    next(apart)
    for name in apart:
        yield waiting.pop(0), name


def _pages(batch: ImportBatch) -> Iterator[list[Document]]:
    page: list[Document] = []
    for document in documents_of_batch(batch):
        page.append(document)
        if len(page) == PAGE:
            yield page
            page = []
    yield page


def _entry(archive: zipfile.ZipFile, pipe: _Pipe, document: Document, name: str) -> Iterator[bytes]:
    info = _info(name, document)
    info.file_size = document.asset.size
    with archive.open(info, "w") as out, default_storage.open(document.asset.key, "rb") as content:
        while block := content.read(CHUNK):
            out.write(block)
            yield pipe.taken()
    yield pipe.taken()


def _info(name: str, row: Document | ImportBatch) -> zipfile.ZipInfo:
    """Dated by the row: the same batch is the same archive."""
    at = row.created_at
    info = zipfile.ZipInfo(name, (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second))
    info.external_attr = 0o644 << 16
    return info


def _line(document: Document, name: str, *, is_there: bool) -> Sequence[Cell]:
    return (
        name, document.membership.account_no, document.kind, document.period, document.number,
        document.version, document.state, document.pages, document.asset.size, document.sha256,
        "yes" if is_there else "missing",
    )  # fmt: skip


class _Pipe:
    """What zipfile writes, until somebody takes it. It cannot seek, so sizes follow the bytes."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: Any, /) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        blocks, self._blocks = self._blocks, []
        return b"".join(blocks)
