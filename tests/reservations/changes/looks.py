"""What the tests of changes look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounts.models import Notification
from reservations.models import Reservation

MINUTE, HOUR, SECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)


def told(kind: str) -> int:
    return Notification.objects.filter(kind=kind, channel="in_app").count()


def image(reservation: Reservation) -> dict[str, Any]:
    """Everything that a refused change must leave as it was."""
    row = Reservation.objects.get(pk=reservation.pk)
    return {
        **{field.name: getattr(row, field.attname) for field in Reservation._meta.concrete_fields},
        "claims": sorted(row.claims.values_list("space_id", "cell_start", "lane")),
        "people": list(row.participants.order_by("position").values_list("kind", "member_id", "guest_id")),
        "events": row.events.count(),
        "notifications": Notification.objects.count(),
    }
