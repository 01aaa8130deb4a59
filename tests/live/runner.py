"""Expire what is due at the instants that come by the standard input, in a process of its own.

The expiring side of the races: what beat's task does, at the instant that the test wants. A line holds
the second of the clock to begin at and the time to go by, which may be ahead of it, as the clocks of two
machines are.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from reservations.models import Reservation  # noqa: E402 - the apps come first
from reservations.services import expire_due  # noqa: E402


def main() -> None:
    Reservation.objects.exists()  # the connection is open before the race is
    print("ready", flush=True)
    for line in sys.stdin:
        at, now = (float(word) for word in line.split())
        time.sleep(max(0.0, at - time.time()))
        began = time.time()
        expired = expire_due(now=datetime.fromtimestamp(now, UTC))
        print(json.dumps({"expired": expired, "began": began, "ended": time.time()}), flush=True)


main()
