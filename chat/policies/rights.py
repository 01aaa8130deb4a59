"""Who may do what in a conversation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

SERVE_DESKS: Final = "chat.serve_desks"
BROADCAST: Final = "chat.broadcast"
MODERATE: Final = "chat.moderate"


def may_read(*, kind: str, is_inside: bool, serves_desks: bool) -> bool:
    """Whoever is in it; desks' staff read at desks, and everyone what the club tells everyone."""
    return is_inside or kind == "broadcast" or (kind == "desk" and serves_desks)


def may_write(*, kind: str, is_inside: bool, serves_desks: bool, may_broadcast: bool) -> bool:
    if kind == "broadcast":
        return may_broadcast
    return is_inside or (kind == "desk" and serves_desks)


def is_in_time(*, created_at: datetime, now: datetime, minutes: int) -> bool:
    """Whether a message of ``created_at`` may still be changed; the last moment itself is in time."""
    return now <= created_at + timedelta(minutes=minutes)
