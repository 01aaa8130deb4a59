"""One merged PDF of statements, split by the account number that stands on the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy

from documents.isolation.folders import WorkFolder
from documents.models import BatchKind, DocumentKind, ImportItem, PageRegion, Severity
from documents.parsers import pdfs
from documents.services import assets
from documents.services.batches.kinds.base import Draft, Finding, Piece, Source, chunked
from documents.services.batches.kinds.papers import PaperHandler

# Cut out at once: a slice of the file is opened once for all of them.
SLICE: Final = 100
PDF: Final = "application/pdf"


class StatementPdf(PaperHandler):
    kind = BatchKind.STATEMENT_PDF
    expects = gettext_lazy("One PDF with the statements of all accounts one after the other.")

    def read(self, source: Source, *, after: ImportItem | None) -> Iterator[Draft]:
        regions = regions_of(self.kind)
        first = 1 if after is None else after.last_page + 1
        if after is not None and first > pdfs.inspect(source.path, workers=source.workers).pages:
            return
        pages = pdfs.read_pages(
            source.path, regions, known=source.accounts.keys, first=first, workers=source.workers
        )
        # Those of the source are busy with reading on.
        with WorkFolder() as folder, pdfs.Workers(1) as cutters:
            for groups in chunked(pdfs.group(pages), SLICE):
                ranges = [pdfs.PageRange(one.first, one.last, one.key) for one in groups]
                # The number that was read on the page has to stand in what was cut out, too.
                made = pdfs.split(source.path, ranges, Path(folder), regions=regions, workers=cutters)
                yield from self._drafts(source, groups, made)

    def _drafts(
        self, source: Source, groups: Sequence[pdfs.PageGroup], made: Iterator[Path]
    ) -> Iterator[Draft]:
        # The same pages give the same bytes each time, so what will be filed has its hash already now.
        for one, path in zip(groups, made, strict=True):
            with path.open("rb") as content:
                sha256, _size = assets.hash_of(content)
            path.unlink()
            yield Draft(
                source_name=source.file.name,
                first_page=one.first,
                last_page=one.last,
                key_read=one.text[:80],
                method=f"{one.method}: {one.region}"[:32] if one.method else "",
                membership_id=source.accounts.find(one.key),
                values={"document_kind": DocumentKind.STATEMENT.value, "why": one.why},
                sha256=sha256,
            )

    def pieces(self, source: Source, items: Iterable[ImportItem]) -> Iterator[Piece]:
        with WorkFolder() as folder:
            for some in chunked(items, SLICE):
                ranges = [pdfs.PageRange(one.first_page, one.last_page) for one in some]
                made = pdfs.split(source.path, ranges, Path(folder), workers=source.workers)
                for item, path in zip(some, made, strict=True):
                    yield _piece(item, path, source)


def _piece(item: ImportItem, path: Path, source: Source) -> Piece:
    with path.open("rb") as content:
        sha256, _size = assets.hash_of(content)
        if sha256 != item.sha256:
            path.unlink()
            return Piece(item, refused=Finding(Severity.ERROR, "changed_since"))
        asset = assets.keep(content, media_type=PDF, now=source.tick())
    path.unlink()
    return Piece(item, asset, item.last_page - item.first_page + 1)


def regions_of(kind: BatchKind) -> list[pdfs.Region]:
    rows = PageRegion.objects.filter(kind=kind, is_active=True).order_by("position", "pk")
    return [pdfs.Region(row.name, row.left, row.top, row.width, row.height, label=row.label) for row in rows]
