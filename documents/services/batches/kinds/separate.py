"""PDFs that come a file each, in a ZIP or by themselves: statements, notices, receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from django.utils.translation import gettext_lazy

from documents.isolation import ChildFailedError, Refusal
from documents.isolation.folders import WorkFolder
from documents.models import BatchKind, DocumentKind, FileNamePattern, ImportItem, Severity
from documents.parsers import archives, pdfs
from documents.parsers.names import NamePattern, compile_pattern
from documents.services import assets
from documents.services.batches.kinds.base import Draft, Finding, Piece, Source
from documents.services.batches.kinds.merged import regions_of
from documents.services.batches.kinds.papers import PaperHandler

NUMBER_LENGTH: Final = 40
PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class _Known:
    compiled: NamePattern
    document_kind: str


@dataclass(frozen=True, slots=True)
class _Named:
    """One PDF to be read: ``open`` gives its bytes, once, and may raise Refusal."""

    name: str
    position: int
    open: Callable[[], IO[bytes]]


class SeparateHandler(PaperHandler):
    """``files_as`` says what a file is when no pattern does."""

    files_as: DocumentKind = DocumentKind.STATEMENT

    def read(self, source: Source, *, after: ImportItem | None) -> Iterator[Draft]:
        patterns = _patterns(self.kind)
        labelled = [one for one in regions_of(BatchKind.STATEMENT_PDF) if one.label]
        with WorkFolder() as folder:
            for named in _files_in(source, skip=0 if after is None else after.row_number):
                yield self._draft(source, named, patterns, labelled, Path(folder))

    def _draft(
        self,
        source: Source,
        named: _Named,
        patterns: Sequence[_Known],
        labelled: Sequence[pdfs.Region],
        folder: Path,
    ) -> Draft:
        read, files_as = self._read_name(named.name, patterns, source)
        key = read.get("account_no", "")
        number = read.get("number", "")
        if files_as != DocumentKind.STATEMENT and not number:
            # Two notices of a month are two documents: without a number the name tells them apart.
            number = Path(named.name).stem
        values: dict[str, object] = {"document_kind": files_as, "period": read.get("period", "")}
        if not key:
            values["why"] = "name_unread"
        problem, sha256, pages = None, "", 0
        try:
            with _one(named, folder, source) as whole:
                sha256, pages = whole.sha256, whole.pages
                values |= {"clean": whole.is_cleaned, "active": whole.is_active}
                if files_as == DocumentKind.STATEMENT:
                    values["page_account"] = _account_on(whole.path, labelled, source)
        except Refusal as refusal:
            problem = (refusal.code, refusal.detail)
        except ChildFailedError as failed:
            problem = ("pdf_too_complex", failed.why)
        return Draft(
            source_name=named.name[-200:],
            first_page=1 if pages else 0,
            last_page=pages,
            row_number=named.position,
            key_read=key[:80],
            method="name" if key else "",
            membership_id=source.accounts.find(key),
            number=number[:NUMBER_LENGTH],
            values=values,
            sha256=sha256,
            problem=problem,
        )

    def _read_name(self, name: str, patterns: Sequence[_Known], source: Source) -> tuple[dict[str, str], str]:
        """The first pattern that reads an account of the club, else the first that reads anything."""
        readings = [(one.compiled.read(name), one.document_kind) for one in patterns]
        fitting = [(read, document_kind) for read, document_kind in readings if read is not None]
        for read, document_kind in fitting:
            if source.accounts.find(read["account_no"]) is not None:
                return read, document_kind
        return fitting[0] if fitting else ({}, self.files_as.value)

    def pieces(self, source: Source, items: Iterable[ImportItem]) -> Iterator[Piece]:
        """One pass through the archive, whatever of it is to be filed."""
        wanted = iter(items)
        item = next(wanted, None)
        if item is None:
            return
        with WorkFolder() as folder:
            for named in _files_in(source, skip=item.row_number - 1):
                if item is None:
                    return
                if named.position != item.row_number:
                    continue
                yield _piece(item, named, Path(folder), source)
                item = next(wanted, None)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A PDF on the disk as it will be filed. ``is_active``: what it held besides pages was left out."""

    path: Path
    sha256: str
    pages: int
    is_cleaned: bool
    is_active: bool


@contextmanager
def _one(named: _Named, folder: Path, source: Source) -> Iterator[_Whole]:
    """The PDF, or a clean copy of its pages where it is not plain. Raises Refusal, ChildFailedError."""
    path = folder / "one.pdf"
    made: Path | None = None
    try:
        with named.open() as content, path.open("wb") as out:
            while chunk := content.read(assets.CHUNK):
                out.write(chunk)
        facts = pdfs.inspect(path, workers=source.workers)
        if not facts.is_plain:
            whole = [pdfs.PageRange(1, facts.pages)]
            made = next(iter(list(pdfs.split(path, whole, folder, workers=source.workers))))
        filed = made or path
        with filed.open("rb") as content:
            sha256, _size = assets.hash_of(content)
        is_active = facts.has_scripts or facts.has_attachments or facts.has_forms
        yield _Whole(filed, sha256, facts.pages, made is not None, is_active)
    finally:
        path.unlink(missing_ok=True)
        if made is not None:
            made.unlink(missing_ok=True)


def _account_on(path: Path, labelled: Sequence[pdfs.Region], source: Source) -> str:
    """The account that stands on the first page, where the club has it."""
    if not labelled:
        return ""
    read = next(pdfs.read_pages(path, labelled, last=1, workers=source.workers), None)
    return read.text if read is not None and source.accounts.find(read.key) is not None else ""


def _piece(item: ImportItem, named: _Named, folder: Path, source: Source) -> Piece:
    """What is filed of an item: the very bytes that were checked, or nothing."""
    try:
        with _one(named, folder, source) as whole:
            if whole.sha256 != item.sha256:
                return Piece(item, refused=Finding(Severity.ERROR, "changed_since"))
            with whole.path.open("rb") as content:
                asset = assets.keep(content, media_type=PDF, now=source.tick())
            return Piece(item, asset, whole.pages)
    except Refusal as refusal:
        return Piece(item, refused=Finding(Severity.ERROR, refusal.code, refusal.detail))
    except ChildFailedError as failed:
        return Piece(item, refused=Finding(Severity.ERROR, "pdf_too_complex", failed.why))


def _files_in(source: Source, *, skip: int) -> Iterator[_Named]:
    """The PDFs of a file, from behind the ``skip``-th on: those of an archive, or the file itself."""
    with source.path.open("rb") as content:
        start = content.read(4)
    if start != b"PK\x03\x04":
        if not skip:
            yield _Named(source.file.name, 1, lambda: source.path.open("rb"))
        return
    for position, member in enumerate(archives.members(source.path), 1):
        if position > skip:
            yield _Named(member.name, position, member.open)


def _patterns(kind: BatchKind) -> list[_Known]:
    rows = FileNamePattern.objects.filter(kind=kind, is_active=True).order_by("position", "pk")
    return [_Known(compile_pattern(row.pattern), row.document_kind) for row in rows]


class StatementZip(SeparateHandler):
    kind = BatchKind.STATEMENT_ZIP
    expects = gettext_lazy("A ZIP of PDFs, or PDFs, each named after its account.")


class Papers(SeparateHandler):
    kind = BatchKind.PAPERS
    expects = gettext_lazy(
        "A ZIP of PDFs, or PDFs: notices and official receipts, named after their account."
    )
    files_as = DocumentKind.NOTICE
