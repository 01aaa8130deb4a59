"""The server with its guard taken away: the negative control of the concurrency tests.

On SQLite the guard is the immediate transaction behind ``bcc.core.transactions``, elsewhere the locks of
the parents, and both are taken away here; so is the comparison of the version that stands behind them when
a reservation changes. Nothing in the product switches them off; this harness puts something idle in their
place before the server starts, and holds the first bookings between their look and their write until
several stand there, and a confirmation until somebody else has changed what it looked at. With the guard
they could not meet, whatever the machine's load; without it they always do.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

from bcc.core import transactions


def run_unguarded(work: Callable[[], Any], *, using: str = "default") -> Any:
    return work()


if os.environ.get("DATABASE_URL", "").startswith("postgres"):
    transactions.lock_rows = lambda model, ids: None
else:
    transactions.run = run_unguarded

import django  # noqa: E402 - the guard goes first

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from reservations.models import Reservation  # noqa: E402
from reservations.policies.states import State  # noqa: E402
from reservations.services import booking, changes, move  # noqa: E402

# Fewer than the server has threads for HTTP.
TOGETHER = 4
PATIENCE_SECONDS = 20

judge = booking._judge
gate = threading.Barrier(TOGETHER)


def judge_together(*args: Any, **kwargs: Any) -> Any:
    """Hold a booking that may write until others may too; a moment each, once they have met."""
    judged = judge(*args, **kwargs)
    try:
        gate.wait(PATIENCE_SECONDS)
    except threading.BrokenBarrierError:
        time.sleep(0.05)
    else:
        gate.abort()  # they met; the rest of the storm need not wait for company
    return judged


booking._judge = judge_together

look = move.locked


def look_and_wait(reservation: Reservation, rules: Any) -> Reservation:
    """Keep a change that saw a hold between its look and its write until the hold is over."""
    seen = look(reservation, rules)
    held = Reservation.objects.filter(pk=seen.pk, state=State.HELD)
    until = time.monotonic() + PATIENCE_SECONDS
    while seen.state == State.HELD and held.exists() and time.monotonic() < until:
        time.sleep(0.005)
    return seen


def change_whatever_is_there(reservation: Reservation, *, now: Any, values: Any) -> None:
    """``move.change`` without its comparison."""
    reservation.version += 1
    Reservation.objects.filter(pk=reservation.pk).update(version=reservation.version, **values)
    for name, value in values.items():
        setattr(reservation, name, value)


vars(changes)["locked"] = look_and_wait  # under its own name there
move.change = change_whatever_is_there

execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])
