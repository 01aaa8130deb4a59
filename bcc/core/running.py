"""How compiled statements are run: on the driver itself, and several inserts as one where that is cheaper.

On PostgreSQL the values are bound by the server, so that a connection may keep the plan
(``prepare_threshold``), and rows come in binary form, which the driver reads without Python. Where
somebody listens (``execute_wrapper``, captured queries) everything goes through Django's cursor as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Of one statement, where the engine names no limit of its own.
MOST_PARAMETERS: Final = 32_000


class _Together:
    """Inserts that wait for the end of their block."""

    def __init__(self, using: str) -> None:
        self.using = using
        self._inserts: list[str] = []
        self._params: list[Any] = []

    def add(self, sql: str, params: list[Any]) -> None:
        if len(self._params) + len(params) > MOST_PARAMETERS:
            self.leave()
        self._inserts.append(sql)
        self._params += params

    def leave(self) -> None:
        """Send what waits as one statement: all but the last as a part of the last."""
        if not self._inserts:
            return
        *before, last = self._inserts
        parts = ", ".join(f"part_{number} AS ({insert})" for number, insert in enumerate(before))
        params, self._inserts, self._params = self._params, [], []
        run_sql(connections[self.using], f"WITH {parts} {last}" if parts else last, params, reads=False)


_together: ContextVar[_Together | None] = ContextVar("inserts_together", default=None)


def waiting_for(connection: BaseDatabaseWrapper) -> _Together | None:
    """Where an insert on ``connection`` waits for others; None where it leaves at once."""
    waiting = _together.get()
    if waiting is None or waiting.using != connection.alias or connection.vendor != "postgresql":
        return None
    return waiting


@contextmanager
def inserts_together(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let the ``many`` of this block leave as one statement at its end, where the engine takes that.

    On PostgreSQL a round trip and its parsing are most of what a small insert costs. Elsewhere each
    leaves at once. No row of the block is there before its end, and an error of one, such as an
    IntegrityError, may come from the end. A block that raises sends nothing.
    """
    waiting = _Together(using)
    token = _together.set(waiting)
    try:
        yield
    finally:
        _together.reset(token)
    waiting.leave()


def table_of(error: DatabaseError) -> str:
    """The table whose constraint an error names, empty where the driver does not say."""
    return getattr(getattr(error.__cause__, "diag", None), "table_name", None) or ""


def run_sql(connection: BaseDatabaseWrapper, sql: str, params: Iterable[Any], *, reads: bool) -> Any:
    """Run one compiled statement: its rows where it ``reads``, else the number of rows it met."""
    if connection.queries_logged or connection.execute_wrappers or connection.vendor == "microsoft":
        with connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            return cursor.fetchall() if reads else cursor.rowcount
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        raw: Any = connection.connection
        if connection.vendor == "postgresql":
            database: Any = connection
            bound = database.Database.RawCursor(raw).execute(_numbered(sql), list(params), binary=True)
        else:
            bound = raw.execute(_question_marks(sql), tuple(params))
        return bound.fetchall() if reads else bound.rowcount


@lru_cache(maxsize=1_024)
def _numbered(sql: str) -> str:
    """PostgreSQL's own place holders: the driver would put them in at each use of a long statement."""
    first, *rest = sql.split("%s")
    return "".join([first, *(f"${number}{part}" for number, part in enumerate(rest, start=1))]).replace(
        "%%", "%"
    )


_marked: dict[str, str] = {}


def _question_marks(sql: str) -> str:
    """SQLite's own place holders. The compiled SQL holds no other %s."""
    found = _marked.get(sql)
    if found is None:
        found = _marked[sql] = sql.replace("%s", "?").replace("%%", "%")
    return found
