"""Which row has the headings, which cells are which column, and how a column writes dates and decimals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from documents.isolation import Refusal
from documents.parsers.cells import (
    CellError,
    Order,
    Raw,
    Style,
    as_text,
    decimals_shown,
    order_shown,
    read_account,
    read_date,
    read_integer,
    read_money,
)

ColumnType = Literal["text", "account", "money", "date", "integer"]
# Titles of the report, its date, who made it: they stand above the headings.
HEADER_WITHIN: Final = 40
# Under a heading fewer than so many of the cells are what it says: it is the wrong heading. And so many
# must fit after a swap to believe it.
_FEW: Final = 0.5
_MOST: Final = 0.9
_SAMPLE: Final = 1_000
_SAMPLE_AFTER: Final = 16
_BRACKETS: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_PLURAL: Final = {"account": "account numbers", "money": "amounts", "date": "dates", "integer": "numbers"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a kind of batch reads.

    ``titles`` are its possible headings, compared without case, spaces and punctuation. ``required``: the
    heading must be there and no cell may be empty; else both may be missing, and the value is None.
    ``date_order``: ``dmy`` or ``mdy`` for texts like 05/10/2026; empty: as the rest of the column shows.
    """

    name: str
    titles: tuple[str, ...]
    type: ColumnType = "text"
    required: bool = True
    date_order: Order = ""


@dataclass(frozen=True, slots=True)
class Header:
    """``places`` are positions in the row, from 0, by the Column's name."""

    number: int
    cells: tuple[str, ...]
    places: Mapping[str, int]


def find_header(rows: Iterable[tuple[int, Sequence[Raw]]], columns: Sequence[Column]) -> Header | Refusal:
    """The first of ``rows`` (number, cells) with every required heading; else why there is none."""
    required = {column.name for column in columns if column.required}
    best: set[str] = set()
    for number, cells in rows:
        places: dict[str, int] = {}
        twice = ""
        for place, cell in enumerate(cells):
            name = _named(cell, columns)
            if name in places:
                twice = as_text(cell)
            elif name:
                places[name] = place
        if required <= places.keys():
            if twice:
                return Refusal("columns_twice", twice)
            return Header(number, tuple(as_text(cell) for cell in cells), places)
        if len(places) > len(best):
            best = set(places)
    if len(best) > 1 or best & required:
        missing = [column.titles[0] for column in columns if column.name in required - best]
        return Refusal("columns_missing", ", ".join(missing))
    return Refusal("header_missing", ", ".join(column.titles[0] for column in columns if column.required))


def plain_title(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _named(cell: Raw, columns: Sequence[Column]) -> str:
    """The name of the column whose heading this is, with or without what stands in brackets behind it."""
    text = as_text(cell)
    for title in (plain_title(text), plain_title(_BRACKETS.sub("", text))):
        for column in columns:
            if title and title in map(plain_title, column.titles):
                return column.name
    return ""


class Evidence:
    """What all cells of a table say of its columns; asked once every row has been shown."""

    def __init__(self, columns: Sequence[Column], header: Header) -> None:
        self._columns = {column.name: column for column in columns if column.name in header.places}
        self._header = header
        self._rows = 0
        self._cells = dict.fromkeys(self._columns, 0)
        types = {column.type for column in self._columns.values()} - {"text"}
        self._fits: dict[str, dict[str, int]] = {
            name: dict.fromkeys(sorted(types), 0) for name in self._columns
        }
        self._orders: dict[str, set[Order]] = {name: set() for name in self._columns}
        self._decimals: dict[str, set[str]] = {name: set() for name in self._columns}

    def see(self, cells: Sequence[Raw]) -> None:
        """A row of data; None stands for what tells nothing."""
        self._rows += 1
        # What a column is shows soon; how it writes dates may show in one row alone.
        is_sampled = self._rows <= _SAMPLE or self._rows % _SAMPLE_AFTER == 0
        for name, place in self._header.places.items():
            cell = cells[place] if place < len(cells) else None
            if not as_text(cell):
                continue
            self._orders[name].add(order_shown(cell))
            self._decimals[name].add(decimals_shown(cell))
            if not is_sampled:
                continue
            self._cells[name] += 1
            for kind, fits in self._fits[name].items():
                self._fits[name][kind] = fits + _FITS[kind](cell)

    def places(self) -> tuple[dict[str, int], list[str]]:
        """(positions by name, what was swapped as sentences). Raises Refusal columns_unclear."""
        places, told = dict(self._header.places), []
        for name, column in self._columns.items():
            if self._is_right(name) or places[name] != self._header.places[name]:
                continue
            others = [other for other in self._columns if self._explains(name, other)]
            if len(others) != 1:
                share = f"{self._fits[name][column.type]} of {self._cells[name]}"
                raise Refusal("columns_unclear", f"{self._title(name)}: {share} are {_PLURAL[column.type]}")
            other = others[0]
            places[name], places[other] = places[other], places[name]
            told.append(f"{self._title(name)} ↔ {self._title(other)}")
        return places, told

    def style(self, column: Column, place: int) -> Style:
        """How the cells at a position write what is ambiguous. Contradictions settle nothing."""
        name = next((name for name, at in self._header.places.items() if at == place), column.name)
        orders = self._orders.get(name, set()) - {""}
        decimals = self._decimals.get(name, set())
        return Style(
            decimal_comma="comma" in decimals and "point" not in decimals,
            order=column.date_order or (next(iter(orders)) if len(orders) == 1 else ""),
        )

    def _is_right(self, name: str) -> bool:
        kind = self._columns[name].type
        return kind == "text" or self._fit(name, kind) >= _FEW

    def _explains(self, name: str, other: str) -> bool:
        """Whether the two changed places: each has what the other should have."""
        mine, its = self._columns[name].type, self._columns[other].type
        if mine == its or not self._cells[other]:
            return False
        is_text_of_words = its == "text" or self._fit(name, its) >= _MOST
        return self._fit(other, mine) >= _MOST and is_text_of_words

    def _fit(self, name: str, kind: str) -> float:
        return self._fits[name][kind] / self._cells[name] if self._cells[name] else 1.0

    def _title(self, name: str) -> str:
        return self._header.cells[self._header.places[name]]


def _reads(read: Callable[[Raw], object]) -> Callable[[Raw], bool]:
    def fits(cell: Raw) -> bool:
        try:
            read(cell)
        except CellError as error:
            # Of the right kind, and to be mended in its cell.
            return error.code in ("account_mangled", "date_ambiguous", "money_precision", "money_too_large")
        return True

    return fits


def _is_money(cell: Raw) -> bool:
    return _reads(read_money)(cell) or _reads(lambda raw: read_money(raw, Style(decimal_comma=True)))(cell)


_FITS: Final[Mapping[str, Callable[[Raw], bool]]] = {
    "account": _reads(read_account),
    "money": _is_money,
    "date": _reads(read_date),
    "integer": _reads(read_integer),
}
