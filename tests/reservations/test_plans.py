"""What is due is found by an index on each engine, however much is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Notification
from reservations.models import Reservation
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

QUESTIONS: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "holds": Reservation.objects.due_to_expire,
    "notices": Notification.objects.due,
}


class TestPlans:
    @pytest.mark.parametrize("what", QUESTIONS)
    def test_seek_what_is_due(self, what: str) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Over no rows at all it would read the table; what is asked is whether it may do otherwise.
                cursor.execute("SET LOCAL enable_seqscan = off")
        plan = QUESTIONS[what](NOW).explain()
        assert "SCAN " not in plan  # the word of SQLite
        assert "Seq Scan" not in plan
        assert "index" in plan.lower()
