"""Hand work to Celery by name, after commit.

A nudge, not a promise: what must happen is also found by a sweeper from rows.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from bcc.core import nudges, transactions

log = structlog.get_logger(__name__)


def enqueue(task: str, **arguments: Any) -> None:
    """Send ``task`` to the workers when the present transaction has committed."""

    def send() -> None:
        try:
            current_app.signature(task, kwargs=arguments).apply_async()
        except OperationalError as error:
            # The broker is away. The rows are committed and the task's sweeper finds them.
            log.warning("enqueue_failed", task=task, reason=repr(error))

    transactions.after_commit(lambda: nudges.task(send))
