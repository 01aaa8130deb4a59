"""The kinds that come as CSV or XLSX: rows into items, by the columns that each kind declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from documents.models import ImportItem
from documents.parsers.tables import Column, Row, read_rows
from documents.services.batches.kinds.base import Draft, Handler, Source
from documents.services.batches.values import as_text, row_hash

# The number of the item in the batch, which the error file carries, so that a corrected row finds its own.
ITEM_COLUMN = Column("item", ("item", "item no"), "integer", required=False)
ACCOUNT_TITLES = (
    "account", "account no", "account number", "acct", "acct no", "acct number", "account code",
    "member account", "membership no", "membership number",
)  # fmt: skip
NUMBER_LENGTH = 60


class TableHandler(Handler):
    """Reads one table. ``columns`` are the kind's mapping; ``amount`` names the one that sums are made of."""

    columns: ClassVar[Sequence[Column]]
    amount: ClassVar[str] = ""

    @property
    def error_columns(self) -> Sequence[str]:  # type: ignore[override]  # worked out from the mapping
        return [column.name for column in self.columns]

    def title_of(self, column: str) -> str:
        return next(one.titles[0] for one in self.columns if one.name == column).capitalize()

    def read(self, source: Source, *, after: ImportItem | None) -> Iterator[Draft]:
        columns = (ITEM_COLUMN, *self.columns) if source.file.is_correction else self.columns
        seen = 0 if after is None else after.row_number
        with read_rows(source.path, columns) as table:
            for row in table.rows:
                if row.number > seen:
                    yield self._draft(source, row)
            for note in table.notes:
                source.notice(note.code, note.detail)

    def _draft(self, source: Source, row: Row) -> Draft:
        values = {name: value for name, value in row.values.items() if name != ITEM_COLUMN.name}
        replaces = row.values.get(ITEM_COLUMN.name)
        problem = None
        if row.problems:
            first = row.problems[0]
            problem = (first.code, self._said(first.column, first.detail))
        key = str(values.get("account_no") or "")
        shown = {name: as_text(value) for name, value in values.items()}
        amount = values.get(self.amount) if self.amount else None
        return Draft(
            row_number=row.number,
            key_read=key[:80],
            method="column" if key else "",
            membership_id=source.accounts.find(key),
            number=self.number_of(values)[:NUMBER_LENGTH],
            amount=amount if isinstance(amount, Decimal) else None,
            values={**shown, "raw": dict(row.raw)},
            sha256=row_hash(shown),
            problem=problem,
            replaces=replaces if isinstance(replaces, int) else 0,
        )

    def number_of(self, values: Mapping[str, Any]) -> str:
        """What tells the rows of one account and month apart; empty where there is one."""
        return ""

    def _said(self, column: str, detail: str) -> str:
        titles = {one.name: one.titles[0] for one in self.columns}
        title = titles.get(column, column)
        return f"{title}: {detail}" if title and detail else title or detail
