"""Whether somebody sits at a desk, and when next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

DAYS_AHEAD: Final = 7


@dataclass(frozen=True, slots=True)
class Span:
    """A weekday (0 is Monday) and two times of the club's clock; the second is not in it."""

    weekday: int
    opens: time
    closes: time


def is_staffed(spans: Iterable[Span], local: datetime) -> bool:
    """Whether ``local``, an instant in the club's zone, falls into one of ``spans``."""
    at = local.time()
    return any(one.weekday == local.weekday() and one.opens <= at < one.closes for one in spans)


def next_opening(spans: Iterable[Span], local: datetime) -> datetime | None:
    """When the desk opens next after ``local``, in its zone; None for one that never does."""
    spans = list(spans)
    for ahead in range(DAYS_AHEAD + 1):
        day = local + timedelta(days=ahead)
        times = sorted(one.opens for one in spans if one.weekday == day.weekday())
        for opens in times:
            moment = day.replace(hour=opens.hour, minute=opens.minute, second=opens.second, microsecond=0)
            if moment > local:
                return moment
    return None
