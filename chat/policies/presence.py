"""What somebody's presence is, from stored times alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

State = Literal["online", "idle", "offline"]

# A process says every BEAT that it lives; after ALIVE without a word its sockets are gone.
BEAT: Final = timedelta(seconds=10)
ALIVE: Final = timedelta(seconds=30)
# How long after the last sign of a hand somebody is still there.
ACTIVE: Final = timedelta(minutes=2)


def state_of(*, is_connected: bool, last_active_at: datetime | None, is_shown: bool, now: datetime) -> State:
    """``is_connected``: a socket of theirs in a process that lives. Who hides it looks offline."""
    if not is_connected or not is_shown:
        return "offline"
    if last_active_at is not None and now - last_active_at < ACTIVE:
        return "online"
    return "idle"


def alive_since(now: datetime) -> datetime:
    """Processes seen since then are alive at ``now``."""
    return now - ALIVE
