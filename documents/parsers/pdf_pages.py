"""In a child: pages by PDFium. Its text in boxes, and new files of some of its pages.

A file stays open between the calls for its slices, since finding its pages costs as much as reading forty
of them; but PDFium keeps what it has parsed for as long as it is open, so after some pages it is opened anew.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_double, c_ushort
from pathlib import Path
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

from documents.isolation.errors import Refusal

# A box: left, top, width, height in millimetres from the top left corner of the page as it is seen.
Box = Sequence[float]
_POINTS: Final = 72 / 25.4
# Of what a box says, so much is looked at.
_LONGEST_BOX: Final = 2_048
# Where a page's "Page 2 of 3" is looked for: so many millimetres at its foot and head.
_EDGE: Final = 30.0
# Thousandths of a point: device coordinates are whole numbers.
_FINE: Final = 1000
_FARTHEST: Final = 2**30
_PAGES_AN_OPENING: Final = 512
_SHEET: Final = re.compile(r"\bpage\s*:?\s*(\d{1,4})\s*(?:of|/)\s*(\d{1,4})\b", re.IGNORECASE)
# What must not be in a page that is filed. It may be a coincidence of compressed bytes: then the slow way
# is gone for nothing, and finds nothing.
_ACTIVE: Final = re.compile(
    rb"/(?:AA|AcroForm|Annots|EF|EmbeddedFiles?|Filespec|GoToE|GoToR|ImportData|JS|JavaScript|Launch|Metadata"
    rb"|Movie|OpenAction|PieceInfo|Rendition|RichMedia\w*|Sound|SubmitForm|URI|XFA)(?=[\s/<(\[])"
)
# More pictures and forms than this on a page: its resources are those of the whole file, and other
# members' may be among them.
_FORMS_A_PAGE: Final = 12
_MADE_ON: Final = re.compile(rb"/CreationDate\(D:(\d{14})")
_ID: Final = re.compile(rb"/ID\[<([0-9A-F]{32})><([0-9A-F]{32})>\]")


def work(*, action: str, **arguments: Any) -> Any:
    """``facts``, ``read``, ``cut`` or ``check``: one function for the child to run."""
    actions: dict[str, Any] = {"facts": facts, "read": read, "cut": cut, "check": check}
    return actions[action](**arguments)


def facts(*, path: str, most_pages: int) -> dict[str, Any]:
    document = _HELD.document(path, pages=0)
    pages = len(document)
    if pages > most_pages:
        raise Refusal("pdf_too_many_pages", str(pages))
    if pages < 1:
        raise Refusal("pdf_no_pages")
    return {"pages": pages, "is_encrypted": raw.FPDF_GetSecurityHandlerRevision(document) >= 0}


def read(*, path: str, first: int, last: int, boxes: Sequence[Box]) -> list[dict[str, Any]]:
    """Of each page: the texts of the boxes, and sheet and sheets as it says itself."""
    document = _HELD.document(path, pages=last - first + 1)
    return [_read_page(document, number, boxes) for number in range(first, last + 1)]


def cut(
    *, path: str, folder: str, ranges: Sequence[tuple[int, int, int]], boxes: Sequence[Box]
) -> list[dict[str, Any]]:
    """``.NNNNNN.part`` in ``folder`` for each number, first and last page: what the new file reads as.

    ``is_clean`` is false where something of it still has to be taken out, by ``pdf_structure.clean``.
    """
    made = []
    for number, first, last in ranges:
        document = _HELD.document(path, pages=last - first + 1)
        content = _cut(document, range(first - 1, last))
        (Path(folder) / f".{number:06d}.part").write_bytes(content)
        found = _check(content, boxes)
        if found["pages"] != last - first + 1:
            raise Refusal("split_unverified", f"{found['pages']} pages for {first} to {last}")
        forms = content.count(b"/XObject") + content.count(b"/Subtype/Form")
        is_clean = _ACTIVE.search(content) is None and forms <= _FORMS_A_PAGE * (last - first + 1)
        made.append({"is_clean": is_clean, **found})
    return made


def check(*, path: str, boxes: Sequence[Box]) -> dict[str, Any]:
    """What a new file reads as."""
    return _check(path, boxes)


def _check(made: str | bytes, boxes: Sequence[Box]) -> dict[str, Any]:
    with _opened(made) as document:
        return {"pages": len(document), "texts": _read_page(document, 1, boxes)["texts"]}


def _cut(document: pypdfium2.PdfDocument, indices: range) -> bytes:
    content = _copied(document, indices)
    if b"/Annots" not in content:
        return content
    for index in indices:
        _flatten(document, index)
    return _copied(document, indices)


def _copied(document: pypdfium2.PdfDocument, indices: range) -> bytes:
    made = pypdfium2.PdfDocument.new()
    try:
        made.import_pages(document, list(indices))
        stream = io.BytesIO()
        made.save(stream)
    except pypdfium2.PdfiumError as error:
        raise Refusal("pdf_damaged", f"pages from {indices[0] + 1}: {error}") from error
    finally:
        made.close()
    return _without_time(stream.getvalue())


def _flatten(document: pypdfium2.PdfDocument, index: int) -> None:
    """Notes, links and form fields become part of the page's picture, or nothing."""
    with _page(document, index) as page:
        if not raw.FPDFPage_GetAnnotCount(page):
            return
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
        while left := raw.FPDFPage_GetAnnotCount(page):
            if not raw.FPDFPage_RemoveAnnot(page, left - 1):
                return  # the look at the bytes finds it


