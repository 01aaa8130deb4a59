from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from bcc.core import exports
from bcc.core.exports import Cell, safe_cell

FORMULAS = [
    "=1+1",
    "=1",
    "+1+1",
    "-1-1",
    "-A1",
    "+",
    "-",
    "+1|x",
    "@SUM(A1)",
    "-１",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "＝1",
    "\ufeff=1",
]


class TestSafeCell:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_takes_the_sting_out_of_a_formula(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize(
        "text", ["", "Court 1", "a=b", "1-2", "'=1", "Ünïcode", "-1,250.00", "+639171234567"]
    )
    def test_leaves_other_texts_alone(self, text: str) -> None:
        assert safe_cell(text) == text

    @pytest.mark.parametrize("number", [0, -5, 10**12, Decimal("-12.50"), -0.5, date(2026, 6, 1), None])
    def test_leaves_numbers_numbers(self, number: Cell) -> None:
        assert safe_cell(number) == number

    def test_shows_an_instant_as_the_clubs_clock_did(self) -> None:
        instant = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)
        assert safe_cell(instant) == datetime(2026, 6, 2, 0, 30)  # noqa: DTZ001 - wall time, as shown


class TestFiles:
    ROWS: list[list[Cell]] = [
        ["=cmd|'/c calc'!A0", Decimal("-12.50"), -3],
        ['Peña, "x"', Decimal("1250.00"), 4],
    ]
    HEADING = ("@name", "amount", "count")

    def test_a_csv_reads_back_and_holds_no_formula(self) -> None:
        text = exports.csv_bytes(self.HEADING, self.ROWS).decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(text))) == [
            ["'@name", "amount", "count"],
            ["'=cmd|'/c calc'!A0", "-12.50", "-3"],
            ['Peña, "x"', "1250.00", "4"],
        ]

    def test_a_csv_is_made_line_by_line(self) -> None:
        made = exports.csv_lines(["a"], (pytest.fail("read ahead") for _ in range(1)))
        assert next(made) == "\ufeffa\r\n"

    def test_a_workbook_reads_back_and_holds_no_formula(self) -> None:
        body = exports.xlsx_bytes("Open: items/2026", self.HEADING, [*self.ROWS, ["a\x00b\x0bc", None, 0]])
        sheet = load_workbook(io.BytesIO(body)).worksheets[0]
        assert sheet.title == "Open_ items_2026"
        rows = [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows()]
        assert rows[1] == [("'=cmd|'/c calc'!A0", "s"), (-12.5, "n"), (-3, "n")]
        assert rows[3][0] == ("abc", "s")
        assert not [cell for row in rows for cell in row if cell[1] == "f"]

    @pytest.mark.parametrize("name", ["Übersicht.csv", "Übersicht.xlsx"])
    def test_as_downloads_they_are_nobodys_to_keep(self, name: str) -> None:
        make: Any = exports.csv_response if name.endswith("csv") else exports.xlsx_response
        response = make(name, self.HEADING, self.ROWS)
        assert response["Cache-Control"] == "private, no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "filename*=UTF-8''%C3%9Cbersicht" in response["Content-Disposition"]
        assert response.getvalue()
