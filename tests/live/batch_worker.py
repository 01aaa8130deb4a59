"""What the scheduler and the workers do with batches, in a process of its own that may be killed.

Leases run out after a second, so that a test need not wait for those of the dead; ``BATCH_CHUNK`` items are
written at once, so that there are many points to be killed at.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from bcc.core import clock  # noqa: E402 - the apps come first
from documents.services.batches import checking, leases, publishing, reading  # noqa: E402
from documents.services.batches.work import sweep_batches  # noqa: E402


def main() -> None:
    vars(leases).update(LEASE=timedelta(seconds=1), RENEW_AFTER=timedelta(seconds=0.2))
    for module in (reading, checking, publishing):
        vars(module)["CHUNK"] = int(os.environ["BATCH_CHUNK"])
    while True:
        sweep_batches(tick=clock.now)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