def _without_time(content: bytes) -> bytes:
    """The same pages are the same bytes whenever they are cut: what PDFium adds of now and chance, goes.

    Lengths stay as they are, and so do all offsets.
    """
    head, tail = content[:4096], content[-4096:]
    made_on, mark = _MADE_ON.search(head), _ID.search(tail)
    if made_on is None or mark is None:
        raise ValueError("PDFium writes another form of file than it did.")
    start = made_on.start(1)
    content = content[:start] + b"20000101000000" + content[start + 14 :]
    start = len(content) - len(tail)
    body = content[: start + mark.start()]
    name = hashlib.sha256(body).hexdigest()[:32].upper().encode()
    return body + b"/ID[<%b><%b>]" % (name, name) + content[start + mark.end() :]


def _read_page(document: pypdfium2.PdfDocument, number: int, boxes: Sequence[Box]) -> dict[str, Any]:
    with _page(document, number - 1) as page:
        words = raw.FPDFText_LoadPage(page)
        if not words:
            raise Refusal("pdf_damaged", f"page {number} cannot be read")
        try:
            texts, sheet, sheets = [""] * len(boxes), 0, 0
            has_text = raw.FPDFText_CountChars(words) > 0
            if has_text:
                seen = _Seen(page)
                texts = [seen.text(words, box) for box in boxes]
                sheet, sheets = _sheet(seen, words)
            return {"texts": texts, "sheet": sheet, "sheets": sheets, "has_text": has_text}
        finally:
            raw.FPDFText_ClosePage(words)


def _sheet(seen: _Seen, words: Any) -> tuple[int, int]:
    """What the page says of itself at its foot or at its head; zeros where it says nothing."""
    for top in (max(0.0, seen.down - _EDGE), 0.0):
        if found := _SHEET.search(seen.text(words, (0, top, seen.across, _EDGE))):
            return int(found[1]), int(found[2])
    return 0, 0


class _Seen:
    """A page as it is seen: /Rotate turns it, /CropBox cuts it. ``across`` and ``down`` are millimetres."""

    def __init__(self, page: Any) -> None:
        self._page = page
        across, down = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
        self.across, self.down = across / _POINTS, down / _POINTS
        self._size = (round(across * _FINE), round(down * _FINE))

    def text(self, words: Any, box: Box) -> str:
        left, top, width, height = box
        x1, y1 = self._in_page(left, top)
        x2, y2 = self._in_page(left + width, top + height)
        buffer = (c_ushort * _LONGEST_BOX)()
        edges = (min(x1, x2), max(y1, y2), max(x1, x2), min(y1, y2))
        count = raw.FPDFText_GetBoundedText(words, *edges, buffer, _LONGEST_BOX)
        if count <= 0:
            return ""
        # Half of a pair is no text, and could not be written as JSON.
        text = bytes(buffer)[: min(count, _LONGEST_BOX) * 2].decode("utf-16-le", "ignore")
        return text.partition("\0")[0]

    def _in_page(self, x: float, y: float) -> tuple[float, float]:
        across, up = c_double(), c_double()
        fine = (min(round(side * _POINTS * _FINE), _FARTHEST) for side in (x, y))
        raw.FPDF_DeviceToPage(self._page, 0, 0, *self._size, 0, *fine, byref(across), byref(up))
        return across.value, up.value


@contextmanager
def _page(document: pypdfium2.PdfDocument, index: int) -> Iterator[Any]:
    """PDFium's own handle: the library's object costs as much again as reading the page."""
    if index >= len(document):
        raise Refusal("page_missing", str(index + 1))
    page = raw.FPDF_LoadPage(document, index)
    if not page:
        raise Refusal("pdf_damaged", f"page {index + 1} cannot be read")
    try:
        yield page
    finally:
        raw.FPDF_ClosePage(page)


@contextmanager
def _opened(source: str | bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = _open(source)
    try:
        yield document
    finally:
        document.close()


def _open(source: str | bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise Refusal("pdf_encrypted") from error
        raise Refusal("pdf_damaged", str(error)) from error


class _Held:
    """The file of the last call, open, if it is still the same file and few of its pages were parsed."""

    def __init__(self) -> None:
        self._document: pypdfium2.PdfDocument | None = None
        self._of: tuple[str, int, int, int] | None = None
        self._pages = 0

    def document(self, path: str, *, pages: int) -> pypdfium2.PdfDocument:
        """The open file, of which ``pages`` will be parsed."""
        about = Path(path).stat()
        of = (path, about.st_ino, about.st_size, about.st_mtime_ns)
        self._pages += pages
        if self._document is None or self._of != of or self._pages > _PAGES_AN_OPENING:
            if self._document is not None:
                self._document.close()
                self._document = None
            self._document, self._of, self._pages = _open(path), of, pages
        return self._document


_HELD: Final = _Held()
