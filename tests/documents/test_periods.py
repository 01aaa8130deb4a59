"""A month closes when every active membership has its statement or a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Channel, Member, Membership, Notification, User
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError
from documents.models import BatchKind, GapReason, ImportBatch, KindRule, Period, PeriodGap, StatementSummary
from documents.selectors.completeness import completeness_of, gaps_of
from documents.selectors.expected import files_missing
from documents.services.batches.errors import (
    BatchesInHandError,
    PeriodClosedError,
    PeriodIncompleteError,
    PeriodOpenError,
)
from documents.services.batches.steps import approve_batch
from documents.services.expected import tell_of_missing_files
from documents.services.periods import close_period, explain_gaps, reopen_period
from tests.documents.batches.delivery import PERIOD, balance, balances_file, publish, review, staff
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(make_staff: Callable[[str], User]) -> Actor:
    return staff(make_staff("Finance Uploader"))


@pytest.fixture
def boss(make_staff: Callable[[str], User]) -> Actor:
    return staff(make_staff("Finance Approver"))


@pytest.fixture
def batch(owner: Member, stranger: Member, clerk: Actor, now: datetime) -> ImportBatch:
    """One membership's sums are right, another's do not add up."""
    rows = balance(owner.membership, 0, 5, 0, 5), balance(stranger.membership, 0, 5, 0, 6)
    return review(BatchKind.BALANCES, balances_file(*rows), now=now, by=clerk)


@pytest.fixture
def month(batch: ImportBatch) -> Period:
    return Period.objects.get(period=PERIOD)


def counts(**wanted: int) -> dict[str, int]:
    return dict.fromkeys(("complete", "explained", "withdrawn", "quarantined", "missing"), 0) | wanted


class TestCompleteness:
    def test_puts_each_active_membership_under_one_heading(
        self, batch: ImportBatch, boss: Actor, now: datetime
    ) -> None:
        MembershipFactory.create(valid_to=date(2026, 4, 30))
        absent = MembershipFactory.create(valid_to=date(2026, 5, 1))
        publish(batch, by=boss, now=now)

        found = completeness_of(PERIOD)
        assert found.counts == counts(complete=1, quarantined=1, missing=1)
        assert (found.active, found.adds_up, found.unexplained) == (3, True, 2)
        headings = {one.account_no: one.heading for one in gaps_of(PERIOD)}
        assert headings[absent.account_no] == "missing"

    def test_says_withdrawn_of_what_was_shown_once(
        self, batch: ImportBatch, boss: Actor, now: datetime
    ) -> None:
        publish(batch, by=boss, now=now)
        StatementSummary.objects.update(state="withdrawn")
        found = completeness_of(PERIOD)
        assert found.counts == counts(withdrawn=1, quarantined=1)
        assert found.unexplained == 2, "a withdrawal alone is no reason"

    def test_takes_as_many_queries_for_many_as_for_few(self, month: Period) -> None:
        def queries() -> int:
            with CaptureQueriesContext(
                connection,
            ) as seen:
                completeness_of(PERIOD)
            return len(seen)

        few = queries()
        MembershipFactory.create_batch(30)
        assert queries() == few == 2


class TestClosePeriod:
    def test_refuses_while_a_gap_has_no_reason_and_closes_when_each_has(
        self, batch: ImportBatch, month: Period, stranger: Member, clerk: Actor, boss: Actor, now: datetime
    ) -> None:
        publish(batch, by=boss, now=now)
        with pytest.raises(PeriodIncompleteError) as refused:
            close_period(period=month, by=boss, now=now)
        assert refused.value.extra == {"missing": 1}
        explain_gaps(
            period=month,
            memberships=[stranger.membership],
            reason=GapReason.BY_HAND,
            note="",
            by=clerk,
            now=now,
        )
        closed = close_period(period=month, by=boss, now=now)
        assert (closed.closed_at, closed.closed_by_id) == (now, boss.user_id)
        assert completeness_of(PERIOD).counts == counts(complete=1, explained=1)

    def test_refuses_while_a_batch_is_on_its_way(
        self, month: Period, owner: Member, stranger: Member, clerk: Actor, boss: Actor, now: datetime
    ) -> None:
        people = [owner.membership, stranger.membership]
        explain_gaps(
            period=month, memberships=people, reason=GapReason.NO_CHARGES, note="", by=clerk, now=now
        )
        with pytest.raises(BatchesInHandError):
            close_period(period=month, by=boss, now=now)

    def test_takes_no_batch_while_it_is_closed(
        self, batch: ImportBatch, month: Period, boss: Actor, now: datetime
    ) -> None:
        Period.objects.update(closed_at=now)
        with pytest.raises(PeriodClosedError):
            approve_batch(batch=batch, by=boss, now=now)
        with pytest.raises(PeriodClosedError):
            close_period(period=month, by=boss, now=now)
        reopen_period(period=month, by=boss)
        approve_batch(batch=batch, by=boss, now=now)
        with pytest.raises(PeriodOpenError):
            reopen_period(period=month, by=boss)


class TestExplainGaps:
    def test_takes_the_last_word(self, month: Period, stranger: Member, clerk: Actor, now: datetime) -> None:
        for reason in (GapReason.NO_CHARGES, GapReason.JOINED_LATER):
            explain_gaps(
                period=month, memberships=[stranger.membership], reason=reason, note="", by=clerk, now=now
            )
        assert PeriodGap.objects.get().reason == GapReason.JOINED_LATER

    @pytest.mark.parametrize("reason", ["other", "nonsense"])
    def test_refuses_no_reason(
        self, month: Period, stranger: Member, clerk: Actor, now: datetime, reason: str
    ) -> None:
        with pytest.raises(InvalidError):
            explain_gaps(
                period=month, memberships=[stranger.membership], reason=reason, note=" ", by=clerk, now=now
            )


class TestExpected:
    def test_asks_after_a_file_the_day_after_it_was_due_and_tells_once(
        self, batch: ImportBatch, clerk: Actor, boss: Actor
    ) -> None:
        KindRule.objects.filter(kind="statement_pdf").update(expected_day=8)
        KindRule.objects.filter(kind="balances").update(expected_day=8)
        assert files_missing(date(2026, 6, 8)) == []
        found = files_missing(date(2026, 6, 9))
        assert [(one.kind, one.period, one.day) for one in found] == [
            (BatchKind.STATEMENT_PDF, "2026-05", date(2026, 6, 8))
        ]
        late = datetime.fromisoformat("2026-06-09T01:00:00+00:00")
        told = Notification.objects.filter(kind="finance_file_missing", channel=Channel.IN_APP)
        tell_of_missing_files(now=late)
        assert set(told.values_list("user_id", flat=True)) == {clerk.user_id, boss.user_id}
        assert tell_of_missing_files(now=late) == 0

    def test_asks_for_a_list_without_a_month_in_the_month_itself(self, clerk: Actor, now: datetime) -> None:
        KindRule.objects.filter(kind="delinquency").update(expected_day=5)
        assert len(files_missing(date(2026, 6, 6))) == 1
        review(BatchKind.DELINQUENCY, balances_file(balance("Z-1", 0, 1, 0, 1)), now=now, by=clerk)
        assert files_missing(date(2026, 6, 6)) == []


def test_every_membership_is_active_without_an_end(owner: Member) -> None:
    assert Membership.objects.count() == completeness_of("2030-01").active == 1
