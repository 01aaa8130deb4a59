"""What Finance's files are expected by, and which have not come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from documents.models import BatchKind, ImportBatch, KindRule
from documents.policies.batches import BatchState
from documents.policies.periods import first_day, month_after, period_of, shifted

_GONE = (BatchState.REJECTED, BatchState.FAILED, BatchState.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Expected:
    """A file of a ``kind`` for ``period`` that was to be here by ``day``."""

    kind: BatchKind
    period: str
    day: date


def expected_day(period: str, day: int) -> date:
    """That day of the month after the period."""
    return first_day(month_after(period)).replace(day=day)


def files_missing(on: date) -> list[Expected]:
    """What was expected before ``on`` for the month before, and has not come, by kind.

    A kind without a month of its own (the delinquency list, the master) is asked of by when it came.
    """
    period = shifted(period_of(on), -1)
    rules = KindRule.objects.filter(expected_day__isnull=False).order_by("kind")
    missing = []
    for rule in rules:
        day = expected_day(period, rule.expected_day or 1)
        if day >= on:
            continue
        came = ImportBatch.objects.filter(kind=rule.kind).exclude(state__in=[str(one) for one in _GONE])
        without_month = came.filter(period="", created_at__date__gte=first_day(month_after(period)))
        if not came.filter(period=period).exists() and not without_month.exists():
            missing.append(Expected(BatchKind(rule.kind), period, day))
    return missing
