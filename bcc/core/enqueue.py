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

    def hand_over() -> None:
        nudges.task(lambda: _send(task, arguments))

    transactions.after_commit(hand_over)


class Gathered:
    """A task for one item, with its twin for several: what commits within a moment is one message."""

    def __init__(self, *, one: tuple[str, str], several: tuple[str, str]) -> None:
        """Each is a task's name with that of its argument, an item or a list of them."""
        self._one, self._several = one, several
        self._gatherer = nudges.Gatherer(self._leave)

    def enqueue(self, item: str) -> None:
        """Have ``item`` done when the present transaction has committed."""
        transactions.after_commit(lambda: self._gatherer.add(item))

    def _leave(self, items: list[str]) -> None:
        if len(items) == 1:
            _send(self._one[0], {self._one[1]: items[0]})
        else:
            _send(self._several[0], {self._several[1]: items})


def _send(task: str, arguments: dict[str, Any]) -> None:
    try:
        current_app.signature(task, kwargs=arguments).apply_async()
    except OperationalError as error:
        # The broker is away. The rows are committed and the task's sweeper finds them.
        log.warning("enqueue_failed", task=task, reason=repr(error))
