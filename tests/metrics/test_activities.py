from __future__ import annotations

import os
import threading
import time
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from accounts.models import Member
from bcc.core.errors import BusyError
from metrics import tasks
from metrics.models import Activity
from metrics.services import activities
from metrics.services.activities import (
    KEPT_FOR,
    actor_hash,
    flush_activities,
    purge_activities,
    record_activity,
)
from tests.factories import MemberFactory

DAY = date(2026, 6, 1)


def note(now: datetime, **who: int) -> None:
    record_activity(
        name=Activity.Name.SIGN_IN, at=now, about_on=DAY, properties={"method": "password"}, **who
    )


class TestRecordActivity:
    def test_asks_the_database_nothing(self, db: None, now: datetime, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            note(now, user_id=1)

    def test_what_is_noted_is_what_is_written(self, db: None, now: datetime) -> None:
        properties = {"method": "password"}
        record_activity(name=Activity.Name.SIGN_IN, at=now, about_on=DAY, properties=properties)
        properties["method"] = "changed"
        assert flush_activities() == 1
        row = Activity.objects.get()
        assert (row.name, row.at, row.about_on, row.properties) == (
            "sign_in",
            now,
            DAY,
            {"method": "password"},
        )

    def test_loses_none_of_many_threads(self, db: None, now: datetime) -> None:
        threads = [
            threading.Thread(target=lambda: [note(now) for _ in range(50)], daemon=True) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert flush_activities() == 400
        assert Activity.objects.count() == 400

    def test_keeps_no_more_than_it_has_room_for_and_says_so(
        self, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(activities, "KEPT_AT_MOST", 3)
        for _ in range(5):
            note(now)
        with capture_logs() as lines:
            assert flush_activities() == 3
        assert [(line["event"], line["count"]) for line in lines] == [("activities_lost", 2)]


class TestFlushActivities:
    def test_writes_a_hash_and_nobodys_name(self, owner: Member, stranger: Member, now: datetime) -> None:
        assert owner.user_id is not None
        assert stranger.user_id is not None
        note(now, user_id=owner.user_id)
        note(now, member_id=owner.pk)
        note(now, member_id=stranger.pk)
        note(now)
        flush_activities()
        hashes = list(Activity.objects.order_by("pk").values_list("actor_hash", flat=True))
        assert hashes == [actor_hash(owner.user_id)] * 2 + [actor_hash(stranger.user_id), ""]
        assert len({one for one in hashes if one}) == 2
        assert all(len(one) == 64 for one in hashes if one)

    def test_the_hash_needs_the_key(self, owner: Member, settings: Any) -> None:
        before = actor_hash(owner.pk)
        settings.SECRET_KEY = "another-key"
        assert actor_hash(owner.pk) != before

    def test_a_member_without_an_account_is_nobody(self, db: None, now: datetime) -> None:
        note(now, member_id=MemberFactory.create(user=None).pk)
        flush_activities()
        assert Activity.objects.get().actor_hash == ""

    def test_asks_once_for_all_members_of_a_batch(
        self, owner: Member, stranger: Member, now: datetime, django_assert_max_num_queries: Any
    ) -> None:
        for member in (owner, stranger) * 40:
            note(now, member_id=member.pk)
        with django_assert_max_num_queries(4):  # the members, one insert, and its savepoint in a test
            flush_activities()

    def test_writes_more_than_a_batch(self, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(activities, "BATCH", 2)
        for _ in range(5):
            note(now)
        assert flush_activities() == 5
        assert flush_activities() == 0

    @pytest.mark.parametrize("error", [OperationalError("away"), BusyError()])
    def test_keeps_what_the_database_did_not_take(
        self, db: None, now: datetime, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(activities, "BATCH", 2)
        write = activities._write
        calls: list[int] = []

        def second_fails(batch: Any) -> None:
            calls.append(len(batch))
            if len(calls) == 2:
                raise error
            write(batch)

        monkeypatch.setattr(activities, "_write", second_fails)
        for _ in range(5):
            note(now)
        assert flush_activities() == 2
        assert flush_activities() == 3
        assert Activity.objects.count() == 5


@pytest.mark.django_db(transaction=True)
class TestTheThread:
    """A buffer of its own, with a thread that writes to the tests' database."""

    @pytest.fixture
    def buffer(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> activities._Buffer:
        settings.ACTIVITY_FLUSH_SECONDS = 0.1
        buffer = activities._Buffer()
        monkeypatch.setattr(activities, "_buffer", buffer)
        monkeypatch.setattr(activities.atexit, "register", lambda stop: None)
        return buffer

    def test_writes_after_a_while(self, buffer: activities._Buffer, now: datetime) -> None:
        note(now)
        until = time.monotonic() + 5
        while not Activity.objects.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert Activity.objects.count() == 1
        buffer.stop()

    def test_writes_at_once_when_a_batch_is_full(
        self, buffer: activities._Buffer, now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ACTIVITY_FLUSH_SECONDS = 600
        monkeypatch.setattr(activities, "BATCH", 3)
        for _ in range(3):
            note(now)
        until = time.monotonic() + 5
        while Activity.objects.count() < 3 and time.monotonic() < until:
            time.sleep(0.02)
        assert Activity.objects.count() == 3
        buffer.stop()

    def test_writes_the_rest_at_the_end(
        self, buffer: activities._Buffer, now: datetime, settings: Any
    ) -> None:
        settings.ACTIVITY_FLUSH_SECONDS = 600
        note(now)
        buffer.stop()
        assert Activity.objects.count() == 1
        assert buffer.thread is not None
        assert not buffer.thread.is_alive()

    def test_outlives_a_fault(
        self, buffer: activities._Buffer, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        faults: list[int] = []

        def fail(batch: Any) -> None:
            faults.append(len(batch))
            raise TypeError("not JSON")

        with monkeypatch.context() as patched:
            patched.setattr(activities, "_write", fail)
            note(now)
            until = time.monotonic() + 5
            while not faults and time.monotonic() < until:
                time.sleep(0.02)
        note(now)
        buffer.stop()
        assert (faults, Activity.objects.count()) == ([1], 1)

    def test_a_forked_child_begins_with_nothing(self, now: datetime, buffer: activities._Buffer) -> None:
        buffer.rows = [object()]  # type: ignore[list-item]  # anything that waits
        buffer.forget()
        assert (buffer.rows, buffer.thread) == ([], None)
        assert hasattr(os, "register_at_fork")


class TestPurgeActivities:
    def test_deletes_what_is_older_than_it_is_kept(
        self, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(activities, "BATCH", 2)
        for age in (timedelta(0), KEPT_FOR - timedelta(seconds=1), *[KEPT_FOR] * 3):
            note(now - age)
        flush_activities()
        assert purge_activities(now=now) == 3
        assert Activity.objects.count() == 2

    def test_the_task_reads_the_clubs_clock(self, db: None, travel: Any, now: datetime) -> None:
        note(now - KEPT_FOR)
        flush_activities()
        assert tasks.purge_activities() == 1
