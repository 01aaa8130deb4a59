"""The server with its guard taken away: the negative control of the concurrency tests.

On SQLite the guard is the immediate transaction behind ``bcc.core.transactions``. Nothing in the
product switches it off; this harness puts a plain call in its place before the server starts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

from bcc.core import transactions


def run_unguarded(work: Callable[[], Any], *, using: str = "default") -> Any:
    return work()


transactions.run = run_unguarded

import django  # noqa: E402 - the guard goes first

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from reservations.services import booking  # noqa: E402

judge = booking._judge


def judge_slowly(*args: Any, **kwargs: Any) -> Any:
    """A moment between look and write, which the guard makes harmless and its absence does not."""
    judged = judge(*args, **kwargs)
    time.sleep(0.05)
    return judged


booking._judge = judge_slowly

execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])
