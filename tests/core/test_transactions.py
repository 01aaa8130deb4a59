from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import (
    IntegrityError,
    connection,
    connections,
    models,
    transaction,
)
from django.test.utils import CaptureQueriesContext, isolate_apps

from bcc.core import clock, transactions
from bcc.core.errors import BusyError, ConflictError
from bcc.core.models import IdempotencyKey
from tests.core.drivers import busy

pytestmark = pytest.mark.engine

THREADS = 20


def make_row(key: str = "k") -> IdempotencyKey:
    return IdempotencyKey.objects.create(
        principal=uuid4(), route="r", key=key, body_sha256="", created_at=clock.now()
    )


def at_once(work: Callable[[], object]) -> None:
    """Run ``work`` in as many threads as there are, begun together, each on a connection of its own."""
    ready = threading.Barrier(THREADS)

    def thread(_index: int) -> None:
        ready.wait()
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(thread, range(THREADS)))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bcc.core.transactions.time.sleep", lambda _seconds: None)


@pytest.mark.django_db(transaction=True)
class TestRun:
    def test_commits_and_returns_what_the_work_returns(self) -> None:
        assert transactions.run(lambda: make_row().key) == "k"
        assert IdempotencyKey.objects.count() == 1
        assert not connection.in_atomic_block

    def test_rolls_back_a_refusal(self) -> None:
        def work() -> None:
            make_row()
            raise ConflictError

        with pytest.raises(ConflictError):
            transactions.run(work)
        assert IdempotencyKey.objects.count() == 0

    def test_joins_a_call_inside_another_without_a_savepoint(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            transactions.run(lambda: transactions.run(lambda: transactions.run(make_row)))
        statements = [query["sql"].split()[0] for query in queries]
        assert statements.count("BEGIN") == statements.count("COMMIT") == 1
        assert "SAVEPOINT" not in statements

    def test_a_refusal_inside_takes_all_with_it(self) -> None:
        def inner() -> None:
            make_row("inner")
            raise ConflictError

        def outer() -> None:
            make_row("outer")
            transactions.run(inner)

        with pytest.raises(ConflictError):
            transactions.run(outer)
        assert IdempotencyKey.objects.count() == 0

    def test_leaves_anothers_block_usable_after_a_refusal(self) -> None:
        """Django's admin wraps a POST in a block of its own and then shows the refusal on a page."""

        def refused() -> None:
            make_row("refused")
            raise ConflictError

        with transaction.atomic():
            make_row("page")
            with pytest.raises(ConflictError):
                transactions.run(refused)
            assert [row.key for row in IdempotencyKey.objects.all()] == ["page"]
        assert IdempotencyKey.objects.count() == 1

    @pytest.mark.parametrize("failures", [1, 2, 3])
    def test_runs_the_whole_again_when_the_database_is_busy(self, failures: int) -> None:
        calls: list[int] = []

        def work() -> None:
            calls.append(IdempotencyKey.objects.count())
            make_row()
            if len(calls) <= failures:
                raise busy()

        transactions.run(work)
        assert calls == [0] * (failures + 1)
        assert IdempotencyKey.objects.count() == 1

    def test_gives_up_after_three_retries(self) -> None:
        calls: list[None] = []

        def work() -> None:
            calls.append(None)
            raise busy()

        with pytest.raises(BusyError) as caught:
            transactions.run(work)
        assert len(calls) == 4
        assert caught.value.retry_after >= 1

    def test_never_repeats_what_would_fail_again(self) -> None:
        calls: list[None] = []

        def work() -> None:
            calls.append(None)
            raise IntegrityError("UNIQUE constraint failed")

        with pytest.raises(IntegrityError):
            transactions.run(work)
        assert len(calls) == 1

    def test_retries_nothing_inside_of_another(self) -> None:
        calls: list[None] = []

        def inner() -> None:
            calls.append(None)
            if len(calls) == 1:
                raise busy()

        starts: list[None] = []

        def outer() -> None:
            starts.append(None)
            transactions.run(inner)

        transactions.run(outer)
        assert (len(starts), len(calls)) == (2, 2)

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="Elsewhere only lock_rows keeps writers apart.")
    def test_lets_threads_write_one_after_the_other(self) -> None:
        """A read and a write with no lock between them: updates would be lost if two overlapped."""
        row = make_row()

        def add_one() -> None:
            current = IdempotencyKey.objects.get(pk=row.pk)
            IdempotencyKey.objects.filter(pk=row.pk).update(status=current.status + 1)

        at_once(lambda: transactions.run(add_one))
        row.refresh_from_db()
        assert row.status == THREADS


