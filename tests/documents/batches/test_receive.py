from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError
from documents.models import Asset, BatchEvent, BatchFile, BatchKind, ImportBatch, Period
from documents.policies.batches import BatchState
from documents.services.batches import receive as receive_module
from documents.services.batches.errors import (
    EmptyDeliveryError,
    PeriodClosedError,
    PeriodNeededError,
)
from documents.services.batches.receive import Delivered, Received, receive_batch
from tests.documents.batches.delivery import PERIOD, balance, balances_file, receive, staff

pytestmark = pytest.mark.django_db
BALANCES = BatchKind.BALANCES


class TestReceiveBatch:
    def test_keeps_the_files_and_waits_for_a_worker(self, uploader: Actor, now: datetime) -> None:
        received = receive(BALANCES, balances_file(balance("A-1", 0, 1, 0, 1)), now=now, by=uploader)

        batch = received.batch
        assert received.is_new
        assert (batch.state, batch.uploader_id) == (BatchState.RECEIVED, uploader.user_id)
        assert batch.title == "balances.csv"
        assert [(one.ordinal, one.name, one.is_read) for one in batch.files.all()] == [
            (1, "balances.csv", False)
        ]
        assert [one.to_state for one in batch.events.all()] == ["RECEIVED"]

    def test_takes_the_same_delivery_for_the_same_batch_whatever_its_names_and_order(
        self, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        one, two = balance("A-1", 0, 1, 0, 1), balance("A-2", 0, 1, 0, 1)
        first = receive(
            BALANCES, balances_file(one, name="a.csv"), balances_file(two, name="b.csv"), now=now, by=uploader
        )
        again = receive(
            BALANCES, balances_file(two, name="x.csv"), balances_file(one, name="y.csv"), now=now, by=approver
        )

        assert not again.is_new
        assert again.batch.pk == first.batch.pk
        assert ImportBatch.objects.count() == 1
        assert BatchFile.objects.count() == Asset.objects.count() == 2

    def test_takes_the_same_files_of_another_month_for_another_batch(
        self, uploader: Actor, now: datetime
    ) -> None:
        row = balance("A-1", 0, 1, 0, 1)
        for period in ("2026-04", "2026-05"):
            assert receive(BALANCES, balances_file(row), now=now, by=uploader, period=period).is_new

    def test_has_the_same_bytes_once_in_one_delivery(self, uploader: Actor, now: datetime) -> None:
        row = balance("A-1", 0, 1, 0, 1)
        files = [balances_file(row, name=name) for name in ("a.csv", "b.csv")]
        assert receive(BALANCES, *files, now=now, by=uploader).batch.files.count() == 1

    @pytest.mark.parametrize(
        ("kind", "period", "content", "error"),
        [
            ("balances", "", b"x", PeriodNeededError),
            ("balances", "2026-13", b"x", InvalidError),
            ("nothing", PERIOD, b"x", InvalidError),
            ("balances", PERIOD, b"", EmptyDeliveryError),
        ],
    )
    def test_refuses_what_is_none(
        self, uploader: Actor, now: datetime, kind: str, period: str, content: bytes, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            receive_batch(
                kind=kind,
                period=period,
                files=[Delivered("a.csv", io.BytesIO(content))],
                source="upload",
                by=uploader,
                now=now,
            )
        assert ImportBatch.objects.count() == 0

    def test_refuses_no_file_at_all(self, uploader: Actor, now: datetime) -> None:
        with pytest.raises(EmptyDeliveryError):
            receive(BALANCES, now=now, by=uploader)

    def test_refuses_a_month_that_is_closed(self, uploader: Actor, now: datetime) -> None:
        Period.objects.create(period=PERIOD, closed_at=now)
        with pytest.raises(PeriodClosedError):
            receive(BALANCES, balances_file(balance("A-1", 0, 1, 0, 1)), now=now, by=uploader)

    def test_gives_a_list_without_a_month_none(self, uploader: Actor, now: datetime) -> None:
        received = receive(
            BatchKind.DELINQUENCY, balances_file(balance("A-1", 0, 1, 0, 1)), now=now, by=uploader
        )
        assert received.batch.period == ""

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\finance\\may.csv", "may.csv"),
            ("\x00\n", "?"),
            ("x" * 300, "x" * 200),
        ],
    )
    def test_keeps_of_a_name_what_is_no_path(
        self, uploader: Actor, now: datetime, name: str, kept: str
    ) -> None:
        batch = receive(
            BALANCES, balances_file(balance("A-1", 0, 1, 0, 1), name=name), now=now, by=uploader
        ).batch
        assert batch.files.get().name == kept


@contextmanager
def without_the_index() -> Iterator[None]:
    """Without what makes one batch of two: for the negative control."""
    guarded = ImportBatch._meta.get_field("sha256")
    plain: Any = copy(guarded)
    plain._unique = False
    with connection.schema_editor() as editor:
        editor.alter_field(ImportBatch, guarded, plain)
    try:
        yield
    finally:
        for model in (BatchEvent, BatchFile, ImportBatch):
            model._default_manager.all().delete()
        with connection.schema_editor() as editor:
            editor.alter_field(ImportBatch, plain, guarded)


@pytest.mark.django_db(transaction=True)
@pytest.mark.engine
class TestTwoAtOnce:
    @pytest.fixture
    def deliver_twice(
        self,
        make_staff: Callable[[str], User],
        owner: Member,
        now: datetime,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[[], list[Received]]:
        """Two people deliver the same; both have looked and found nothing before either writes."""
        settings.CELERY_TASK_ALWAYS_EAGER = False
        people = [staff(make_staff("Finance Uploader")) for _one in range(2)]
        both, write = threading.Barrier(2, timeout=20), receive_module._write

        def write_together(*args: Any) -> Received:
            both.wait()
            return write(*args)

        monkeypatch.setattr(receive_module, "_write", write_together)

        def deliver(by: Actor) -> Received:
            try:
                file = balances_file(balance(owner.membership, 0, 1, 0, 1))
                return receive(BALANCES, file, now=now, by=by)
            finally:
                connections.close_all()

        def twice() -> list[Received]:
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(deliver, people))

        return twice

    def test_upload_one_batch(self, deliver_twice: Callable[[], list[Received]]) -> None:
        found = deliver_twice()

        assert sorted(one.is_new for one in found) == [False, True]
        assert len({one.batch.pk for one in found}) == 1
        assert ImportBatch.objects.count() == 1
        assert Asset.objects.count() == BatchFile.objects.count() == 1

    @pytest.mark.soak
    def test_upload_two_without_the_index(self, deliver_twice: Callable[[], list[Received]]) -> None:
        with without_the_index():
            found = deliver_twice()
            assert [one.is_new for one in found] == [True, True]
            assert ImportBatch.objects.count() == 2
