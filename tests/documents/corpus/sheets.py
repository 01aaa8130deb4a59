"""Tables as CSV and XLSX, each with errors of its own, and what is expected of every row."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from tests.documents.corpus.people import PERIOD, Account

Cells = Sequence[Any]


class Sheet:
    """Rows as they are written, and beside them what is expected."""

    def __init__(self) -> None:
        self.rows: list[Cells] = []
        self.items: list[dict[str, Any]] = []

    def add(
        self, *cells: Any, account: str = "", expect: str = "skipped", why: str = "", **values: str
    ) -> None:
        self.rows.append(cells)
        if any(cell not in (None, "") for cell in cells):
            self.items.append(
                {
                    "row": len(self.rows),
                    "account_no": account,
                    "expect": expect,
                    "why": why,
                    "values": values,
                }
            )

    def manifest(self, kind: str, *, period: str = PERIOD) -> dict[str, Any]:
        return {"kind": kind, "period": period, "items": self.items}

    def csv(self, path: Path, *, encoding: str, delimiter: str = ",") -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(self.rows)
        path.write_bytes(text.getvalue().encode(encoding))


def balances_csv(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """Windows-1252, lines of titles above, thousands separators, brackets for credit, a total below.

    One number is nobody's, one stands twice, one sum is wrong, one amount is a word, one is missing.
    """
    sheet = Sheet()
    sheet.add("Demo Country Club")
    sheet.add("Balances as of October 31, 2026")
    sheet.add()
    sheet.add(
        "Account No.", "Member Name", "Previous Balance", "Charges", "Payments", "Amount Due", "Due Date"
    )
    totals = [Decimal(0)] * 4
    for number, account in enumerate(accounts):
        shown = [account.previous, account.charged, account.payments, account.due]
        cells = [_bracketed(amount) for amount in shown]
        expect, why = "filed", ""
        if number == 3:
            shown[3] += 100
            cells[3], expect, why = _bracketed(shown[3]), "quarantined", "does_not_add_up"
        if number == 5:
            cells[1], shown[1], expect, why = "n. A.?", Decimal(0), "quarantined", "money_unclear"
        if number == 7:
            cells[3], shown[3], expect, why = "", Decimal(0), "quarantined", "missing"
        totals = [total + amount for total, amount in zip(totals, shown, strict=True)]
        values = {"due": str(account.due)} if expect == "filed" else {}
        sheet.add(
            account.account_no, account.name, *cells, "11/30/2026",
            account=account.account_no, expect=expect, why=why, **values,
        )  # fmt: skip
    for account_no, why in (("D-9999", "unknown_account"), (accounts[1].account_no, "twice")):
        sheet.add(
            account_no, "", "0.00", "10.00", "0.00", "10.00", "11/30/2026",
            account=account_no, expect="quarantined", why=why,
        )  # fmt: skip
        totals[1] += 10
        totals[3] += 10
    sheet.add("TOTAL", "", *(f"{total:,.2f}" for total in totals), "", why="total")
    sheet.add("Prepared by: Finance", why="note")
    sheet.csv(path, encoding="cp1252")
    return sheet.manifest("balances")


def balances_xlsx(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """Titles in merged cells, numbers and dates as text here and there, bare serials, sums as formulas.

    One amount due is a formula: what it shows is not used.
    """
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Balances"
    page.append(["Demo Country Club"])
    page.merge_cells("A1:G1")
    page.append([])
    page.append(["Acct No", "Name", "Previous Balance", "Current Charges", "Payments", "Total Due", "Pay by"])
    items = []
    for number, account in enumerate(accounts):
        row = page.max_row + 1
        due: Any = float(account.due)
        expect, why = "filed", ""
        if number == 2:
            due, expect, why = f"=C{row}+D{row}-E{row}", "quarantined", "formula"
        elif number % 4 == 1:
            due = f"PHP {account.due:,.2f}"
        on: Any = (date(2026, 11, 30), "2026-11-30", "Nov 30, 2026", 46356)[number % 4]
        page.append(
            [
                account.account_no,
                account.name,
                float(account.previous),
                float(account.charged),
                float(account.payments),
                due,
                on,
            ]
        )
        items.append(
            {
                "row": row,
                "account_no": account.account_no,
                "expect": expect,
                "why": why,
                "values": {"due": str(account.due), "due_on": "2026-11-30"} if expect == "filed" else {},
            }
        )
    last = page.max_row
    page.append([None, None, *(f"=SUM({letter}4:{letter}{last})" for letter in "CDEF")])
    hidden = book.create_sheet("Workings")
    hidden.sheet_state = "hidden"
    hidden.append(["do not send"])
    book.save(path)
    return {"kind": "balances", "period": PERIOD, "items": items}


def entries_csv(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """UTF-8 with its mark; one chit has its amount without quotes, so that its cells are pushed aside."""
    sheet = Sheet()
    sheet.add("Account No.", "Date", "Chit No.", "Description", "Outlet", "Amount")
    for number, account in enumerate(accounts):
        for line, charge in enumerate(account.charges):
            amount: tuple[str, ...] = (f"{charge.amount:,.2f}",)
            expect, why = "filed", ""
            if number == 4 and line == 0:
                amount, expect, why = ("1", "234.50"), "quarantined", "row_too_long"
            values = {"amount": str(charge.amount), "posted_on": charge.on.isoformat()} if not why else {}
            sheet.add(
                account.account_no, f"{charge.on:%m/%d/%Y}", charge.number, "Chit", charge.outlet, *amount,
                account=account.account_no, expect=expect, why=why, **values,
            )  # fmt: skip
    sheet.csv(path, encoding="utf-8-sig")
    return sheet.manifest("entries")


def entries_xlsx(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """The account's number once for all of its lines, in merged cells, and headings printed again."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    header = ["Account No.", "Date", "Chit No.", "Description", "Outlet", "Amount"]
    page.append(header)
    items: list[dict[str, Any]] = []
    for number, account in enumerate(accounts):
        if number % 10 == 9:
            page.append(header)
            items.append({"row": page.max_row, "account_no": "", "expect": "skipped", "why": "header"})
        first = page.max_row + 1
        lines = account.charges[:3]
        for charge in lines:
            shown = account.account_no if page.max_row + 1 == first else None
            page.append([shown, charge.on, charge.number, "Chit", charge.outlet, float(charge.amount)])
            items.append(
                {
                    "row": page.max_row,
                    "account_no": account.account_no,
                    "expect": "filed",
                    "why": "",
                    "values": {"amount": str(charge.amount), "posted_on": charge.on.isoformat()},
                }
            )
        page.merge_cells(start_row=first, end_row=page.max_row, start_column=1, end_column=1)
    book.save(path)
    return {"kind": "entries", "period": PERIOD, "items": items}