@pytest.mark.django_db(transaction=True)
class TestWrites:
    def test_keeps_name_docstring_arguments_and_result(self) -> None:
        @transactions.writes
        def add_row(*, key: str) -> str:
            """Add a row."""
            assert connection.in_atomic_block
            return make_row(key).key

        assert (add_row.__name__, add_row.__doc__) == ("add_row", "Add a row.")
        assert add_row(key="x") == "x"
        assert not connection.in_atomic_block


@contextmanager
def lockable() -> Iterator[Any]:
    """A table with a ``lock_version``, outside of the project's own."""
    with isolate_apps("bcc.core"):

        class Lockable(models.Model):
            lock_version = models.PositiveBigIntegerField(default=0)
            total = models.PositiveIntegerField(default=0)

            class Meta:
                app_label = "core"

            def __str__(self) -> str:
                return f"{self.pk} at {self.lock_version}"

    with connection.schema_editor() as editor:
        editor.create_model(Lockable)
    try:
        yield Lockable
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Lockable)


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:Model 'core.lockable' was already registered:RuntimeWarning")
class TestLockRows:
    def test_moves_each_row_once_in_the_order_of_their_ids(self) -> None:
        with lockable() as model:
            rows = [model.objects.create() for _ in range(3)]
            ids = [rows[2].pk, rows[0].pk, rows[2].pk]
            with CaptureQueriesContext(connection) as queries:
                transactions.run(lambda: transactions.lock_rows(model, ids))
            updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
            assert [sql.rpartition(" = ")[2] for sql in updates] == [str(rows[0].pk), str(rows[2].pk)]
            assert list(model.objects.order_by("pk").values_list("lock_version", flat=True)) == [1, 0, 1]

    def test_keeps_threads_apart_on_every_engine(self) -> None:
        with lockable() as model:
            pk = model.objects.create().pk

            def add_one() -> None:
                transactions.lock_rows(model, [pk])
                total = model.objects.get(pk=pk).total
                model.objects.filter(pk=pk).update(total=total + 1)

            at_once(lambda: transactions.run(add_one))
            row = model.objects.get(pk=pk)
            assert (row.total, row.lock_version) == (THREADS, THREADS)

    def test_of_nothing_does_nothing(self) -> None:
        with lockable() as model, CaptureQueriesContext(connection) as queries:
            transactions.lock_rows(model, [])
        assert not [query for query in queries if query["sql"].startswith("UPDATE")]


@pytest.mark.django_db(transaction=True)
class TestAfterCommit:
    def test_waits_for_the_outermost_commit(self) -> None:
        seen: list[str] = []

        def inner() -> None:
            transactions.after_commit(lambda: seen.append("told"))
            assert not seen

        def outer() -> None:
            transactions.run(inner)
            assert not seen

        transactions.run(outer)
        assert seen == ["told"]

    def test_says_nothing_of_what_was_rolled_back(self) -> None:
        seen: list[str] = []

        def work() -> None:
            transactions.after_commit(lambda: seen.append("told"))
            raise ConflictError

        with pytest.raises(ConflictError):
            transactions.run(work)
        assert not seen

    def test_tells_once_though_the_work_ran_twice(self) -> None:
        seen: list[str] = []
        calls: list[None] = []

        def work() -> None:
            calls.append(None)
            transactions.after_commit(lambda: seen.append("told"))
            if len(calls) == 1:
                raise busy()

        transactions.run(work)
        assert seen == ["told"]

    def test_happens_at_once_outside_of_a_transaction(self) -> None:
        seen: list[str] = []
        transactions.after_commit(lambda: seen.append("told"))
        assert seen == ["told"]
