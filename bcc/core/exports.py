"""Tables that somebody opens with a spreadsheet. Every CSV and XLSX of the project is written here.

A text from outside must not become a formula on the machine of whoever opens the file; so no other
module writes cells.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.functional import Promise
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from bcc.core.clock import zone
from bcc.core.downloads import content_disposition

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Spreadsheets know the letters of a CSV by it.
BOM: Final = "\ufeff"
# Of a cell's first character, as OWASP lists them; the full-width forms are read as the plain ones.
_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")
# A number that stands as a text: a formula needs more than a sign and digits, and an error file goes back in.
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(\.\d+)?", re.ASCII)
# XML 1.0 has no place for these, and openpyxl raises.
_NOT_IN_XML: Final = {code: None for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)}

Cell = str | int | float | Decimal | date | datetime | bool | Promise | None


def safe_cell(value: Cell) -> str | int | float | Decimal | date | datetime | bool | None:
    """``value``, with an apostrophe before a text that a spreadsheet would take for a formula.

    Spaces before the sign do not help it. Numbers (also those written as text), dates and empty cells stay
    what they are, so a sum below zero still adds up; instants become the club's wall time.
    """
    if isinstance(value, datetime):
        return value.astimezone(zone()).replace(tzinfo=None, microsecond=0)
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    text = str(value)
    begins = text.lstrip(" \u00a0\u3000\ufeff")[:1]
    return f"'{text}" if begins in _FORMULA and not _NUMBER.fullmatch(text) else text


def csv_lines(heading: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A CSV, line by line; the first begins with the mark that tells spreadsheets its letters."""
    line = io.StringIO()
    writer = csv.writer(line)
    line.write(BOM)
    writer.writerow([safe_cell(cell) for cell in heading])
    yield _taken(line)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield _taken(line)


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def csv_bytes(heading: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> bytes:
    return "".join(csv_lines(heading, rows)).encode()


def xlsx_bytes(title: str, heading: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet. Rows go to the disk as they come, and back as the finished file."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_title(title))
    sheet.freeze_panes = "A2"
    bold = []
    for cell in heading:
        made = WriteOnlyCell(sheet, value=_for_xlsx(cell))
        made.font = Font(bold=True)
        bold.append(made)
    sheet.append(bold)
    for row in rows:
        sheet.append([_for_xlsx(cell) for cell in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        return file.read()


def _for_xlsx(value: Cell) -> object:
    safe = safe_cell(value)
    return safe.translate(_NOT_IN_XML) if isinstance(safe, str) else safe


def _sheet_title(title: str) -> str:
    """Excel takes 31 characters and none of these."""
    return "".join("_" if one in "[]:*?/\\" else one for one in title)[:31].strip("'") or "Sheet"


def csv_response(name: str, heading: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """A CSV to be saved under ``name``, sent as its rows come."""
    return StreamingHttpResponse(
        (line.encode() for line in csv_lines(heading, rows)), content_type=CSV, headers=_headers(name)
    )


def xlsx_response(name: str, heading: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """A workbook to be saved under ``name``."""
    title = name.rpartition(".")[0] or name
    return HttpResponse(xlsx_bytes(title, heading, rows), content_type=XLSX, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(name),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
