"""When a pooled connection of PostgreSQL is asked whether it lives, on a real server."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from bcc.core.postgres import base
from bcc.settings import engines
from tests.live.engines import postgres_url


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were asked."""
    seen: list[Any] = []
    stock = ConnectionPool.check_connection

    def check_connection(connection: Any) -> None:
        seen.append(connection)
        stock(connection)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(check_connection))
    return seen


@pytest.fixture
def database(asked: list[Any], django_db_blocker: Any) -> Iterator[base.DatabaseWrapper]:
    """A wrapper as the settings make it, with a pool of its own."""
    settings = engines.database(postgres_url())
    assert settings["ENGINE"] == "bcc.core.postgres"
    settings["OPTIONS"]["pool"]["max_size"] = 1
    defaults = {"TIME_ZONE": None, "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False, "HOST": "", "PORT": ""}
    wrapper = base.DatabaseWrapper({**defaults, **settings, "TEST": {}}, alias="tried")
    with django_db_blocker.unblock():
        yield wrapper
    wrapper.close()
    wrapper.close_pool()


def use(database: base.DatabaseWrapper) -> int:
    """One request's use of the database: its session's process there."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    database.close()
    return int(pid)


class TestCheck:
    def test_asks_nothing_of_a_connection_that_was_used_a_moment_ago(
        self, database: base.DatabaseWrapper, asked: list[Any]
    ) -> None:
        first = use(database)
        asked.clear()
        assert [use(database) for _time in range(5)] == [first] * 5
        assert asked == []

    def test_asks_one_that_lay_idle(
        self, database: base.DatabaseWrapper, asked: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = use(database)
        asked.clear()
        monkeypatch.setattr(base, "ASKED_AFTER_SECONDS", 0.0)
        assert use(database) == first
        assert len(asked) == 1

    def test_gives_nobody_a_session_that_the_server_has_ended(
        self, database: base.DatabaseWrapper, asked: list[Any]
    ) -> None:
        first = use(database)
        raw = database.pool._pool[0]
        with psycopg.connect(postgres_url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [first])
        assert select.select([raw.pgconn.socket], [], [], 10)[0], "the server said nothing"
        asked.clear()
        assert use(database) != first
        assert asked[0] is raw  # and then the one that took its place

    def test_is_the_pools(self, database: base.DatabaseWrapper) -> None:
        use(database)
        assert database.pool._check is base.check


class TestCheckOfADeadConnection:
    def test_is_raised_to_the_pool(self) -> None:
        connection = psycopg.connect(postgres_url(), autocommit=True)
        connection.close()
        with pytest.raises(psycopg.OperationalError):
            base.check(connection)
