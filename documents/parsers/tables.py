"""Tables as Finance sends them, CSV or XLSX: found, put into their columns, and each cell judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

ColumnType = Literal["text", "account", "money", "date", "integer"]
Value = str | Decimal | date | int | None


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
    date_order: Literal["", "dmy", "mdy"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLimits:
    """``file_bytes`` as sent, ``unpacked_bytes`` of an XLSX; ``cells`` of one sheet, empty ones too."""

    file_bytes: int = 32 * 1024**2
    unpacked_bytes: int = 256 * 1024**2
    rows: int = 50_000
    columns: int = 100
    cells: int = 2_000_000
    cell_length: int = 1_000
    seconds: float = 30.0


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

    ``rows`` can be gone through once, and must be to the end or closed. ``skipped``, ``notes`` and
    ``totals`` (the file's own last sums, by column) are complete only then.
    """

    format: Literal["csv", "xlsx"]
    sheet: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: Iterator[Row]
    notes: list[Note] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)


def read_rows(path: Path, columns: Sequence[Column], limits: TableLimits = TableLimits()) -> TableRead:
    """Find the headings, settle which column is which, and give the rows one by one.

    Raises Refusal with one of ``codes.TABLE_REFUSALS``, before the first row.
    """
    raise NotImplementedError
