"""How large the club of the measurements is, and how long a side is driven."""

from __future__ import annotations

from typing import Final

# Reservations at scale 1.
ROWS: Final = 2_000
# Who asks for availability: a few bookings each, as most members have.
LOOKERS: Final = 14
READERS: Final = 40
# What each reader has coming: a page of twenty, and a next one.
COMING: Final = 24
# Enough that a booker of one round stays far under the week's and the outstanding quota.
BOOKERS: Final = 400
OTHERS: Final = 200
# Slots for the runs: courts × days × sixteen hours; a round takes a new one with each request.
BOOKED_COURTS: Final = 48
DAYS: Final = 56
OLD_COURTS: Final = 40
BATCH: Final = 5_000

CONNECTIONS: Final = 32
WARM_UP_SECONDS: Final = 6
ROUND_SECONDS: Final = 8
ROUNDS: Final = 3
QUICK_WARM_UP_SECONDS: Final = 2
QUICK_ROUND_SECONDS: Final = 3
QUICK_ROUNDS: Final = 1
# Of the scales after the first, where only the change with the rows is looked at.
BRIEF_WARM_UP_SECONDS: Final = 3
BRIEF_ROUND_SECONDS: Final = 5
BRIEF_ROUNDS: Final = 1
