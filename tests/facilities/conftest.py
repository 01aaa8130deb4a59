"""What the tests of facilities share beside the cast: browsers of staff, and a count of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import MembershipCategory, RevocationEpoch, User
from tests.factories import CategoryFactory


@pytest.fixture
def enter(db: None, travel: object) -> Callable[[User], Client]:
    """A browser signed in to the admin, at ``now``."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def editor(enter: Callable[[User], Client], make_staff: Callable[[str], User]) -> Client:
    """The group that edits facilities, rules and content."""
    return enter(make_staff("Facilities"))


@pytest.fixture
def senior(db: None) -> MembershipCategory:
    category: MembershipCategory = CategoryFactory.create(code="senior", name="Senior", rank=40)
    return category


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that run inside, without those that open and close transactions.

    And without the look at whether anybody's session ended, which a process takes once a second.
    """
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        frame = sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        if not frame and RevocationEpoch._meta.db_table not in sql:
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen
