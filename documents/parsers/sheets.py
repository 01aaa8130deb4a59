"""In a child: an XLSX, weighed before it is parsed, and its sheets as lines of JSON.

What makes a workbook dangerous is looked for in its XML first, by expat, which stops at the first document
type and counts cells without keeping them. Only then calamine parses it, which lays a sheet out whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import python_calamine

from documents.isolation.errors import Refusal
from documents.parsers.archives import ArchiveLimits, ArchiveMember, members

_CHUNK: Final = 256 * 1024
_MOST_SHEETS: Final = 12
_CELL: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_BINARY: Final = (".bin", ".emf", ".gif", ".jpeg", ".jpg", ".png", ".wmf")
_SHEETS: Final = "xl/worksheets/"
_MOST_MERGED: Final = 20_000
# Rows of titles and empty ones between; the limit of rows is for data.
_MORE_ROWS: Final = 1_000


def read(*, path: str, unpacked_bytes: int, rows: int, columns: int, cells: int) -> list[dict[str, Any]]:
    """Of each sheet ``name``, ``file`` and ``merged``; the file is empty for a hidden one.

    A file of lines in the working folder has a row to a line, from the first on: a list of cells, with
    ``{"date": …}``, ``{"datetime": …}`` and ``{"formula": the value that was kept}`` for what JSON has no
    word for. ``merged`` are (row, column, row, column) from 0, both corners in it.
    """
    weighed = _Weighed(_Bounds(rows + _MORE_ROWS, columns, cells))
    weighed.weigh(path, unpacked_bytes)
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            return list(_sheets(book, weighed))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Refusal("table_damaged", f"{type(error).__name__}: {error}") from error


class _Bounds:
    def __init__(self, rows: int, columns: int, cells: int) -> None:
        self.rows, self.columns, self.cells = rows, columns, cells


class _Weighed:
    """What the XML of a workbook says, without keeping it."""

    def __init__(self, bounds: _Bounds) -> None:
        self._bounds = bounds
        self._formulas: dict[str, dict[int, set[int]]] = {}
        self._ids: dict[str, str] = {}
        self._targets: dict[str, str] = {}

    def formulas_of(self, sheet: str) -> dict[int, set[int]]:
        """The columns of formulas by row, both from 0."""
        part = self._targets.get(self._ids.get(sheet, ""), "")
        if part not in self._formulas:
            raise Refusal("table_damaged", f"the sheet {sheet} is not where one is kept")
        return self._formulas[part]

    def weigh(self, path: str, unpacked_bytes: int) -> None:
        """Raises Refusal for what must not be parsed."""
        limits = ArchiveLimits(
            entries=500, total_bytes=unpacked_bytes, member_bytes=unpacked_bytes, ratio=400, name_length=250
        )
        names: set[str] = set()
        try:
            for part in members(Path(path), limits):
                names.add(part.name.lower())
                if not part.name.lower().endswith(_BINARY) and part.refusal != "member_empty":
                    self._weigh_part(part)
        except Refusal as refusal:
            raise _as_table(refusal) from refusal
        if any(name.endswith("vbaproject.bin") for name in names):
            raise Refusal("table_macros")
        if "xl/workbook.bin" in names or "content.xml" in names:
            raise Refusal("table_old_format", "no XLSX")
        if "xl/workbook.xml" not in names:
            raise Refusal("not_a_table", "a ZIP without a workbook")

    def _weigh_part(self, part: ArchiveMember) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_document_type
        if part.name.startswith(_SHEETS):
            counter = _Counter(self._bounds)
            self._formulas[part.name] = counter.formulas
            parser.StartElementHandler = counter.start
        elif part.name == "xl/workbook.xml":
            parser.StartElementHandler = self._note_sheet
        elif part.name == "xl/_rels/workbook.xml.rels":
            parser.StartElementHandler = self._note_target
        try:
            with part.open() as content:
                while chunk := content.read(_CHUNK):
                    parser.Parse(chunk, False)
                parser.Parse(b"", True)
        except (expat.ExpatError, LookupError) as error:
            raise Refusal("table_damaged", f"{part.name}: {error}") from error

    def _note_sheet(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(":id")]
            self._ids[attributes.get("name", "")] = ids[0] if ids else ""

    def _note_target(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            target = attributes.get("Target", "")
            self._targets[attributes.get("Id", "")] = (
                target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            )


def _as_table(refusal: Refusal) -> Refusal:
    """What is wrong with the ZIP, as a word about the workbook."""
    if refusal.code in ("zip_too_large", "zip_too_many", "member_ratio", "member_too_large"):
        return Refusal("table_too_large", f"{refusal.code}: {refusal.detail}")
    if refusal.code == "zip_encrypted":
        return Refusal("table_encrypted")
    if refusal.code.startswith(("zip_", "member_", "nested_")):
        return Refusal("table_damaged", f"{refusal.code}: {refusal.detail}")
    return refusal


def _refuse_document_type(*_about: Any) -> None:
    raise Refusal("table_entities")


class _Counter:
    """Counts the cells of a sheet that hold something, and notes where formulas are."""

    def __init__(self, bounds: _Bounds) -> None:
        self._bounds = bounds
        self._cells = self._row = self._column = 0
        self.formulas: dict[int, set[int]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._column += 1
            if found := _CELL.fullmatch(attributes.get("r", "")):
                self._column, self._row = _number_of(found[1]), int(found[2])
        elif name == "row":
            given = attributes.get("r", "")
            self._row = int(given) if given.isdecimal() and len(given) < 9 else self._row + 1
            self._column = 0
        elif name in ("v", "is"):
            self._count()
        elif name == "f":
            # A formula that kept no value has no other element in its cell.
            self._count()
            self.formulas.setdefault(self._row - 1, set()).add(self._column - 1)

    def _count(self) -> None:
        self._cells += 1
        bounds = self._bounds
        if self._row > bounds.rows or self._column > bounds.columns or self._cells > bounds.cells:
            raise Refusal("table_too_large", f"row {self._row}, column {self._column}")


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sheets(book: python_calamine.CalamineWorkbook, weighed: _Weighed) -> Iterator[dict[str, Any]]:
    kinds = python_calamine.SheetTypeEnum
    about = [sheet for sheet in book.sheets_metadata if sheet.typ == kinds.WorkSheet]
    if len(about) > _MOST_SHEETS:
        raise Refusal("table_too_large", f"{len(about)} sheets")
    for number, one in enumerate(about):
        if one.visible != python_calamine.SheetVisibleEnum.Visible:
            yield {"name": one.name, "file": "", "merged": []}
            continue
        formulas = weighed.formulas_of(one.name)
        sheet = book.get_sheet_by_name(one.name)
        file = f"{number}.jsonl"
        with Path(file).open("w", encoding="utf-8") as lines:
            # Row by row, not all at once; they begin with the first row, but with the first column in use.
            before = [""] * (sheet.start[1] if sheet.start else 0)
            for at, row in enumerate(sheet.iter_rows()):
                lines.write(json.dumps(_line(before + row, formulas.get(at, set()))) + "\n")
        merged = [[*first, *last] for first, last in sheet.merged_cell_ranges or []]
        if len(merged) > _MOST_MERGED:
            raise Refusal("table_too_large", f"{len(merged)} merged ranges")
        yield {"name": one.name, "file": file, "merged": merged}


def _line(row: list[Any], formulas: set[int]) -> list[Any]:
    cells = [_plain(cell) for cell in row]
    cells += [None] * (max(formulas, default=-1) + 1 - len(cells))
    for column in formulas:
        cells[column] = {"formula": cells[column]}
    return cells


def _plain(cell: Any) -> Any:
    if cell == "":
        return None
    if isinstance(cell, datetime):
        return {"datetime": cell.isoformat()}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    if isinstance(cell, time | timedelta):
        return str(cell)
    return cell
