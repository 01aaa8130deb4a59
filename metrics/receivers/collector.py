"""Gauges that are worked out when Prometheus asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

import structlog
from django.db import DatabaseError
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bcc.core import clock
from metrics.selectors.gauges import Gauges, read_gauges

log = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 5.0
HELP: Final = {
    "outbox_due": "Messages in the outbox that are due and not sent.",
    "outbox_oldest_seconds": "For how long the oldest of them has been due.",
    "holds_due": "Holds and unconfirmed bookings past their deadline.",
    "jobs_late": "Scheduled jobs that have not begun when they should.",
}


class ClubCollector(Collector):
    """Asks the database at most every KEPT_SECONDS, however many ask. Says nothing while it is away."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._gauges: Gauges | None = None
        self._read_at = float("-inf")

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names alone: the registry asks for them when it is told of this, before any database is."""
        for name, text in HELP.items():
            yield GaugeMetricFamily(f"bcc_{name}", text)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauges = self._current()
        if gauges is not None:
            for name, text in HELP.items():
                yield GaugeMetricFamily(f"bcc_{name}", text, value=getattr(gauges, name))

    def _current(self) -> Gauges | None:
        with self._guard:
            if time.monotonic() - self._read_at >= KEPT_SECONDS:
                try:
                    self._gauges = read_gauges(now=clock.now(), machine_now=timezone.now())
                except DatabaseError:
                    log.warning("gauges_not_read", exc_info=True)
                    self._gauges = None
                self._read_at = time.monotonic()
            return self._gauges
