"""How often, and for how long, the outbox tries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

MAX_ATTEMPTS: Final = 6
# Longer than a sender blocks (EMAIL_TIMEOUT a step), and short enough that what a killed sender held has
# left within two minutes, the sweeper's minute included.
LEASE: Final = timedelta(seconds=45)
_FIRST_DELAY: Final = timedelta(seconds=15)


def next_try(*, attempts: int, now: datetime, valid_until: datetime) -> datetime | None:
    """When to try again after ``attempts`` failures: 15 s, doubled each time; None if never.

    Never at or after ``valid_until``, and not after the last attempt.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    at = now + _FIRST_DELAY * 2 ** (attempts - 1)
    return at if at < valid_until else None
