"""Delete what is older than the club keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bcc.core import transactions
from chat.models import Message, RetentionRule, StaffReading

BATCH: Final = 500
# Who read what is kept for a year, whatever became of the messages.
READINGS_KEPT: Final = timedelta(days=365)


def apply_retention(*, now: datetime) -> int:
    """Delete messages by the rules of their kind, in small batches; how many. Reports keep their snapshots.

    The numbers stay taken, so that nobody who comes back is confused.
    """
    deleted = 0
    for kind, keep_days in RetentionRule.objects.order_by("kind").values_list("kind", "keep_days"):
        until = now - timedelta(days=keep_days)
        while ids := list(
            Message.objects.filter(conversation__kind=kind, created_at__lt=until)
            .order_by("pk")
            .values_list("pk", flat=True)[:BATCH]
        ):
            deleted += _delete(ids)
    transactions.run(lambda: StaffReading.objects.filter(at__lt=now - READINGS_KEPT).delete())
    return deleted


@transactions.writes
def _delete(ids: list[int]) -> int:
    Message.objects.filter(pk__in=ids).delete()
    return len(ids)
