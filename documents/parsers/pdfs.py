"""PDFs of strangers: what they are, whose each page is, and one clean file for each of them.

The bytes are only ever decoded in children. A big file is read in slices of pages, by two children at once,
and none of it is held longer than its slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from documents.isolation import Child, Refusal
from documents.parsers.pages import (
    KeyReader,
    PageGroup,
    PageRange,
    PageRead,
    Region,
    group,
    page_read,
    stands_in,
)
from documents.parsers.pdf_workers import Workers, asked

__all__ = [
    "MOST_PAGES",
    "PageGroup",
    "PageRange",
    "PageRead",
    "PdfFacts",
    "Region",
    "Workers",
    "group",
    "inspect",
    "read_pages",
    "split",
    "thumbnail",
]

MOST_PAGES: Final = 20_000
# Pages to a call of a child.
_SLICE: Final = 64


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """``is_encrypted``: it opens without a password, but forbids something. ``is_repaired``: it was broken.

    ``has_scripts`` (JavaScript, launching, submitting, whatever happens by itself), ``has_attachments``
    and ``has_forms`` tell what must not be filed as it is: ``split`` leaves all of it out.
    """

    pages: int
    is_encrypted: bool
    is_repaired: bool
    has_scripts: bool
    has_attachments: bool
    has_forms: bool

    @property
    def is_plain(self) -> bool:
        """May be filed byte for byte."""
        return not (
            self.is_encrypted
            or self.is_repaired
            or self.has_scripts
            or self.has_attachments
            or self.has_forms
        )


def inspect(path: Path, *, workers: Workers | None = None) -> PdfFacts:
    """What the file is. Raises Refusal with one of ``codes.PDF_REFUSALS``."""
    with _these_or_own(workers) as crew:
        path = _sniffed(path)
        held = crew.structure(action="facts", path=str(path))
        is_broken = bool(held.pop("is_broken"))
        seen, is_repaired = _facts_of(crew, path)
        if seen["pages"] != held.pop("pages"):
            raise Refusal("pdf_damaged", "two readers count its pages differently")
        return PdfFacts(**seen, **held, is_repaired=is_broken or is_repaired)


def read_pages(
    path: Path,
    regions: Sequence[Region],
    *,
    known: Collection[str] = (),
    first: int = 1,
    last: int | None = None,
    workers: Workers | None = None,
) -> Iterator[PageRead]:
    """Every page from ``first`` to ``last``, in order: the first region that tells wins.

    ``known`` are the club's account numbers as ``names.account_key`` spells them. Stop anywhere, and go on
    with ``first``. Raises Refusal with one of ``codes.PDF_REFUSALS``, at the page where it shows.
    """
    readers = [KeyReader(region, frozenset(known)) for region in regions]
    with _these_or_own(workers) as crew:
        path = _sniffed(path)
        seen, _is_repaired = _facts_of(crew, path)
        if first < 1 or first > seen["pages"] or (last or 0) > seen["pages"]:
            raise Refusal("page_missing", f"{first} to {last} of {seen['pages']}")
        source, boxes = str(crew.readable(path)), [region.box for region in regions]

        def read(child: Child, start: int) -> Any:
            end = min(start + _SLICE - 1, last or seen["pages"])
            return start, asked(child, action="read", path=source, first=start, last=end, boxes=boxes)

        starts = range(first, (last or seen["pages"]) + 1, _SLICE)
        with closing(crew.spread(starts, read, ahead=crew.processes * 2)) as slices:
            for start, pages in slices:
                for number, page in enumerate(pages, start=start):
                    yield page_read(number, page, readers)


def split(
    path: Path,
    ranges: Sequence[PageRange],
    folder: Path,
    *,
    regions: Sequence[Region] = (),
    workers: Workers | None = None,
) -> Iterator[Path]:
    """One PDF for each range, in the same order, in ``folder``: the pages and nothing else of the file.

    No scripts, actions, attachments, form fields, outlines or metadata go along, and the same pages give the
    same bytes each time. Each file has been read again before it is given: its pages are as many as asked
    for, and where the range has a ``key`` it stands in one of ``regions`` on the first of them. The caller
    moves or removes each file; a few are made ahead. ``folder`` is for this call alone. Raises Refusal.
    """
    with _these_or_own(workers) as crew:
        path = _sniffed(path)
        seen, _is_repaired = _facts_of(crew, path)
        for one in ranges:
            if not 1 <= one.first <= one.last <= seen["pages"]:
                raise Refusal("page_missing", f"{one.first} to {one.last} of {seen['pages']}")
        source, boxes = str(crew.readable(path)), [region.box for region in regions]

        def cut(child: Child, part: Sequence[tuple[int, PageRange]]) -> Any:
            pages = [(number, one.first, one.last) for number, one in part]
            place = str(folder.resolve())
            answers = asked(child, action="cut", path=source, folder=place, ranges=pages, boxes=boxes)
            return list(zip(part, answers, strict=True))

        try:
            with closing(crew.spread(_parts(ranges), cut, ahead=crew.processes * 2)) as slices:
                for made in slices:
                    for (number, one), answer in made:
                        place = folder / f".{number:06d}.part"
                        _verify(crew, place, answer, one, regions)
                        yield place.rename(folder / f"{number:06d}.pdf")
        finally:
            for left in folder.glob(".*.part"):
                left.unlink()


def thumbnail(path: Path, page: int, width: int, *, workers: Workers | None = None) -> bytes:
    """A page as WebP, ``width`` pixels wide (at most 1,600). Raises Refusal."""
    with _these_or_own(workers) as crew:
        path = _sniffed(path)
        _facts_of(crew, path)
        return crew.picture(path=str(crew.readable(path)), page=page, width=width)


def _facts_of(crew: Workers, path: Path) -> tuple[dict[str, Any], bool]:
    """What PDFium says of the file, or of what qpdf could make of it."""
    source = crew.readable(path)
    try:
        return crew.pages(action="facts", path=str(source), most_pages=MOST_PAGES), source != path
    except Refusal as refusal:
        if refusal.code != "pdf_damaged" or source != path:
            raise
    repaired = crew.repair(path)
    return crew.pages(action="facts", path=str(repaired), most_pages=MOST_PAGES), True


def _verify(
    crew: Workers, made: Path, found: dict[str, Any], wanted: PageRange, regions: Sequence[Region]
) -> None:
    texts = found["texts"]
    if not found["is_clean"]:
        crew.cleaned(made, "cut.pdf")
        boxes = [region.box for region in regions]
        again = crew.pages(action="check", path=str(made), boxes=boxes)
        if again["pages"] != wanted.last - wanted.first + 1:
            raise Refusal("split_unverified", f"{again['pages']} pages for {wanted.first} to {wanted.last}")
        texts = again["texts"]
    if wanted.key and not any(stands_in(wanted.key, text) for text in texts):
        raise Refusal("split_unverified", f"{wanted.key} is not on page {wanted.first}")


def _parts(ranges: Sequence[PageRange]) -> Iterator[list[tuple[int, PageRange]]]:
    """Numbered ranges of about a slice of pages together."""
    part: list[tuple[int, PageRange]] = []
    pages = 0
    for number, one in enumerate(ranges, start=1):
        part.append((number, one))
        pages += one.last - one.first + 1
        if pages >= _SLICE:
            yield part
            part, pages = [], 0
    if part:
        yield part


def _sniffed(path: Path) -> Path:
    """The whole path of what begins as a PDF does: nearly at its start, as viewers allow."""
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise Refusal("not_a_pdf")
    return path.resolve()


@contextmanager
def _these_or_own(workers: Workers | None) -> Iterator[Workers]:
    if workers is not None:
        yield workers
        return
    with Workers() as own:
        yield own
