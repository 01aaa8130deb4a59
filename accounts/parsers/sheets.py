"""Rows of text from a CSV or XLSX file that somebody sent, within limits and whatever it holds."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from datetime import date, datetime
from typing import Any, Final

import python_calamine
from django.utils.translation import gettext as _

MAX_BYTES: Final = 8 * 1024 * 1024
# A sheet of a bomb unpacks to gigabytes; an honest one of 20,000 rows to a few megabytes.
MAX_UNPACKED: Final = 96 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 40
MAX_CELL: Final = 400


class SheetError(Exception):
    """The file cannot be read as a table; its text says what to do."""


def read_table(name: str, data: bytes) -> list[list[str]]:
    """The first sheet of an XLSX file, or a CSV file, as text; trailing empty rows are left out.

    Dates come as ``YYYY-MM-DD``, whole numbers without a point. Raises SheetError.
    """
    if len(data) > MAX_BYTES:
        raise SheetError(_("The file is larger than 8 MB. Split it."))
    is_workbook = name.lower().endswith(".xlsx") or data[:4] == b"PK\x03\x04"
    rows = _xlsx(data) if is_workbook else _csv(data)
    while rows and not any(rows[-1]):
        rows.pop()
    if len(rows) > MAX_ROWS + 1:
        raise SheetError(_("The file has more than 20,000 rows. Split it."))
    if any(len(row) > MAX_COLUMNS for row in rows):
        raise SheetError(_("The file has more than 40 columns. Leave out those that are not needed."))
    if any(len(cell) > MAX_CELL for row in rows for cell in row):
        raise SheetError(_("A cell holds more than 400 characters. Shorten it."))
    return rows


def _xlsx(data: bytes) -> list[list[str]]:
    unreadable = _("The file is no XLSX workbook that can be read. Save it anew, or as CSV.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MAX_UNPACKED or len(packed.infolist()) > 500:
                raise SheetError(_("The workbook unpacks to too much. Save only the sheet that is needed."))
            for one in packed.infolist():
                # The directory may lie about sizes; what is really there counts.
                with packed.open(one) as part:
                    if len(part.read(one.file_size + 1)) > one.file_size:
                        raise SheetError(unreadable)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height > MAX_ROWS + 1000 or sheet.total_width > 200:
            raise SheetError(_("The sheet is larger than 20,000 rows or 40 columns. Split it."))
        return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (
        python_calamine.CalamineError, zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError,
        ValueError, IndexError, EOFError, zlib.error,
    ) as error:  # fmt: skip
        raise SheetError(unreadable) from error


def _csv(data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what a spreadsheet on Windows saves by itself
    if "\0" in text:
        raise SheetError(_("The file is no text. Save it as CSV or XLSX."))
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise SheetError(_("The file is no CSV that can be read. Save it anew, or as XLSX.")) from error


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()
