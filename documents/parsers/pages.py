"""What a page says of whose it is, and which pages are one document. Pure: texts in, answers out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from documents.parsers.names import account_key

Method = Literal["label", "known", "digits", ""]
# An account number may be written apart ("D 0001"), in so many words at most.
_WORDS: Final = 3
_LONGEST_KEY: Final = 32
_DIGIT: Final = re.compile(r"\d")
_EDGES: Final = ":;,.#()[]|"


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

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.width, self.height


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
    method: Method
    region: str
    sheet: int
    sheets: int
    has_text: bool


@dataclass(frozen=True, slots=True)
class PageGroup:
    """Pages that belong together, as ``group`` joins them.

    ``key`` is empty for what is nobody's, and ``why`` tells: ``cover`` (before the first document, or a
    page that no document goes on with) or ``no_text`` (a scan); for a document ``why`` is empty.
    """

    first: int
    last: int
    key: str
    text: str
    method: Method
    region: str
    why: Literal["", "cover", "no_text"]


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages of one document, from 1, both ends in it. ``key``: whose it is, to be found again afterwards."""

    first: int
    last: int
    key: str = ""


class KeyReader:
    """Finds an account number in what stands in one region."""

    def __init__(self, region: Region, known: frozenset[str]) -> None:
        self.region, self._known = region, known
        words = [re.escape(word) for word in region.label.split()]
        # Whatever space the page has between the words; with or without the colon that follows.
        self._label = re.compile(r"\s*".join(words), re.IGNORECASE) if words else None

    def find(self, text: str) -> tuple[str, str, Method]:
        """(key, as it stands, how), or three empty texts."""
        if self._label is not None:
            found = self._label.search(text)
            if found is None:
                return "", "", ""
            words = text[found.end() :].split()
            if (near := self._known_in(words[: _WORDS * 2])) is not None:
                return account_key(near), near, "label"
            if near := _first_number(words):
                return account_key(near), near, "label"
            # A table of labels and a table of values: the number is in the box, but not after its label.
            words = text[: found.start()].split()
            anywhere = self._known_in(words)
            return (account_key(anywhere), anywhere, "known") if anywhere else ("", "", "")
        if self._known:
            anywhere = self._known_in(text.split())
            return (account_key(anywhere), anywhere, "known") if anywhere else ("", "", "")
        near = _first_number(text.split())
        return (account_key(near), near, "digits") if near else ("", "", "")

    def _known_in(self, words: Sequence[str]) -> str | None:
        """The first that the club knows, the longest of those that begin there."""
        if not self._known:
            return None
        for start in range(len(words)):
            for count in range(min(_WORDS, len(words) - start), 0, -1):
                text = " ".join(words[start : start + count]).strip(_EDGES)
                if account_key(text) in self._known:
                    return text
        return None


def page_read(number: int, page: dict[str, Any], readers: Sequence[KeyReader]) -> PageRead:
    """Of what ``pdf_pages.read`` says of a page."""
    key, text, method, region = "", "", "", ""
    for reader, inside in zip(readers, page["texts"], strict=True):
        key, text, method = reader.find(inside)
        if key:
            region = reader.region.name
            break
    return PageRead(
        number=number,
        key=key,
        text=text,
        method=method,  # type: ignore[arg-type]
        region=region,
        sheet=page["sheet"],
        sheets=page["sheets"],
        has_text=page["has_text"],
    )


def stands_in(key: str, text: str) -> bool:
    words = text.split()
    return any(
        account_key("".join(words[start : start + count])) == key
        for start in range(len(words))
        for count in range(1, _WORDS + 1)
    )


def group(pages: Iterable[PageRead]) -> Iterator[PageGroup]:
    """Join what belongs together: a page without a number goes on with the document before it.

    Unless it says otherwise. "Page 1 of 2" begins something; after "Page 3 of 3" nothing follows; where the
    pages of a document are counted, a page that does not count on is no part of it. The same number again
    is the same document, unless that page says that it is a first. So Finance's own control page behind the
    last statement reaches nobody.
    """
    held: list[PageRead] = []
    for page in pages:
        if held and not _goes_on(held, page):
            yield _grouped(held)
            held = []
        held.append(page)
    if held:
        yield _grouped(held)


def _goes_on(held: Sequence[PageRead], page: PageRead) -> bool:
    first, before = held[0], held[-1]
    if not page.has_text or not first.key:
        # A scan may be anybody's. And what begins with nobody's page: those are kept one by one.
        return False
    if page.key and page.key != first.key:
        return False
    if before.sheet:
        return page.sheet == before.sheet + 1 and page.sheets == before.sheets
    return page.sheet != 1


def _grouped(held: Sequence[PageRead]) -> PageGroup:
    first = held[0]
    why: Literal["", "cover", "no_text"] = "" if first.key else "cover" if first.has_text else "no_text"
    return PageGroup(first.number, held[-1].number, first.key, first.text, first.method, first.region, why)


def _first_number(words: Sequence[str]) -> str:
    """The first word with a digit, with the letters right before it ("D 0001"); empty if there is none."""
    before = ""
    for word in words[:_WORDS]:
        word = word.strip(_EDGES)
        if _DIGIT.search(word):
            return f"{before} {word}".strip() if len(account_key(word)) <= _LONGEST_KEY else ""
        before = word if word.isalpha() and len(word) <= 3 else ""
    return ""
