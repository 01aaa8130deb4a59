"""Celery's doors to the housekeeping of the ground floor."""

from __future__ import annotations

from typing import Final

from celery import shared_task

from bcc.core import clock, transactions
from bcc.core.models import IdempotencyKey
from bcc.core.rest.idempotency import KEPT_FOR

BATCH: Final = 500


@shared_task(name="core.purge_idempotency_keys")
def purge_idempotency_keys() -> int:
    """Delete keys older than 24 hours, a short transaction for each batch. Returns how many."""
    old = IdempotencyKey.objects.filter(created_at__lte=clock.now() - KEPT_FOR)
    purged = 0
    while ids := list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        purged += transactions.run(IdempotencyKey.objects.filter(pk__in=ids).delete)[0]
    return purged
