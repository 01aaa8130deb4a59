"""What reservations listens to. Each receiver is a nudge; a sweeper finds in the rows what it missed."""

from __future__ import annotations

from typing import Any

from accounts.models import Standing
from accounts.signals import standing_changed
from bcc.core.enqueue import enqueue


def connect() -> None:
    """Listen to the apps below. Called once, when the apps are ready."""
    standing_changed.connect(nudge_standings, dispatch_uid="reservations.standing")


def nudge_standings(*, membership_id: int, standing: str, **_: Any) -> None:
    """Look at the household's bookings at once instead of within a minute."""
    if standing != Standing.GOOD:
        enqueue("reservations.apply_standings", membership=membership_id)
