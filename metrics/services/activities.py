"""Activities are noted in memory and written in batches, off the request.

A thread of each process writes what waits every ``ACTIVITY_FLUSH_SECONDS``, or as soon as a batch is
full, and once more when the process ends. The buffer is each process's own: a task of the queue runs
in a worker, and would find that of no web process. What a killed process had not yet written is lost,
a few seconds of it: activities are for statistics, and nothing rests on them.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils.crypto import salted_hmac

from accounts.models import Member
from bcc.core import transactions
from bcc.core.errors import BusyError
from metrics.models import Activity

log = structlog.get_logger(__name__)

BATCH: Final = 200
# While the database is away no more than this is kept; the newest give way.
KEPT_AT_MOST: Final = 10_000
STOP_SECONDS: Final = 5.0
KEPT_FOR: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _Noted:
    name: Activity.Name
    properties: Mapping[str, Any]
    about_on: date
    at: datetime
    user_id: int | None
    member_id: int | None


class _Buffer:
    """What waits to be written in this process, and the thread that writes it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a forked child, whose parent writes what waited and whose thread is not here."""
        self.guard = threading.Lock()
        self.rows: list[_Noted] = []
        self.lost = 0
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None
        self.is_stopping = False

    def add(self, row: _Noted) -> None:
        with self.guard:
            if len(self.rows) >= KEPT_AT_MOST:
                self.lost += 1
                return
            self.rows.append(row)
            is_full = len(self.rows) >= BATCH
            if self.thread is None and settings.ACTIVITY_FLUSH_SECONDS:
                self.thread = threading.Thread(target=self._write_on, name="activities", daemon=True)
                self.thread.start()
                atexit.register(self.stop)
        if is_full:
            self.wake.set()

    def take(self) -> tuple[list[_Noted], int]:
        """The rows, and how many found no room since the last time."""
        with self.guard:
            rows, self.rows = self.rows, []
            lost, self.lost = self.lost, 0
        return rows, lost

    def put_back(self, rows: list[_Noted]) -> None:
        with self.guard:
            room = max(0, KEPT_AT_MOST - len(self.rows))
            self.lost += len(rows) - len(rows[:room])
            self.rows = rows[:room] + self.rows

    def stop(self) -> None:
        """Write what waits and end the thread, at most STOP_SECONDS from now."""
        thread, self.is_stopping = self.thread, True
        self.wake.set()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _write_on(self) -> None:
        while True:
            self.wake.wait(settings.ACTIVITY_FLUSH_SECONDS)
            self.wake.clear()
            is_last = self.is_stopping
            try:
                flush_activities()
            except Exception:
                # A fault of ours must not end the thread; it is logged with its trace.
                log.exception("activities_not_written")
            finally:
                connections.close_all()
            if is_last:
                return


_buffer = _Buffer()
os.register_at_fork(after_in_child=_buffer.forget)


def record_activity(
    *,
    name: Activity.Name,
    at: datetime,
    about_on: date,
    properties: Mapping[str, Any],
    user_id: int | None = None,
    member_id: int | None = None,
) -> None:
    """Note that something happened; it is written soon, by another thread.

    The person is named by user or by member, or not at all, and only a keyed hash is written.
    ``properties`` are JSON: codes and public ids.
    """
    _buffer.add(_Noted(name, dict(properties), about_on, at, user_id, member_id))


def flush_activities() -> int:
    """Write what waits in this process; how many rows.

    While the database is away or busy they are kept for the next time.
    """
    rows, lost = _buffer.take()
    if lost:
        log.warning("activities_lost", count=lost)
    written = 0
    while batch := rows[written : written + BATCH]:
        try:
            _write(batch)
        except (DatabaseError, BusyError):
            log.warning("activities_wait", count=len(rows) - written, exc_info=True)
            _buffer.put_back(rows[written:])
            break
        written += len(batch)
    return written


def purge_activities(*, now: datetime) -> int:
    """Delete what is older than KEPT_FOR, a short transaction for each batch. Returns how many."""
    old = Activity.objects.filter(at__lte=now - KEPT_FOR)
    purged = 0
    while ids := list(old.order_by("at", "pk").values_list("pk", flat=True)[:BATCH]):
        purged += transactions.run(Activity.objects.filter(pk__in=ids).delete)[0]
    return purged


def actor_hash(user_id: int) -> str:
    """A keyed hash of a user, hexadecimal, 64 characters. Another SECRET_KEY gives other hashes."""
    return salted_hmac("metrics.activity", str(user_id), algorithm="sha256").hexdigest()


def _write(batch: Sequence[_Noted]) -> None:
    members = {row.member_id for row in batch if row.member_id is not None}
    users = dict(Member.objects.filter(pk__in=members).values_list("pk", "user_id")) if members else {}

    def who(row: _Noted) -> str:
        user_id = row.user_id if row.member_id is None else users.get(row.member_id)
        return "" if user_id is None else actor_hash(user_id)

    made = [
        Activity(
            name=row.name, actor_hash=who(row), properties=row.properties, about_on=row.about_on, at=row.at
        )
        for row in batch
    ]
    transactions.run(lambda: Activity.objects.bulk_create(made))
