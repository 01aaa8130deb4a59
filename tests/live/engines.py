"""Databases and Redis for live servers, where ``python -m tests.services`` has named their servers."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis
from psycopg import sql

# Redis has sixteen databases: each worker of the test run takes its share of them in turn.
_numbers = itertools.count()
SHARE = 5


def postgres_url() -> str:
    """The server for the tests. Skips the test where there is none."""
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        pytest.skip("TEST_POSTGRES_URL names no server: run through `python -m tests.services --`.")
    return url


@contextmanager
def scratch_database(template: str | None = None) -> Iterator[str]:
    """An empty database of one's own, or a copy of ``template``; its URL. It is dropped at the end."""
    server, name = postgres_url(), f"bcc_{secrets.token_hex(6)}"
    made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template.rpartition("/")[2]))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(made)
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def scratch_redis() -> Iterator[str]:
    """An empty database of the tests' Redis; its URL. Skips the test where there is none."""
    server = os.environ.get("TEST_REDIS_URL")
    if not server:
        pytest.skip("TEST_REDIS_URL names no server: run through `python -m tests.services --`.")
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 3
    url = f"{server.rpartition('/')[0]}/{1 + worker * SHARE + next(_numbers) % SHARE}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()