def assessments_csv(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """Semicolons and decimal commas; account and description stand under each other's heading."""
    sheet = Sheet()
    sheet.add("Account No.", "Code", "Description", "Amount", "Due Date")
    for number, account in enumerate(accounts):
        amount = Decimal(1500 + number % 3 * 250)
        day = 13 + number % 15
        sheet.add(
            "Capital assessment", "CAP", account.account_no, _european(amount), f"{day}.12.2026",
            account=account.account_no, expect="filed", amount=f"{amount:.2f}", due_on=f"2026-12-{day}",
        )  # fmt: skip
    sheet.csv(path, encoding="utf-8", delimiter=";")
    return sheet.manifest("assessments")


def delinquency_txt(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """UTF-16 with tabs, as a spreadsheet's "Unicode text": every twenty-ninth account."""
    sheet = Sheet()
    sheet.add("Account No.", "Member Name", "Amount Overdue", "Status")
    for account in accounts[::29]:
        sheet.add(
            account.account_no.lower(), account.name, f"{abs(account.due):,.2f}", "Delinquent",
            account=account.account_no, expect="filed",
        )  # fmt: skip
    sheet.csv(path, encoding="utf-16", delimiter="\t")
    return sheet.manifest("delinquency", period="")


def member_master_xlsx(path: Path, accounts: Sequence[Account], dice: random.Random) -> dict[str, Any]:
    """One principal a membership; birthdays before and after 1970, one impossible, numbers as numbers."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(
        ["Account No.", "Member No.", "First Name", "Last Name", "Relation", "Birth Date", "Category"]
    )
    items = []
    for number, account in enumerate(accounts):
        first, _demo, last = account.name.partition(" ")
        born: Any = date(dice.randint(1931, 2001), dice.randint(1, 12), dice.randint(1, 28))
        expect, why = "filed", ""
        if number == 6:
            born, expect, why = "02/30/1980", "quarantined", "date_unclear"
        member: Any = 100_000 + number if number % 2 else f"{account.account_no}-1"
        page.append([account.account_no, member, first, last, "Principal", born, "Regular"])
        items.append(
            {
                "row": page.max_row,
                "account_no": account.account_no,
                "expect": expect,
                "why": why,
                "values": {},
            }
        )
    book.save(path)
    return {"kind": "member_master", "period": "", "items": items}


def _bracketed(amount: Decimal) -> str:
    return f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}"


def _european(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
