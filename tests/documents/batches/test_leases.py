"""A worker that dies loses its batch by the clock, and another goes on from where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Member, Notification
from bcc.core.actors import Actor
from documents.models import BatchKind, ImportBatch, ImportItem, StatementSummary
from documents.services.batches import checking, publishing, reading
from documents.services.batches.errors import LeaseLostError
from documents.services.batches.kinds import handler_of
from documents.services.batches.leases import LEASE, take_lease
from documents.services.batches.steps import approve_batch, reject_batch
from documents.services.batches.work import sweep_batches, work_on
from tests.documents.batches.delivery import balance, balances_file, ends, receive
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
COUNT = 7


class KilledError(BaseException):
    """What nothing in the way of a batch catches, as a kill is caught by nothing."""


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def received(uploader: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    for module in (reading, checking, publishing):
        monkeypatch.setattr(module, "CHUNK", 2)
    members = MemberFactory.create_batch(COUNT)
    rows = [balance(one.membership, 0, number, 0, number) for number, one in enumerate(members, 1)]
    return receive(BatchKind.BALANCES, balances_file(*rows), now=now, by=uploader).batch


class TestTakeLease:
    def test_gives_it_to_one(self, received: ImportBatch, clock: Clock) -> None:
        assert take_lease(batch_id=received.pk, tick=clock) is not None
        assert take_lease(batch_id=received.pk, tick=clock) is None

    def test_gives_it_on_when_it_ran_out_and_the_first_can_write_no_more(
        self, received: ImportBatch, clock: Clock
    ) -> None:
        first = take_lease(batch_id=received.pk, tick=clock)
        clock.now += LEASE
        assert take_lease(batch_id=received.pk, tick=clock) is not None
        assert first is not None
        with pytest.raises(LeaseLostError):
            first.hold()

    def test_lasts_while_it_is_renewed(self, received: ImportBatch, clock: Clock) -> None:
        first = take_lease(batch_id=received.pk, tick=clock)
        assert first is not None
        for _times in range(5):
            clock.now += LEASE - timedelta(seconds=1)
            first.keep()
        assert take_lease(batch_id=received.pk, tick=clock) is None

    def test_is_lost_when_a_person_takes_the_batch_away(
        self, received: ImportBatch, clock: Clock, uploader: Actor
    ) -> None:
        first = take_lease(batch_id=received.pk, tick=clock)
        assert first is not None
        received.refresh_from_db()
        reject_batch(batch=received, by=uploader, now=clock.now, reason="The wrong file.")
        with pytest.raises(LeaseLostError):
            first.hold()


def killed_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, time: int) -> Callable[[], None]:
    """The process ends just before the ``time``-th call; what undoes that again."""
    whole, calls = getattr(module, name), iter(range(1, 1000))

    def once(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == time:
            raise KilledError
        return whole(*args, **kwargs)

    monkeypatch.setattr(module, name, once)
    return lambda: monkeypatch.setattr(module, name, whole)


class TestKilled:
    @pytest.mark.parametrize("time", [1, 2, 4])
    def test_while_reading_reads_on_and_nothing_twice(
        self, received: ImportBatch, clock: Clock, monkeypatch: pytest.MonkeyPatch, time: int
    ) -> None:
        mended = killed_at(monkeypatch, reading, "_write", time)
        with pytest.raises(KilledError):
            work_on(batch_id=received.pk, tick=clock)
        mended()
        assert ImportItem.objects.count() == (time - 1) * 2
        # A kill runs no ``finally``: the lease is as it was.
        ImportBatch.objects.filter(pk=received.pk).update(lease_token="dead", lease_until=clock.now + LEASE)
        assert sweep_batches(tick=clock) == 0, "it is not free yet"
        clock.now += LEASE
        assert sweep_batches(tick=clock) == 1
        received.refresh_from_db()
        assert received.state == "REVIEW"
        assert ends(received) == [(number, "open", "") for number in range(1, COUNT + 1)]
        assert list(ImportItem.objects.order_by("ordinal").values_list("row_number", flat=True)) == list(
            range(2, COUNT + 2)
        )

    @pytest.mark.parametrize("time", [1, 2, 4])
    def test_while_publishing_goes_on_and_files_nothing_twice(
        self,
        received: ImportBatch,
        clock: Clock,
        approver: Actor,
        monkeypatch: pytest.MonkeyPatch,
        time: int,
    ) -> None:
        work_on(batch_id=received.pk, tick=clock)
        approve_batch(batch=received, by=approver, now=clock.now)
        mended = killed_at(monkeypatch, publishing, "_file", time)
        with pytest.raises(KilledError):
            work_on(batch_id=received.pk, tick=clock)
        mended()
        assert StatementSummary.objects.count() == (time - 1) * 2
        assert sweep_batches(tick=clock) == 1
        assert StatementSummary.objects.published().count() == COUNT
        received.refresh_from_db()
        assert (received.state, received.told_at) == ("PUBLISHED", clock.now)

    def test_while_telling_tells_nobody_twice(
        self, received: ImportBatch, clock: Clock, approver: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work_on(batch_id=received.pk, tick=clock)
        approve_batch(batch=received, by=approver, now=clock.now)
        handler = handler_of("balances")
        mended = killed_at(monkeypatch, type(handler), "tell", 3)
        with pytest.raises(KilledError):
            work_on(batch_id=received.pk, tick=clock)
        mended()
        assert Notification.objects.filter(channel="in_app").count() == 4
        sweep_batches(tick=clock)
        told = Notification.objects.filter(channel="in_app").values_list("user_id", flat=True)
        assert len(told) == len(set(told)) == COUNT
        assert sweep_batches(tick=clock) == 0


class TestUnforeseen:
    def test_ends_the_batch_as_failed_and_is_raised_for_the_log(
        self, received: ImportBatch, clock: Clock, owner: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(reading, "_write", fail)
        with pytest.raises(ZeroDivisionError):
            work_on(batch_id=received.pk, tick=clock)
        received.refresh_from_db()
        assert (received.state, received.failure_code) == ("FAILED", "unexpected")
        assert sweep_batches(tick=clock) == 0, "it waits for a person"
