"""PDFs of strangers: what they are, whose each page is, and one clean file for each of them.

The bytes are only ever decoded in children. A big file is read in slices of pages, by two children at once,
and none of it is held longer than its slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

MOST_PAGES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Region:
    """Where an account number may stand: millimetres from the top left corner of the page as it is seen.

    ``label`` is the text before it. Without one, whatever in the box is among ``known`` counts, and if
    nothing is known, whatever has a digit in it.
    """

    name: str
    left: float
    top: float
    width: float
    height: float
    label: str = ""


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


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page. ``number`` counts from 1.

    ``key`` is the account number as ``names.account_key`` spells it, ``text`` as it stands; both empty
    where there is none: a continuation, a cover, a scan (``has_text`` is false). ``method`` says how it was
    found, ``region`` the name of where. ``sheet`` of ``sheets`` is what the page says of itself ("Page 2 of
    3"); 0 where it says nothing.
    """

    number: int
    key: str
    text: str
    method: Literal["label", "known", "digits", ""]
    region: str
    sheet: int
    sheets: int
    has_text: bool


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages of one document, from 1, both ends in it. ``key``: whose it is, to be found again afterwards."""

    first: int
    last: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class PageGroup:
    """Pages that belong together. ``key`` is empty for covers and what cannot be told: ``why`` says which.

    ``why`` is ``""`` for a document, else ``cover`` (before the first document, or a page that no document
    goes on with) or ``no_text``.
    """

    first: int
    last: int
    key: str
    text: str
    method: str
    region: str
    why: Literal["", "cover", "no_text"]


class Workers:
    """The children, kept between calls: a context manager, for one thread at a time.

    Starting a child takes a fifth of a second, so whoever looks at 2,000 files opens this once and passes
    it to each call; a call without one starts its own.
    """

    def __init__(self, processes: int = 2) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children and remove what they left."""
        raise NotImplementedError


def inspect(path: Path, *, workers: Workers | None = None) -> PdfFacts:
    """What the file is. Raises Refusal with one of ``codes.PDF_REFUSALS``."""
    raise NotImplementedError


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
    raise NotImplementedError


def group(pages: Iterable[PageRead]) -> Iterator[PageGroup]:
    """Join what belongs together: a page without a number goes on with the document before it.

    Unless it says otherwise: "Page 1 of 2" begins something, and after "Page 3 of 3" nothing follows. The
    same number twice is one document, unless the second says that it is a first page.
    """
    raise NotImplementedError


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
    moves or removes each file; a few are made ahead. Raises Refusal.
    """
    raise NotImplementedError


def thumbnail(path: Path, page: int, width: int, *, workers: Workers | None = None) -> bytes:
    """A page as WebP, ``width`` pixels wide (at most 1,600). Raises Refusal."""
    raise NotImplementedError
