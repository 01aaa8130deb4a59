"""The month that Finance accounts for, as ``2026-10``."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_PERIOD: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
PERIOD_LENGTH: Final = 7


def is_period(text: str) -> bool:
    return _PERIOD.fullmatch(text) is not None


def period_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def first_day(period: str) -> date:
    """Raises ValueError for what is no period."""
    if not is_period(period):
        raise ValueError(f"{period!r} is no period like 2026-10.")
    return date(int(period[:4]), int(period[5:]), 1)


def month_after(period: str) -> str:
    return shifted(period, 1)


def shifted(period: str, months: int) -> str:
    """The period ``months`` later, or earlier if it is negative."""
    first = first_day(period)
    count = first.year * 12 + first.month - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"
