"""The values of an item: as they are kept in JSON, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from documents.parsers.names import account_key


def as_text(value: Any) -> str:
    """A value as it is kept in JSON: amounts with two decimals, dates as 2026-10-05."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def row_hash(shown: Mapping[str, str]) -> str:
    """What a row says, whatever file it stands in and however its account number is spelt there."""
    said = {**shown, "account_no": account_key(shown.get("account_no", ""))}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def money_in(values: Mapping[str, Any], name: str) -> Decimal:
    """An amount of an item's values; nought where it is empty."""
    return Decimal(values.get(name) or "0")


def date_in(values: Mapping[str, Any], name: str) -> date | None:
    text = values.get(name)
    return date.fromisoformat(text) if text else None
