"""Tables as Finance sends them, CSV or XLSX: found, put into their columns, and each cell judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from documents.isolation import Refusal
from documents.parsers.cells import (
    CellError,
    Raw,
    Style,
    as_text,
    read_account,
    read_date,
    read_integer,
    read_money,
    read_text,
)
from documents.parsers.columns import HEADER_WITHIN, Column, Evidence, Header, find_header
from documents.parsers.table_sources import (
    DELIMITERS,
    Line,
    Source,
    csv_source,
    is_xlsx,
    refuse_other_files,
    xlsx_sources,
)

__all__ = [
    "Column",
    "Note",
    "Problem",
    "Row",
    "Skipped",
    "TableLimits",
    "TableRead",
    "Value",
    "read_rows",
]

Value = str | Decimal | date | int | None
_TOTAL: Final = re.compile(
    r"(?:grand|sub|over-?all|control|report)?[\s-]*totals?\b.*|sum\b.*|\d+ (?:records?|members?|accounts?)",
    re.IGNORECASE,
)
_LONGEST_DETAIL: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLimits:
    """``file_bytes`` as sent, ``unpacked_bytes`` of an XLSX; ``cells`` of one sheet that hold something."""

    file_bytes: int = 32 * 1024**2
    unpacked_bytes: int = 96 * 1024**2
    rows: int = 50_000
    columns: int = 100
    cells: int = 1_000_000
    cell_length: int = 1_000
    seconds: float = 9.0


@dataclass(frozen=True, slots=True)
class Problem:
    """``column`` is the Column's name, ``code`` one of ``codes.PROBLEMS``, ``detail`` the cell as it was."""

    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` is the spreadsheet's. ``values`` has every column by name; None where a problem is.

    ``raw`` are the cells as text, for the error file.
    """

    number: int
    values: dict[str, Value]
    problems: list[Problem]
    raw: dict[str, str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is no row of data: ``blank``, ``total``, ``header`` (printed again) or ``note``."""

    number: int
    reason: Literal["blank", "total", "header", "note"]
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should know of the table as a whole; ``code`` is one of ``codes.NOTES``."""

    code: str
    detail: str


@dataclass(slots=True)
class TableRead:
    """``header`` are the headings as they stand, ``columns`` the heading by the Column's name.

    A context manager, or to be closed: it holds files. ``rows`` can be gone through once; ``skipped``,
    ``notes`` and ``totals`` (the file's own last sums, by column) are complete only after that.
    """

    format: Literal["csv", "xlsx"]
    sheet: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: Iterator[Row]
    notes: list[Note] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)
    _held: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._held.close()


def read_rows(path: Path, columns: Sequence[Column], limits: TableLimits = TableLimits()) -> TableRead:
    """Find the headings, settle which column is which, and give the rows one by one.

    Formulas: what a spreadsheet kept of them is never used; their cells have the problem ``formula``.
    Raises Refusal with one of ``codes.TABLE_REFUSALS``, before the first row.
    """
    with ExitStack() as stack:
        read = _read(path, columns, limits, stack)
        read._held.push(stack.pop_all())
    return read


def _read(path: Path, columns: Sequence[Column], limits: TableLimits, stack: ExitStack) -> TableRead:
    size = path.stat().st_size
    if not size:
        raise Refusal("table_empty", "no bytes")
    if size > limits.file_bytes:
        raise Refusal("table_too_large", f"{size} bytes")
    with path.open("rb") as file:
        head = file.read(16)
    refuse_other_files(path, head)
    notes: list[Note] = []
    source: Source
    if is_xlsx(head):
        source, header = _sheet(path, columns, limits, stack, notes)
    else:
        source, header = _csv(path, columns, notes)
    if header.number > 1:
        notes.append(Note("header_below", str(header.number)))
    table = _Table(source, header, columns, limits, notes)
    return table.settled("xlsx" if is_xlsx(head) else "csv")


def _sheet(
    path: Path, columns: Sequence[Column], limits: TableLimits, stack: ExitStack, notes: list[Note]
) -> tuple[Source, Header]:
    sources, hidden = xlsx_sources(
        path,
        stack,
        seconds=limits.seconds,
        unpacked_bytes=limits.unpacked_bytes,
        rows=limits.rows,
        columns=limits.columns,
        cells=limits.cells,
    )
    notes += [Note("hidden_sheet", name) for name in hidden]
    answers = [(source, _header_of(source, columns)) for source in sources]
    found = [(source, header) for source, header in answers if isinstance(header, Header)]
    if len(found) > 1:
        raise Refusal("sheets_unclear", ", ".join(source.name for source, _header in found))
    if not found:
        # The most telling of what was wrong: a sheet that nearly is the one.
        refusals = [header for _source, header in answers if isinstance(header, Refusal)]
        refusals.sort(key=lambda one: one.code == "header_missing")
        raise refusals[0] if refusals else Refusal("table_empty", "no visible sheet")
    others = [source.name for source in sources if source is not found[0][0]]
    if others:
        notes.append(Note("other_sheets", ", ".join(others)))
    return found[0]


def _csv(path: Path, columns: Sequence[Column], notes: list[Note]) -> tuple[Source, Header]:
    source = csv_source(path)
    if source.is_guessed:
        notes.append(Note("encoding_guessed", source.encoding))
    told = source.told_delimiter()
    refusals: list[Refusal] = []
    for delimiter in (told,) if told else DELIMITERS:
        this = source.with_delimiter(delimiter)
        try:
            header = _header_of(this, columns)
        except Refusal as refusal:
            header = refusal
        if isinstance(header, Header):
            return this, header
        refusals.append(header)
    refusals.sort(key=lambda one: one.code == "header_missing")
    raise refusals[0]


def _header_of(source: Source, columns: Sequence[Column]) -> Header | Refusal:
    filled = (line for line in source.lines() if any(map(as_text, line.cells)))
    return find_header(((line.number, line.cells) for line in islice(filled, HEADER_WITHIN)), columns)


class _Table:
    """One table being read: once for what its columns are, once for its rows."""

    def __init__(
        self,
        source: Source,
        header: Header,
        columns: Sequence[Column],
        limits: TableLimits,
        notes: list[Note],
    ) -> None:
        self._source, self._header, self._limits = source, header, limits
        self._columns = [column for column in columns if column.name in header.places]
        self._absent = [column.name for column in columns if column.name not in header.places]
        self._places: dict[str, int] = dict(header.places)
        self._styles: dict[str, Style] = {}
        self._notes = notes
        self._sums: dict[str, Decimal] = {}
        self._skipped: list[Skipped] = []
        self._totals: dict[str, Decimal] = {}

    def settled(self, kind: Literal["csv", "xlsx"]) -> TableRead:
        """The table with its columns in their places. Raises Refusal."""
        evidence = Evidence(self._columns, self._header)
        rows = 0
        for line in self._source.lines():
            if line.number <= self._header.number or self._why_skipped(line):
                continue
            rows += 1
            if rows > self._limits.rows or len(line.cells) > self._limits.columns:
                raise Refusal("table_too_large", f"{rows} rows, {len(line.cells)} columns")
            odd = line.odd
            evidence.see([None if place in odd else cell for place, cell in enumerate(line.cells)])
        if not rows:
            raise Refusal("table_empty", "no rows below the headings")
        self._places, swapped = evidence.places()
        self._notes += [Note("columns_swapped", pair) for pair in swapped]
        for column in self._columns:
            style = evidence.style(column, self._places[column.name])
            self._styles[column.name] = style
            if column.type == "money" and style.decimal_comma:
                self._notes.append(Note("decimal_comma", self._title(column.name)))
        return TableRead(
            format=kind,
            sheet=self._source.name,
            header=self._header.cells,
            columns={column.name: self._title(column.name) for column in self._columns},
            rows=self._rows(),
            notes=self._notes,
            skipped=self._skipped,
            totals=self._totals,
        )

    def _title(self, name: str) -> str:
        """The heading that stands for the column, wherever its cells are."""
        return self._header.cells[self._header.places[name]]

    def _rows(self) -> Iterator[Row]:
        self._sums = {column.name: Decimal(0) for column in self._columns if column.type == "money"}
        for line in self._source.lines():
            if line.number <= self._header.number:
                continue
            why = self._why_skipped(line) or ("total" if self._is_bare_total(line) else None)
            if why is None:
                row = self._row(line)
                for name in self._sums:
                    amount = row.values[name]
                    self._sums[name] += amount if isinstance(amount, Decimal) else 0
                yield row
                continue
            if why == "total":
                self._note_totals(line)
            if why != "blank":
                text = " ".join(filter(None, map(as_text, line.cells)))
                self._skipped.append(Skipped(line.number, why, text[:_LONGEST_DETAIL]))
        for name, total in self._totals.items():
            if total != self._sums[name]:
                self._notes.append(
                    Note("total_differs", f"{self._title(name)}: {total}, the rows {self._sums[name]}")
                )

    def _why_skipped(self, line: Line) -> Literal["blank", "total", "header", "note"] | None:
        texts = [as_text(cell) for cell in line.cells]
        filled = [text for text in texts if text]
        if not filled:
            return "blank"
        if _TOTAL.fullmatch(filled[0]) and not self._is_anyones(texts, filled[0]):
            return "total"
        places = self._header.places.values()
        if all(self._same_title(texts, place) for place in places):
            return "header"
        # "Prepared by …": one remark, and nothing under a heading that must have something.
        needed = [self._header.places[column.name] for column in self._columns if column.type != "text"]
        is_remark = len(filled) == 1 and len(self._columns) > 1
        if is_remark and not any(any(map(str.isdigit, texts[at])) for at in needed if at < len(texts)):
            return "note"
        return None

    def _is_anyones(self, texts: Sequence[str], word: str) -> bool:
        """Whether an account stands beside a first ``word`` like a total's: "Total Fitness" is a place."""
        places = [self._header.places[column.name] for column in self._columns if column.type == "account"]
        return any(texts[place] not in ("", word) for place in places if place < len(texts))

    def _same_title(self, texts: Sequence[str], place: int) -> bool:
        return place < len(texts) and texts[place] == self._header.cells[place]

    def _is_bare_total(self, line: Line) -> bool:
        """Sums without a word: no text, no account, and amounts that are those of the rows before."""
        others = [column for column in self._columns if column.type != "money"]
        if not self._sums or any(as_text(self._cell(line, column.name)) for column in others):
            return False
        filled = [name for name in self._sums if as_text(self._cell(line, name))]
        if filled and all(line.odd.get(self._places[name]) == "formula" for name in filled):
            return True
        found = self._amounts(line)
        return bool(found) and all(amount == self._sums[name] for name, amount in found.items())

    def _note_totals(self, line: Line) -> None:
        found = self._amounts(line)
        if found:
            self._totals.clear()
            self._totals.update(found)

    def _amounts(self, line: Line) -> dict[str, Decimal]:
        found = {}
        for name in self._sums:
            place = self._places[name]
            cell = self._cell(line, name)
            if place in line.odd or not as_text(cell):
                continue
            try:
                found[name] = read_money(cell, self._styles[name])
            except CellError:
                continue  # no total, but a word in its place
        return found

    def _cell(self, line: Line, name: str) -> Raw:
        place = self._places[name]
        return line.cells[place] if place < len(line.cells) else None

    def _row(self, line: Line) -> Row:
        values: dict[str, Value] = dict.fromkeys(self._absent)
        problems: list[Problem] = []
        raw: dict[str, str] = {}
        width = len(self._header.cells)
        if any(map(as_text, line.cells[width:])):
            # An amount with thousands separators and without quotes has pushed the others aside.
            rest = " ".join(filter(None, map(as_text, line.cells[width:])))
            problems.append(Problem("", "row_too_long", rest[:_LONGEST_DETAIL]))
        for column in self._columns:
            cell = self._cell(line, column.name)
            text = raw[column.name] = as_text(cell)
            try:
                values[column.name] = self._value(column, cell, line.odd.get(self._places[column.name]))
            except CellError as error:
                values[column.name] = None
                problems.append(Problem(column.name, error.code, text[:_LONGEST_DETAIL]))
        return Row(line.number, values, problems, raw)

    def _value(self, column: Column, cell: Raw, odd: Literal["formula", "merged"] | None) -> Value:
        if odd == "formula":
            raise CellError("formula")
        text = as_text(cell)
        if not text:
            if column.required:
                raise CellError("missing")
            return None
        if len(text) > self._limits.cell_length:
            raise CellError("cell_too_long")
        style = self._styles[column.name]
        if column.type == "money":
            if odd == "merged":
                raise CellError("merged")
            return read_money(cell, style)
        if column.type == "account":
            return read_account(cell)
        if column.type == "date":
            return read_date(cell, style)
        return read_integer(cell) if column.type == "integer" else read_text(cell)
