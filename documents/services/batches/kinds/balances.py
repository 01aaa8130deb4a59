"""Balances: one row an account and month, which must add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from documents.models import BatchKind, ImportBatch, ImportItem, Severity, StatementSummary
from documents.parsers.tables import Column
from documents.services.batches import telling
from documents.services.batches.kinds.account_rows import AccountRowHandler
from documents.services.batches.kinds.base import Finding
from documents.services.batches.kinds.tables import ACCOUNT_TITLES
from documents.services.batches.values import date_in, money_in


class Balances(AccountRowHandler):
    kind = BatchKind.BALANCES
    expects = gettext_lazy("CSV or XLSX with account, previous balance, charges, payments and amount due.")
    columns = (
        Column("account_no", ACCOUNT_TITLES, "account"),
        Column("name", ("name", "member name", "member", "account name"), required=False),
        Column(
            "previous",
            ("previous balance", "previous", "opening balance", "beginning balance", "balance forward"),
            "money",
        ),
        Column("charges", ("charges", "current charges", "total charges", "debits", "billings"), "money"),
        Column("payments", ("payments", "total payments", "credits", "payments received"), "money"),
        Column(
            "due",
            ("amount due", "due", "total due", "balance", "ending balance", "closing balance", "new balance"),
            "money",
        ),
        Column("due_on", ("due date", "due on", "payment due", "pay by"), "date", required=False),
    )
    amount = "due"
    model = StatementSummary
    shown = ("previous", "charges", "payments", "due", "due_on")

    def own_findings(self, item: ImportItem) -> list[Finding]:
        previous, charges, payments, due = (money_in(item.values, name) for name in self.shown[:4])
        found = previous + charges - payments
        if found == due:
            return []
        said = _("%(previous)s + %(charges)s − %(payments)s = %(found)s, not %(due)s.") % {
            "previous": previous,
            "charges": charges,
            "payments": payments,
            "found": found,
            "due": due,
        }
        return [Finding(Severity.ERROR, "does_not_add_up", said)]

    def fields(self, item: ImportItem) -> dict[str, Any]:
        sums = {name: money_in(item.values, name) for name in self.shown[:4]}
        return {**sums, "due_on": date_in(item.values, "due_on")}

    def tell(self, batch: ImportBatch, items: Sequence[ImportItem], *, now: datetime) -> int:
        return telling.tell_of_statements(batch.period, items, model=StatementSummary, now=now)
