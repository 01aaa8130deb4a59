"""The error file of a batch: what waits, as it came, with the reason; corrected, it goes back in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from documents.models import ImportBatch, ImportItem
from documents.policies.reasons import sentence

Cell = str | int | Decimal


def error_rows(batch: ImportBatch, columns: list[str]) -> Iterator[list[Cell]]:
    """A row for each item that waits: its number, its cells, why it waits, what was found.

    ``columns`` are names of a mapping; none for documents, whose place in the files is given instead.
    """
    rows = ImportItem.objects.waiting().filter(batch=batch).select_related("file", "membership")
    for item in rows.order_by("ordinal").iterator(chunk_size=500):
        raw = item.values.get("raw") or {}
        if columns:
            cells: list[Cell] = [
                _number_if_one(str(raw.get(name, item.values.get(name, "")))) for name in columns
            ]
        else:
            pages = f"{item.first_page}–{item.last_page}" if item.last_page else ""
            cells = [item.file.name, item.source_name, pages, item.key_read]
        yield [item.ordinal, *cells, f"{sentence(item.reason)}", item.detail]


def _number_if_one(text: str) -> Cell:
    """A plain amount as a number: a spreadsheet shows it as one, and a minus makes no formula of it."""
    try:
        found = Decimal(text.replace(",", "")) if text[:1] == "-" else None
    except InvalidOperation:
        return text
    return text if found is None or not found.is_finite() else found
