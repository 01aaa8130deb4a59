"""Columns as a kind of batch declares them, for the corpus."""

from __future__ import annotations

from documents.parsers.tables import Column

_ACCOUNT = Column("account_no", ("Account No.", "Acct No"), "account")
BY_KIND = {
    "balances": (
        _ACCOUNT,
        Column("name", ("Member Name", "Name"), required=False),
        Column("previous", ("Previous Balance",), "money"),
        Column("charges", ("Charges", "Current Charges"), "money"),
        Column("payments", ("Payments",), "money"),
        Column("due", ("Amount Due", "Total Due"), "money"),
        Column("due_on", ("Due Date", "Pay by"), "date", required=False),
    ),
    "entries": (
        _ACCOUNT,
        Column("posted_on", ("Date",), "date"),
        Column("number", ("Chit No.",)),
        Column("description", ("Description",)),
        Column("outlet", ("Outlet",), required=False),
        Column("amount", ("Amount",), "money"),
    ),
    "assessments": (
        _ACCOUNT,
        Column("number", ("Code",), required=False),
        Column("description", ("Description",)),
        Column("amount", ("Amount",), "money"),
        Column("due_on", ("Due Date",), "date", required=False),
    ),
    "delinquency": (
        _ACCOUNT,
        Column("amount", ("Amount Overdue",), "money", required=False),
        Column("standing", ("Status",), required=False),
    ),
    "member_master": (
        _ACCOUNT,
        Column("member_no", ("Member No.",), "account"),
        Column("first_name", ("First Name",)),
        Column("last_name", ("Last Name",)),
        Column("relation", ("Relation",), required=False),
        Column("born", ("Birth Date",), "date", required=False),
        Column("category", ("Category",)),
    ),
}
