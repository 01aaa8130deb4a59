from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from documents.isolation import Refusal
from documents.parsers.tables import Column, Row, TableLimits, TableRead, read_rows

COLUMNS = (
    Column("account_no", ("Account No.", "Member"), "account"),
    Column("name", ("Name",), required=False),
    Column("amount", ("Amount",), "money"),
    Column("on", ("Date",), "date", required=False),
)


def csv(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "in.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def xlsx(folder: Path, *rows: Sequence[Any], merge: str = "") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    if merge:
        page.merge_cells(merge)
    made = io.BytesIO()
    book.save(made)
    path = folder / "in.xlsx"
    path.write_bytes(made.getvalue())
    return path


def read(path: Path) -> tuple[TableRead, list[Row]]:
    with read_rows(path, COLUMNS) as table:
        return table, list(table.rows)


def problems(row: Row) -> list[tuple[str, str]]:
    return [(problem.column, problem.code) for problem in row.problems]


class TestHeadings:
    @pytest.mark.parametrize("title", ["ACCOUNT NO", "account_no", " Account  No. ", "Account No. (old)"])
    def test_are_found_however_they_are_spelled(self, title: str, tmp_path: Path) -> None:
        table, rows = read(csv(tmp_path, f"{title},Amount", "D-0001,5"))
        assert rows[0].values["account_no"] == "D-0001"
        assert table.columns["account_no"] == title.strip().replace("  ", " ")

    def test_are_found_below_titles_and_in_any_column(self, tmp_path: Path) -> None:
        path = xlsx(
            tmp_path,
            [None, "Balances"],
            [],
            [None, None, "Amount", "Member"],
            [None, None, 12.5, "D-0001"],
        )
        _table, rows = read(path)
        assert [(row.number, row.values["account_no"], row.values["amount"]) for row in rows] == [
            (4, "D-0001", Decimal("12.50"))
        ]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_show_the_delimiter(self, delimiter: str, tmp_path: Path) -> None:
        lines = [
            delimiter.join(cells) for cells in (("Account No.", "Name", "Amount"), ("D-0001", "Alma", "5"))
        ]
        _table, rows = read(csv(tmp_path, *lines))
        assert rows[0].values["amount"] == Decimal(5)

    def test_follow_what_a_spreadsheet_says_of_its_delimiter(self, tmp_path: Path) -> None:
        _table, rows = read(csv(tmp_path, "sep=;", "Account No.;Amount", "D-0001;5"))
        assert rows[0].number == 3

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
    def test_are_read_in_every_encoding_of_finance(self, encoding: str, tmp_path: Path) -> None:
        _table, rows = read(csv(tmp_path, "Account No.,Name,Amount", "D-0001,Peñaflor,5", encoding=encoding))
        assert rows[0].values["name"] == "Peñaflor"

    def test_that_are_missing_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(Refusal) as refused:
            read_rows(csv(tmp_path, "Account No.,Name", "D-0001,Alma"), COLUMNS)
        assert (refused.value.code, refused.value.detail) == ("columns_missing", "Amount")


class TestSwappedColumns:
    def test_are_put_right_by_their_content(self, tmp_path: Path) -> None:
        lines = [f"{number}.50,D-000{number}" for number in range(1, 9)]
        table, rows = read(csv(tmp_path, "Account No.,Amount", *lines))
        assert [row.values["account_no"] for row in rows] == [f"D-000{number}" for number in range(1, 9)]
        assert rows[0].values["amount"] == Decimal("1.50")
        assert [note.code for note in table.notes] == ["columns_swapped"]

    def test_are_refused_with_the_reason_where_no_swap_explains_them(self, tmp_path: Path) -> None:
        lines = [f"D-000{number},Alma,much" for number in range(1, 9)]
        with pytest.raises(Refusal) as refused:
            read_rows(csv(tmp_path, "Account No.,Name,Amount", *lines), COLUMNS)
        assert refused.value.code == "columns_unclear"
        assert refused.value.detail == "Amount: 0 of 8 are amounts"

    def test_a_few_wrong_cells_are_no_swap(self, tmp_path: Path) -> None:
        lines = [*(f"D-000{number},5" for number in range(1, 8)), "D-0008,much", "D-0009,more"]
        _table, rows = read(csv(tmp_path, "Account No.,Amount", *lines))
        assert [problems(row) for row in rows[-2:]] == [[("amount", "money_unclear")]] * 2


class TestRows:
    def test_that_are_pushed_aside_say_so(self, tmp_path: Path) -> None:
        _table, (row,) = read(csv(tmp_path, "Account No.,Amount", "D-0001,1,234.50"))
        assert ("", "row_too_long") in problems(row)

    def test_have_what_is_missing_as_a_problem(self, tmp_path: Path) -> None:
        _table, (first, second) = read(csv(tmp_path, "Account No.,Amount,Date", "D-0001,,", ",5,"))
        assert problems(first) == [("amount", "missing")]
        assert problems(second) == [("account_no", "missing")]
        assert first.values == {"account_no": "D-0001", "amount": None, "on": None, "name": None}

    def test_take_the_order_of_dates_from_their_column(self, tmp_path: Path) -> None:
        _table, rows = read(
            csv(tmp_path, "Account No.,Amount,Date", "D-0001,5,10/05/2026", "D-0002,5,10/25/2026")
        )
        assert rows[0].values["on"] == date(2026, 10, 5)

    def test_have_dates_as_problems_where_nothing_shows_the_order(self, tmp_path: Path) -> None:
        _table, rows = read(csv(tmp_path, "Account No.,Amount,Date", "D-0001,5,10/05/2026"))
        assert problems(rows[0]) == [("on", "date_ambiguous")]

    def test_share_an_account_in_merged_cells_but_no_amount(self, tmp_path: Path) -> None:
        rows: list[list[Any]] = [["Account No.", "Amount"], ["D-0001", 5], [None, 6]]
        _table, found = read(xlsx(tmp_path, *rows, merge="A2:A3"))
        assert [row.values["account_no"] for row in found] == ["D-0001", "D-0001"]
        rows = [["Account No.", "Amount"], ["D-0001", 5], ["D-0002", None]]
        _table, found = read(xlsx(tmp_path, *rows, merge="B2:B3"))
        assert [problems(row) for row in found] == [[("amount", "merged")]] * 2

    def test_of_totals_are_kept_beside_them(self, tmp_path: Path) -> None:
        lines = ["Account No.,Name,Amount", "D-0001,Alma,5", "D-0002,Total Fitness,6", "Grand Total,,11.00"]
        table, rows = read(csv(tmp_path, *lines, "Prepared by: Finance,,"))
        assert [row.values["account_no"] for row in rows] == ["D-0001", "D-0002"]
        assert table.totals == {"amount": Decimal("11.00")}
        assert [one.reason for one in table.skipped] == ["total", "note"]
        assert table.notes == []

    def test_whose_total_is_another_are_noted(self, tmp_path: Path) -> None:
        table, _rows = read(csv(tmp_path, "Account No.,Name,Amount", "D-0001,Alma,5", "Total,,6"))
        assert [note.code for note in table.notes] == ["total_differs"]

    def test_that_name_a_total_beside_an_account_are_rows(self, tmp_path: Path) -> None:
        _table, rows = read(csv(tmp_path, "Name,Account No.,Amount", "Total Fitness,D-0001,5"))
        assert len(rows) == 1

    def test_of_sums_without_a_word_are_no_rows(self, tmp_path: Path) -> None:
        table, rows = read(csv(tmp_path, "Account No.,Name,Amount", "D-0001,Alma,5", "D-0002,B,6", ",,11"))
        assert len(rows) == 2
        assert table.totals == {"amount": Decimal(11)}

    def test_without_an_account_and_with_another_amount_are_rows(self, tmp_path: Path) -> None:
        _table, rows = read(csv(tmp_path, "Account No.,Name,Amount", "D-0001,Alma,5", ",,6"))
        assert problems(rows[1]) == [("account_no", "missing")]

    def test_are_no_more_than_the_limit(self, tmp_path: Path) -> None:
        path = csv(tmp_path, "Account No.,Amount", *["D-0001,5"] * 11)
        with pytest.raises(Refusal) as refused:
            read_rows(path, COLUMNS, TableLimits(rows=10))
        assert refused.value.code == "table_too_large"


class TestSheets:
    def test_two_with_the_headings_are_unclear(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for name in ("One", "Two"):
            page = book.create_sheet(name)
            page.append(["Account No.", "Amount"])
            page.append(["D-0001", 5])
        book.save(tmp_path / "in.xlsx")
        with pytest.raises(Refusal) as refused:
            read_rows(tmp_path / "in.xlsx", COLUMNS)
        assert refused.value.code == "sheets_unclear"
