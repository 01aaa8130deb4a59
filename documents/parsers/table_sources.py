"""The rows of a CSV or of an XLSX, as often as asked: numbers and cells, and nothing of what they mean."""

from __future__ import annotations

import codecs
import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

from documents.isolation import Child, ChildFailedError, Limits, Refusal
from documents.parsers.cells import Raw

DELIMITERS: Final = (",", ";", "\t", "|")
_CHUNK: Final = 256 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
# What begins like this is no text, even where every byte of it could be read as some.
_OTHER_FILES: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"MZ",
)
_BINARY: Final = frozenset(range(32)) - set(b"\t\n\r\f\x1a")
_MEGABYTES_OF_CHILD: Final = 320
# A merge over a whole column is a matter of looks.
_TALLEST_MERGED: Final = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its number as the spreadsheet counts, its cells, and by position what is odd about some."""

    number: int
    cells: list[Raw]
    odd: dict[int, Literal["formula", "merged"]] = field(default_factory=dict)


class Source(Protocol):
    """One sheet, or the whole of a CSV."""

    name: str

    def lines(self) -> Iterator[Line]: ...


def is_xlsx(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def refuse_other_files(path: Path, head: bytes) -> None:
    """Raises Refusal for what is neither CSV nor XLSX, as far as the first bytes tell."""
    if head.startswith(_OLE):
        with path.open("rb") as file:
            is_encrypted = _ENCRYPTED in file.read(_CHUNK * 4) or _ENCRYPTED in _tail_of(file)
        raise Refusal("table_encrypted" if is_encrypted else "table_old_format")
    if head.startswith(_OTHER_FILES):
        raise Refusal("not_a_table")


def _tail_of(file: IO[bytes]) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _CHUNK))
    return file.read()


class CsvSource:
    """A CSV in one encoding, with one delimiter. ``is_guessed``: nothing in the file names the encoding."""

    name = ""

    def __init__(self, path: Path, encoding: str, delimiter: str, *, is_guessed: bool = False) -> None:
        self._path, self.encoding, self.delimiter, self.is_guessed = path, encoding, delimiter, is_guessed

    def with_delimiter(self, delimiter: str) -> CsvSource:
        return CsvSource(self._path, self.encoding, delimiter, is_guessed=self.is_guessed)

    def lines(self) -> Iterator[Line]:
        with self._path.open(encoding=self.encoding, newline="") as text:
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            number = 0
            try:
                for number, cells in enumerate(reader, start=1):
                    # Excel's own first line, which says what the delimiter is.
                    if number == 1 and len(cells) <= 2 and cells and cells[0].lower().startswith("sep="):
                        continue
                    yield Line(number, list(cells))
            except csv.Error as error:
                raise Refusal("table_damaged", f"row {number + 1}: {error}") from error

    def told_delimiter(self) -> str:
        """The one of a first line ``sep=;``; else empty."""
        with self._path.open(encoding=self.encoding, newline="") as text:
            first = text.readline(16).strip()
        told = first[4:5] if first.lower().startswith("sep=") else ""
        return told if told in DELIMITERS else ""


def csv_source(path: Path) -> CsvSource:
    """The text in its encoding: what its first bytes say, UTF-8 where all of it is, else Windows-1252."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        return _sound(path, "utf-8-sig", is_guessed=False)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _sound(path, "utf-16", is_guessed=False)
    # Without a mark, every second byte of Western text in UTF-16 is zero.
    zeros = (head[::2].count(0), head[1::2].count(0))
    if max(zeros) * 4 > len(head) and min(zeros) * 10 < max(zeros):
        return _sound(path, "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be", is_guessed=True)
    try:
        return _sound(path, "utf-8", is_guessed=False)
    except Refusal as refusal:
        if refusal.code != "table_encoding":
            raise
    return _sound(path, "cp1252", is_guessed=True)


def _sound(path: Path, encoding: str, *, is_guessed: bool) -> CsvSource:
    try:
        with path.open(encoding=encoding, newline="") as text:
            while chunk := text.read(_CHUNK):
                if not _BINARY.isdisjoint(map(ord, set(chunk))):
                    raise Refusal("not_a_table", "bytes that are in no text")
    except UnicodeError as error:
        raise Refusal("table_encoding", str(error)) from error
    return CsvSource(path, encoding, ",", is_guessed=is_guessed)


class XlsxSource:
    """One sheet as the child wrote it down: a file without a name, gone when it is closed."""

    def __init__(self, name: str, lines: IO[bytes], merged: list[list[int]]) -> None:
        self.name, self._lines = name, lines
        # By row, the ranges that it is in, but for those of one row: they only look broad.
        self._merged: dict[int, list[tuple[int, int, int]]] = {}
        for top, left, bottom, right in merged:
            for row in range(top, min(bottom, top + _TALLEST_MERGED) + 1 if bottom > top else top):
                self._merged.setdefault(row, []).append((top, left, right))

    def lines(self) -> Iterator[Line]:
        self._lines.seek(0)
        held: dict[tuple[int, int], Raw] = {}
        for number, text in enumerate(self._lines, start=1):
            cells, odd = _cells_of(json.loads(text))
            for top, left, _right in self._merged.get(number - 1, ()):
                if left >= len(cells):
                    cells += [None] * (left + 1 - len(cells))
                if number - 1 == top:
                    held[top, left] = cells[left]
                else:
                    cells[left] = held.get((top, left))
                odd.setdefault(left, "merged")
            yield Line(number, cells, odd)


def _cells_of(given: list[Any]) -> tuple[list[Raw], dict[int, Literal["formula", "merged"]]]:
    cells: list[Raw] = []
    odd: dict[int, Literal["formula", "merged"]] = {}
    for place, cell in enumerate(given):
        if isinstance(cell, dict) and "formula" in cell:
            odd[place] = "formula"
            cell = cell["formula"]
        if isinstance(cell, dict):
            cell = (
                date.fromisoformat(cell["date"])
                if "date" in cell
                else datetime.fromisoformat(cell["datetime"])
            )
        cells.append(cell)
    return cells, odd


def xlsx_sources(
    path: Path, stack: ExitStack, *, seconds: float, unpacked_bytes: int, rows: int, columns: int, cells: int
) -> tuple[list[XlsxSource], list[str]]:
    """(the visible sheets, the names of the hidden ones), read in a child; ``stack`` closes their files."""
    limits = Limits(seconds=seconds, megabytes=_MEGABYTES_OF_CHILD, cpu_seconds=int(seconds) + 5)
    with Child("documents.parsers.sheets:read", limits) as child:
        try:
            sheets = child.call(
                path=str(path.resolve()),
                unpacked_bytes=unpacked_bytes,
                rows=rows,
                columns=columns,
                cells=cells,
            )
        except ChildFailedError as error:
            code = "table_too_complex" if error.why in ("time", "memory") else "table_damaged"
            raise Refusal(code, f"{error.why}: {error.detail}") from error
        found = []
        for sheet in sheets:
            if sheet["file"]:
                lines = tempfile.TemporaryFile(prefix="bcc-table-")  # noqa: SIM115 - the stack closes it
                stack.enter_context(lines)
                with (child.folder / sheet["file"]).open("rb") as made:
                    shutil.copyfileobj(made, lines, _CHUNK)
                found.append(XlsxSource(sheet["name"], lines, sheet["merged"]))
    return found, [sheet["name"] for sheet in sheets if not sheet["file"]]
