"""Django's PostgreSQL back end; a connection that was used a moment ago is not asked whether it lives.

The stock one asks each that it takes from the pool, a round trip a request. A server that went away, or
ended the session, has said so on the connection: that is looked at without a round trip. Only one that
lay idle for long, where a firewall between may have forgotten it without a word, is asked.
"""

from __future__ import annotations

import select
import time
from typing import Any, Final

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg.pq import ConnStatus
from psycopg_pool import ConnectionPool

ASKED_AFTER_SECONDS: Final = 5.0

# When a connection came back to the pool, in the seconds of the monotonic clock.
_CAME_BACK: Final = "_bcc_came_back"


def check(connection: Connection[Any]) -> None:
    """What the pool calls before it hands ``connection`` out. Raises an OperationalError for a dead one."""
    idle = time.monotonic() - getattr(connection, _CAME_BACK, float("-inf"))
    if idle > ASKED_AFTER_SECONDS or connection.pgconn.status != ConnStatus.OK or _was_told(connection):
        ConnectionPool.check_connection(connection)


def _was_told(connection: Connection[Any]) -> bool:
    """Whether the server sent something that nobody asked for: its farewell, or the end of the stream."""
    look = select.poll()
    look.register(connection.pgconn.socket, select.POLLIN)
    return bool(look.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def pool(self) -> Any:
        pool = super().pool
        if pool is not None and pool._check == ConnectionPool.check_connection:
            pool._check = check  # Django takes no check of ours among its options
        return pool

    def _close(self) -> Any:
        if self.connection is not None and self.pool:
            setattr(self.connection, _CAME_BACK, time.monotonic())
        return super()._close()  # type: ignore[misc]  # unknown to the stubs
