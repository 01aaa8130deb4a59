"""What people may do with a batch, and when."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import Member, Notification
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError, StaleVersionError
from documents.models import BatchKind, ImportBatch, ImportItem, KindRule, Period, StatementSummary
from documents.policies.batches import MOVES, BatchState
from documents.services.batches.deciding import accept_item, discard_item, reassign_item, reconsider_item
from documents.services.batches.errors import (
    BatchMovedOnError,
    NothingToPublishError,
    NotWaitingError,
    PartlyPublishedError,
    PeriodClosedError,
    SamePersonError,
    TrialError,
)
from documents.services.batches.move import move_batch
from documents.services.batches.receive import add_corrections
from documents.services.batches.steps import (
    approve_batch,
    correct_control,
    end_trial,
    reject_batch,
    reopen_batch,
    roll_back_batch,
    send_back,
)
from tests.documents.batches.delivery import (
    BALANCES,
    PERIOD,
    balance,
    balances_file,
    csv_file,
    ends,
    item_of,
    publish,
    review,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(owner: Member, uploader: Actor, now: datetime) -> ImportBatch:
    """One row that is right, one that is of nobody."""
    rows = balance(owner.membership, 0, 5, 0, 5), balance("Z-9", 0, 7, 0, 7)
    return review(BatchKind.BALANCES, balances_file(*rows), now=now, by=uploader)


class TestMoveBatch:
    @pytest.mark.parametrize("state", list(BatchState))
    def test_makes_the_moves_of_the_table_and_no_other(
        self, batch: ImportBatch, approver: Actor, now: datetime, state: BatchState
    ) -> None:
        for to in BatchState:
            ImportBatch.objects.filter(pk=batch.pk).update(state=state)
            batch.refresh_from_db()
            before = batch.events.count()
            if to in MOVES[state]:
                move_batch(batch, to=to, by=approver, now=now, detail="Because.")
                assert batch.events.count() == before + 1
            else:
                with pytest.raises(BatchMovedOnError):
                    move_batch(batch, to=to, by=approver, now=now)

    def test_lets_one_of_two_win(self, batch: ImportBatch, approver: Actor, now: datetime) -> None:
        other = ImportBatch.objects.get(pk=batch.pk)
        move_batch(batch, to=BatchState.REJECTED, by=approver, now=now)
        with pytest.raises(StaleVersionError):
            move_batch(other, to=BatchState.APPROVED, by=approver, now=now)


class TestApproveBatch:
    def test_refuses_who_uploaded_it(self, batch: ImportBatch, uploader: Actor, now: datetime) -> None:
        with pytest.raises(SamePersonError):
            approve_batch(batch=batch, by=uploader, now=now)

    def test_lets_the_uploader_where_the_rule_says_so(
        self, batch: ImportBatch, uploader: Actor, now: datetime
    ) -> None:
        KindRule.objects.filter(kind="balances").update(needs_second_person=False)
        approve_batch(batch=batch, by=uploader, now=now)

    def test_publishes_what_is_right_and_leaves_the_rest_in_quarantine(
        self, batch: ImportBatch, approver: Actor, now: datetime
    ) -> None:
        batch = publish(batch, by=approver, now=now)
        assert (batch.state, batch.approver_id, batch.published_at) == ("PUBLISHED", approver.user_id, now)
        assert ends(batch) == [(1, "filed", ""), (2, "quarantined", "unknown_account")]

    def test_refuses_what_a_page_showed_before_somebody_decided(
        self, batch: ImportBatch, approver: Actor, uploader: Actor, now: datetime
    ) -> None:
        discard_item(item=item_of(batch, 2), by=uploader, now=now, reason="Nobody's.")
        with pytest.raises(StaleVersionError):
            approve_batch(batch=batch, by=approver, now=now, version=batch.version)

    def test_refuses_a_trial_until_it_is_one_no_more(
        self, owner: Member, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        row = balance(owner.membership, 0, 5, 0, 5)
        trial = review(BatchKind.BALANCES, balances_file(row), now=now, by=uploader, is_trial=True)
        with pytest.raises(TrialError):
            approve_batch(batch=trial, by=approver, now=now)
        end_trial(batch=trial, by=uploader, now=now)
        assert publish(trial, by=approver, now=now).state == "PUBLISHED"

    def test_refuses_where_there_is_nothing(self, uploader: Actor, approver: Actor, now: datetime) -> None:
        batch = review(BatchKind.BALANCES, balances_file(balance("Z-1", 0, 1, 0, 1)), now=now, by=uploader)
        with pytest.raises(NothingToPublishError):
            approve_batch(batch=batch, by=approver, now=now)

    def test_refuses_a_closed_month(self, batch: ImportBatch, approver: Actor, now: datetime) -> None:
        Period.objects.filter(period=PERIOD).update(closed_at=now)
        with pytest.raises(PeriodClosedError):
            approve_batch(batch=batch, by=approver, now=now)

    def test_is_sent_back_before_a_worker_has_begun(
        self, batch: ImportBatch, approver: Actor, now: datetime
    ) -> None:
        batch = approve_batch(batch=batch, by=approver, now=now)
        batch = send_back(batch=batch, by=approver, now=now, reason="One more look.")
        assert (batch.state, batch.approver_id) == ("REVIEW", None)


class TestRejectAndReopen:
    def test_rejects_and_takes_up_again_with_every_item_read_anew(
        self, batch: ImportBatch, uploader: Actor, now: datetime
    ) -> None:
        first = set(ImportItem.objects.values_list("pk", flat=True))
        batch = reject_batch(batch=batch, by=uploader, now=now, reason="The wrong file.")
        assert batch.state == "REJECTED"
        batch = work(reopen_batch(batch=batch, by=uploader, now=now), now)
        assert batch.state == "REVIEW"
        assert first.isdisjoint(batch.items.values_list("pk", flat=True))
        assert [one[0] for one in ends(batch)] == [1, 2]

    def test_keeps_what_is_published_when_the_rest_is_taken_up(
        self, batch: ImportBatch, uploader: Actor, approver: Actor, stranger: Member, now: datetime
    ) -> None:
        batch = publish(batch, by=approver, now=now)
        batch = work(reopen_batch(batch=batch, by=uploader, now=now), now)
        assert ends(batch) == [(1, "filed", ""), (2, "quarantined", "unknown_account")]
        with pytest.raises(PartlyPublishedError):
            reject_batch(batch=batch, by=approver, now=now, reason="Away with it.")
        reassign_item(
            item=item_of(batch, 2), membership=stranger.membership, by=uploader, now=now, reason="Mistyped."
        )
        batch = publish(ImportBatch.objects.get(pk=batch.pk), by=approver, now=now)
        assert ends(batch) == [(1, "filed", ""), (2, "filed", "")]
        assert StatementSummary.objects.published().count() == 2
        per_person = Notification.objects.filter(channel="in_app").values_list("user_id", flat=True)
        assert len(per_person) == len(set(per_person)) == 2

    def test_rolls_back_only_what_is_published(
        self, batch: ImportBatch, approver: Actor, now: datetime
    ) -> None:
        with pytest.raises(BatchMovedOnError):
            roll_back_batch(batch=batch, by=approver, now=now, reason="Too early.")

    def test_rolls_nothing_back_in_a_closed_month(
        self, batch: ImportBatch, approver: Actor, now: datetime
    ) -> None:
        batch = publish(batch, by=approver, now=now)
        Period.objects.filter(period=PERIOD).update(closed_at=now)
        with pytest.raises(PeriodClosedError):
            roll_back_batch(batch=batch, by=approver, now=now, reason="Late.")
        assert StatementSummary.objects.published().count() == 1


class TestDecisions:
    def test_give_an_item_to_another_and_take_it_back(
        self, batch: ImportBatch, stranger: Member, uploader: Actor, now: datetime
    ) -> None:
        item = reassign_item(
            item=item_of(batch, 2), membership=stranger.membership, by=uploader, now=now, reason="Mistyped."
        )
        assert (item.outcome, item.membership, item.found) == ("open", stranger.membership, None)
        assert (item.decided_by_id, item.decision_note) == (uploader.user_id, "Mistyped.")
        item = reconsider_item(item=item, by=uploader, now=now, reason="It is not theirs.")
        assert (item.outcome, item.membership, item.decision) == ("quarantined", None, "none")

    def test_check_an_item_again_for_whom_it_is_given_to(
        self, batch: ImportBatch, owner: Member, uploader: Actor, now: datetime
    ) -> None:
        item = reassign_item(
            item=item_of(batch, 2), membership=owner.membership, by=uploader, now=now, reason="Mistyped."
        )
        assert (item.outcome, item.reason) == ("quarantined", "twice_in_batch")
        assert batch.items.waiting().count() == 1

    def test_need_a_reason(self, batch: ImportBatch, uploader: Actor, now: datetime) -> None:
        with pytest.raises(InvalidError):
            discard_item(item=item_of(batch, 2), by=uploader, now=now, reason="  ")

    def test_are_taken_once(self, batch: ImportBatch, uploader: Actor, now: datetime) -> None:
        item = discard_item(item=item_of(batch, 2), by=uploader, now=now, reason="Nobody's.")
        with pytest.raises(NotWaitingError):
            accept_item(item=item, by=uploader, now=now, reason="After all.")
        with pytest.raises(NotWaitingError):
            accept_item(item=item_of(batch, 1), by=uploader, now=now, reason="It waits for nobody.")

    def test_are_taken_in_review_only(
        self, batch: ImportBatch, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        publish(batch, by=approver, now=now)
        with pytest.raises(BatchMovedOnError):
            discard_item(item=item_of(batch, 2), by=uploader, now=now, reason="Nobody's.")


class TestCorrections:
    def test_take_the_place_of_their_items_under_the_same_batch(
        self, batch: ImportBatch, stranger: Member, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        row = [2, *balance(stranger.membership, 0, 7, 0, 7), "The club has no such account."]
        corrected = csv_file("corrected.csv", ("Item", *BALANCES, "What to do"), [row])
        batch = work(add_corrections(batch=batch, files=[corrected], by=uploader, now=now), now)

        assert batch.state == "REVIEW"
        assert ends(batch) == [(1, "open", ""), (2, "quarantined", "replaced"), (3, "open", "")]
        correct_control(
            batch=batch, control_count=2, control_total=None, by=uploader, now=now, reason="Two of them."
        )
        batch = publish(ImportBatch.objects.get(pk=batch.pk), by=approver, now=now)
        assert [one[1] for one in ends(batch)] == ["filed", "quarantined", "filed"]
        assert batch.items.waiting().count() == 0

    def test_come_after_publication_and_are_published_alone(
        self, batch: ImportBatch, stranger: Member, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        batch = publish(batch, by=approver, now=now)
        row = [2, *balance(stranger.membership, 0, 7, 0, 7)]
        corrected = csv_file("corrected.csv", ("Item", *BALANCES), [row])
        batch = work(add_corrections(batch=batch, files=[corrected], by=uploader, now=now), now)
        batch = publish(batch, by=approver, now=now)
        assert StatementSummary.objects.published().count() == 2

    def test_of_an_item_that_does_not_wait_wait_themselves(
        self, batch: ImportBatch, stranger: Member, uploader: Actor, now: datetime
    ) -> None:
        row = [1, *balance(stranger.membership, 0, 7, 0, 7)]
        corrected = csv_file("corrected.csv", ("Item", *BALANCES), [row])
        batch = work(add_corrections(batch=batch, files=[corrected], by=uploader, now=now), now)
        assert ends(batch)[2] == (3, "quarantined", "item_unknown")

    def test_refuse_the_file_that_is_there_already(
        self, batch: ImportBatch, owner: Member, uploader: Actor, now: datetime
    ) -> None:
        rows = balance(owner.membership, 0, 5, 0, 5), balance("Z-9", 0, 7, 0, 7)
        with pytest.raises(InvalidError):
            add_corrections(batch=batch, files=[balances_file(*rows)], by=uploader, now=now)
        batch.refresh_from_db()
        assert batch.state == "REVIEW"
