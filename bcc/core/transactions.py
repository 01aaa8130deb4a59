"""The one door to a transaction that writes.

The outermost call takes the process's writer lock (SQLite only: fifty threads
waiting on SQLite's own lock are ten times slower than fifty behind one lock),
opens ``atomic``, runs, and retries the whole on a deadlock or a busy database.
A call inside another joins it. Reads are not wrapped: on SQLite every atomic
block takes the write lock, a read-only one too.
"""

from __future__ import annotations

import functools
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

import structlog
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    models,
    transaction,
)
from django.db.models import F

from bcc.core.errors import BusyError
from bcc.core.prepared import PreparedUpdate

P = ParamSpec("P")
R = TypeVar("R")

MAX_RETRIES = 3
LOST_RETRY_SECONDS = 2
# SQLSTATE 40001 serialisation failure, 40P01 PostgreSQL's deadlock, 55P03 its lock time-out; 1205, 3960
# and 1222 are SQL Server's deadlock, snapshot conflict and lock time-out. Classes differ by driver, so
# only numbers are looked at.
RETRIED_STATES = frozenset({"40001", "40P01", "55P03"})
RETRIED_NUMBERS = frozenset({1205, 3960, 1222})
# mssql_python says neither SQLSTATE nor number: its own words for 40001, then the server's own, which
# are English where the login's language is.
RETRIED_WORDS = (
    "Driver Error: Serialization failure",
    "has been chosen as the deadlock victim",
    "Snapshot isolation transaction aborted due to update conflict",
    "Lock request time out period exceeded",
)
SQLITE_BUSY, SQLITE_LOCKED = 5, 6
# SQLSTATE class 08 is the connection itself; 57P01, 57P02 and 57P03 are PostgreSQL going down or coming
# up, 53300 its last connection taken.
LOST_STATES = ("08", "57P01", "57P02", "57P03", "53300")

_writer_lock = threading.RLock()
_locks: dict[type[models.Model], PreparedUpdate] = {}
log = structlog.get_logger(__name__)


class _Door(transaction.Atomic):
    """An atomic block that the door opened; a call inside one joins it without a savepoint."""


def writes(service: Callable[P, R]) -> Callable[P, R]:
    """Run ``service`` in one transaction, alone or inside the caller's."""

    @functools.wraps(service)
    def through_the_door(*args: P.args, **kwargs: P.kwargs) -> R:
        return run(lambda: service(*args, **kwargs))

    return through_the_door


def run(work: Callable[[], R], *, using: str = DEFAULT_DB_ALIAS) -> R:
    """Run ``work`` in one transaction; retry it whole at most three times.

    Raises BusyError when the database stays busy or keeps choosing it as a deadlock's victim, and when it
    is lost: whether the commit came through nobody knows then, so that is for the caller's key to find out.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        # Another's block (Django's admin, a test case) goes on after a refusal, so it gets a savepoint:
        # without one the refusal would poison the queries of the page that tells of it.
        ours = any(isinstance(block, _Door) for block in connection.atomic_blocks)
        with _Door(using, savepoint=not ours, durable=False):
            return work()
    for attempt in range(MAX_RETRIES + 1):
        try:
            if connection.vendor != "sqlite":
                with _Door(using, savepoint=True, durable=False):
                    return work()
            with _writer_lock, _Door(using, savepoint=True, durable=False):
                return work()
        except (DatabaseError, InterfaceError) as error:
            if is_lost(error):
                log.warning("database_lost", reason=str(error)[:200])
                raise BusyError(retry_after=LOST_RETRY_SECONDS) from error
            if not is_transient(error):
                raise
            log.warning("transaction_retried", attempt=attempt, reason=str(error)[:200])
            if attempt == MAX_RETRIES:
                raise BusyError(retry_after=1) from error
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def is_transient(error: BaseException) -> bool:
    """Whether the whole transaction may succeed when it is run again."""
    if isinstance(error, IntegrityError):
        return False  # its text quotes values, and "Key (id)=(1205)" is no deadlock
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "sqlite_errorcode", -1) & 0xFF in (SQLITE_BUSY, SQLITE_LOCKED):
            return True
        state = getattr(seen, "sqlstate", None) or getattr(seen, "pgcode", None)
        if state in RETRIED_STATES:
            return True
        for argument in seen.args:
            text = str(argument)
            if text in RETRIED_STATES or any(state in text.split("'") for state in RETRIED_STATES):
                return True
            if any(text == str(number) or f"({number})" in text for number in RETRIED_NUMBERS):
                return True
            if any(words in text for words in RETRIED_WORDS):
                return True
        seen = seen.__cause__
    return False


def is_lost(error: BaseException) -> bool:
    """Whether the connection to the database broke, or could not be had: the next one may work."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    seen: BaseException | None = error
    while seen is not None:
        # psycopg's errors all have a state, and that of a connection that broke is None.
        state = getattr(seen, "sqlstate", "")
        if state is None or str(state).startswith(LOST_STATES):
            return True
        if seen.args and str(seen.args[0]).startswith("08") and len(str(seen.args[0])) == len("08S01"):
            return True  # pyodbc: the state comes first
        seen = seen.__cause__
    return False


def lock_rows(model: type[models.Model], ids: Iterable[int]) -> None:
    """Take the portable lock on rows that have a ``lock_version``, in the order of their ids.

    An UPDATE is a row lock until commit on SQL Server and PostgreSQL; SQLite is serial anyway.
    One statement a row, because ``IN`` promises no order.
    """
    statement = _locks.get(model)
    if statement is None:
        statement = _locks[model] = PreparedUpdate(
            lambda *, pk: (model._base_manager.filter(pk=pk), {"lock_version": F("lock_version") + 1}), pk=int
        )
    for pk in sorted(set(ids)):
        statement.run(pk=pk)


def after_commit(work: Callable[[], None]) -> None:
    """Run ``work`` once the outermost transaction has committed; at once outside of one."""
    transaction.on_commit(work)
