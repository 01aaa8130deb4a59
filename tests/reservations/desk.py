"""What the tests of the back office share: a browser of staff, and what it was shown and asked."""

from __future__ import annotations

import html
import sqlite3
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection
from django.test import Client

from accounts.models import User


def enter(user: User | None) -> Client:
    """A browser signed in to the admin."""
    assert user is not None
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """The page as text, entities read."""
    return html.unescape(response.content.decode())


def errors_of(response: Any) -> dict[str, Any]:
    """The faults on a form of ours that was shown again."""
    assert response.status_code == 200
    return dict(response.context["form"].errors)


def count_queries(work: Callable[[], Any]) -> int:
    """How many statements ``work`` sends."""
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        work()
    return len(seen)


def locked_database() -> OperationalError:
    """What the driver raises when somebody else holds the database for too long."""
    error, cause = OperationalError("database is locked"), sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    error.__cause__ = cause
    return error
