"""Dues and assessments: what is asked of a household, and by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from documents.models import Assessment, BatchKind, ImportBatch, ImportItem
from documents.parsers.names import account_key
from documents.parsers.tables import Column
from documents.services.batches import telling
from documents.services.batches.kinds.account_rows import AccountRowHandler
from documents.services.batches.kinds.tables import ACCOUNT_TITLES
from documents.services.batches.values import date_in, money_in


class Assessments(AccountRowHandler):
    kind = BatchKind.ASSESSMENTS
    expects = gettext_lazy("CSV or XLSX with account, description, amount and due date.")
    columns = (
        Column("account_no", ACCOUNT_TITLES, "account"),
        Column("number", ("code", "assessment code", "assessment no", "reference"), required=False),
        Column("description", ("description", "assessment", "particulars", "dues")),
        Column("amount", ("amount", "amount due", "assessed amount"), "money"),
        Column("due_on", ("due date", "due on", "pay by"), "date", required=False),
    )
    amount = "amount"
    model = Assessment
    shown = ("description", "amount", "due_on")

    def number_of(self, values: Mapping[str, Any]) -> str:
        """Its code, else its description: one of a name for each account and month."""
        return str(values.get("number") or "").strip() or account_key(str(values.get("description") or ""))

    def fields(self, item: ImportItem) -> dict[str, Any]:
        return {
            "description": str(item.values.get("description") or "")[:200],
            "amount": money_in(item.values, "amount"),
            "due_on": date_in(item.values, "due_on"),
        }

    def tell(self, batch: ImportBatch, items: Sequence[ImportItem], *, now: datetime) -> int:
        return telling.tell_of_assessments(batch.period, items, now=now)
