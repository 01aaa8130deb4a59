"""Deleting what is long over, in small batches so that nobody waits for the lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import Q

from accounts.models import Device, Grant, OneTimePassword, RefreshTokenUse, Session
from bcc.core import transactions

BATCH: Final = 500
CODES_KEPT: Final = timedelta(days=1)
# Long enough to look into a complaint of a copied token.
SESSIONS_KEPT: Final = timedelta(days=30)


def purge_expired(*, now: datetime) -> int:
    """Delete codes, sessions with their spent tokens, and devices that never answered a code.

    A live session keeps its spent tokens only as long as one could still be sent again. Returns how
    many rows went.
    """
    codes, sessions = now - CODES_KEPT, now - SESSIONS_KEPT
    over = Session.objects.filter(Q(ended_at__lt=sessions) | Q(expires_at__lt=sessions))
    return (
        delete_in_batches(OneTimePassword.objects.filter(expires_at__lt=codes))
        + delete_in_batches(Grant.objects.filter(expires_at__lt=codes))
        + delete_in_batches(RefreshTokenUse.objects.filter(used_at__lt=sessions))
        + delete_in_batches(over)
        + delete_in_batches(
            Device.objects.filter(trusted_at__isnull=True, last_seen_at__lt=codes, sessions=None)
        )
    )


def delete_in_batches(rows: models.QuerySet[models.Model]) -> int:
    deleted = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        deleted += _delete_batch(rows.model, batch)
    return deleted


@transactions.writes
def _delete_batch(model: type[models.Model], batch: list[int]) -> int:
    return model._base_manager.filter(pk__in=batch).delete()[0]
