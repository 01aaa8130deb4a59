"""Charges, chits and payments: the lines of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy

from documents.models import AccountEntry, BatchKind, EntryKind, ImportItem
from documents.parsers.tables import Column
from documents.services.batches.kinds.account_rows import AccountRowHandler
from documents.services.batches.kinds.tables import ACCOUNT_TITLES
from documents.services.batches.values import as_text, date_in, money_in, row_hash

# What Finance calls them; what is none of these is told by its sign.
_KINDS: Final[Mapping[str, EntryKind]] = {
    "charge": EntryKind.CHARGE,
    "chit": EntryKind.CHARGE,
    "debit": EntryKind.CHARGE,
    "dr": EntryKind.CHARGE,
    "payment": EntryKind.PAYMENT,
    "credit": EntryKind.PAYMENT,
    "cr": EntryKind.PAYMENT,
    "adjustment": EntryKind.ADJUSTMENT,
    "adj": EntryKind.ADJUSTMENT,
}


class Entries(AccountRowHandler):
    kind = BatchKind.ENTRIES
    expects = gettext_lazy(
        "CSV or XLSX with account, date, description and amount; best with the chit's number."
    )
    columns = (
        Column("account_no", ACCOUNT_TITLES, "account"),
        Column("posted_on", ("date", "posting date", "posted on", "transaction date", "trans date"), "date"),
        Column(
            "number",
            ("chit no", "chit number", "chit", "reference", "reference no", "ref no", "document no", "or no"),
            required=False,
        ),
        Column("description", ("description", "particulars", "details", "item description")),
        Column("outlet", ("outlet", "where", "department", "location"), required=False),
        Column("kind", ("type", "kind", "transaction type"), required=False),
        Column("amount", ("amount", "total", "amount due", "net amount"), "money"),
    )
    amount = "amount"
    model = AccountEntry
    shown = ("posted_on", "description", "outlet", "kind", "amount")

    def number_of(self, values: Mapping[str, Any]) -> str:
        """The chit's own, else made of what the line says, so that the same line again is the same."""
        given = str(values.get("number") or "").strip()
        if given:
            return given
        shown = {name: as_text(value) for name, value in values.items()}
        return f"{as_text(values.get('posted_on'))}-{row_hash(shown)[:12]}"

    def fields(self, item: ImportItem) -> dict[str, Any]:
        amount = money_in(item.values, "amount")
        said = str(item.values.get("kind") or "").strip().lower().rstrip("s.")
        kind = _KINDS.get(said, EntryKind.CHARGE if amount >= 0 else EntryKind.PAYMENT)
        # Positive is what the member owes, however Finance signs a payment.
        if kind == EntryKind.PAYMENT:
            amount = -abs(amount)
        return {
            "kind": kind,
            "posted_on": date_in(item.values, "posted_on"),
            "description": str(item.values.get("description") or "")[:200],
            "outlet": str(item.values.get("outlet") or "")[:80],
            "amount": amount,
        }
