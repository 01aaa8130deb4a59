from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app

from bcc.core import clock, tasks
from bcc.core.models import IdempotencyKey


def make_keys(count: int, age: timedelta) -> None:
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            principal=uuid4(), route="r", key=str(index), body_sha256="", created_at=clock.now() - age
        )
        for index in range(count)
    )


@pytest.mark.django_db
class TestPurgeIdempotencyKeys:
    def test_deletes_those_older_than_a_day_in_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "BATCH", 3)
        make_keys(7, timedelta(hours=24, seconds=1))
        make_keys(2, timedelta(hours=23, minutes=59))
        assert tasks.purge_idempotency_keys() == 7
        assert IdempotencyKey.objects.count() == 2

    def test_does_nothing_to_an_empty_table(self) -> None:
        assert tasks.purge_idempotency_keys() == 0

    def test_is_known_to_the_workers_by_name(self) -> None:
        assert "core.purge_idempotency_keys" in current_app.tasks
