from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import Channel, Member, Notification
from accounts.services import notifications
from accounts.services.notifications import notify
from facilities.models import Facility
from metrics.receivers import collector
from metrics.receivers.collector import ClubCollector
from metrics.selectors.gauges import read_gauges
from reservations.models import Reservation


def values(one: ClubCollector) -> dict[str, float]:
    return {family.name: family.samples[0].value for family in one.collect()}


@pytest.fixture
def waiting(owner: Member, court: Facility, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail a minute overdue, and a hold past its deadline."""
    monkeypatch.setattr(notifications, "enqueue", lambda *_, **__: None)
    assert owner.user_id is not None
    notify(
        user_id=owner.user_id, kind="password_changed", context={"at": "noon"}, dedupe="e", now=now,
        only=Channel.EMAIL,
    )  # fmt: skip
    Notification.objects.update(send_at=now - timedelta(minutes=1))
    Reservation.objects.create(
        facility=court, type="STAFF", state="HELD", starts_at=now + timedelta(hours=1),
        ends_at=now + timedelta(hours=2), starts_on=now.date(), expires_at=now, created_at=now,
    )  # fmt: skip


class TestReadGauges:
    def test_counts_what_waits(self, waiting: None, now: datetime) -> None:
        found = read_gauges(now=now, machine_now=now)
        assert (found.outbox_due, found.outbox_oldest_seconds, found.holds_due) == (1, 60.0, 1)

    def test_nothing_waits_in_an_empty_club(self, db: None, now: datetime) -> None:
        found = read_gauges(now=now, machine_now=now)
        assert (found.outbox_due, found.outbox_oldest_seconds, found.holds_due, found.jobs_late) == (
            0, 0.0, 0, 0,
        )  # fmt: skip

    def test_is_four_queries_whatever_waits(
        self, waiting: None, now: datetime, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(4):
            read_gauges(now=now, machine_now=now)


class TestClubCollector:
    def test_says_its_names_before_any_database(self, django_assert_num_queries: Any, db: None) -> None:
        with django_assert_num_queries(0):
            names = {family.name for family in ClubCollector().describe()}
        assert names == {
            "bcc_outbox_due", "bcc_outbox_oldest_seconds", "bcc_holds_due", "bcc_jobs_late",
        }  # fmt: skip

    def test_asks_once_for_those_who_ask_together(
        self, waiting: None, travel: Any, django_assert_num_queries: Any
    ) -> None:
        one = ClubCollector()
        assert values(one)["bcc_holds_due"] == 1
        with django_assert_num_queries(0):
            assert values(one)["bcc_holds_due"] == 1

    def test_asks_again_later(self, waiting: None, travel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(collector, "KEPT_SECONDS", 0.0)
        one = ClubCollector()
        assert values(one)["bcc_outbox_due"] == 1
        Notification.objects.all().delete()
        assert values(one)["bcc_outbox_due"] == 0

    def test_says_nothing_while_the_database_is_away(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(**_: Any) -> None:
            raise OperationalError("away")

        monkeypatch.setattr(collector, "read_gauges", away)
        assert values(ClubCollector()) == {}

    def test_is_on_the_page_that_prometheus_reads(self, db: None, client: Any) -> None:
        page = client.get("/metrics").content
        assert b"bcc_outbox_due" in page
        assert b"bcc_jobs_late" in page
        assert b"# TYPE bcc_sign_ins_total counter" in page
