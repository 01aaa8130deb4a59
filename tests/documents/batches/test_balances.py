"""Balances: what is checked of a row, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from accounts.models import Channel, Member, Notification
from bcc.core.actors import Actor
from documents.models import BatchKind, ImportBatch, KindRule, Publication, StatementSummary
from documents.policies.periods import shifted
from documents.selectors.batches import counts_of
from documents.services.batches.deciding import accept_item
from documents.services.batches.errors import ControlError, NotAcceptableError
from documents.services.batches.receive import Delivered
from documents.services.batches.steps import approve_batch, roll_back_batch
from tests.documents.batches.delivery import (
    PERIOD,
    balance,
    balances_file,
    csv_file,
    ends,
    item_of,
    publish,
    review,
)

pytestmark = pytest.mark.django_db
Check = Callable[..., ImportBatch]


@pytest.fixture
def check(uploader: Actor, now: datetime) -> Check:
    def run(*rows: list[object], file: Delivered | None = None, **more: object) -> ImportBatch:
        return review(BatchKind.BALANCES, file or balances_file(*rows), now=now, by=uploader, **more)

    return run


def history(member: Member, *dues: object) -> None:
    """Published sums of the months before, the latest first."""
    for months, due in enumerate(dues, 1):
        StatementSummary.objects.create(
            membership=member.membership,
            period=shifted(PERIOD, -months),
            previous=0,
            charges=Decimal(str(due)),
            payments=0,
            due=Decimal(str(due)),
            sha256=f"{months}",
            state=Publication.PUBLISHED,
            created_at=datetime.fromisoformat("2026-05-01T00:00:00+00:00"),
        )


class TestCheck:
    def test_finds_nothing_wrong_with_a_row_that_adds_up(self, owner: Member, check: Check) -> None:
        batch = check(balance(owner.membership, "1,000.00".replace(",", ""), 250, 1000, 250))
        item = item_of(batch, 1)
        assert (batch.state, item.outcome, item.reason) == ("REVIEW", "open", "")
        assert (item.membership, item.found, item.amount) == (
            owner.membership,
            owner.membership,
            Decimal(250),
        )

    def test_finds_an_account_in_any_spelling(self, household: Callable[[str], Member], check: Check) -> None:
        member = household("D-0042")
        batch = check(balance("d 0042", 0, 1, 0, 1))
        assert item_of(batch, 1).membership == member.membership

    def test_quarantines_a_wrong_sum_which_nobody_can_accept(
        self, owner: Member, check: Check, uploader: Actor, now: datetime
    ) -> None:
        batch = check(balance(owner.membership, 100, 50, 0, 151))
        item = item_of(batch, 1)
        assert ends(batch) == [(1, "quarantined", "does_not_add_up")]
        assert "100 + 50" in item.detail.replace(".00", "")
        with pytest.raises(NotAcceptableError):
            accept_item(item=item, by=uploader, now=now, reason="It is right.")

    @pytest.mark.parametrize(("account_no", "reason"), [("Z-999", "unknown_account"), ("", "missing")])
    def test_quarantines_an_account_that_is_none(
        self, owner: Member, check: Check, account_no: str, reason: str
    ) -> None:
        batch = check(balance(owner.membership, 0, 1, 0, 1), balance(account_no, 0, 2, 0, 2))
        assert ends(batch) == [(1, "open", ""), (2, "quarantined", reason)]

    def test_quarantines_the_number_of_two_memberships(
        self, household: Callable[[str], Member], check: Check
    ) -> None:
        household("D-0042")
        household("D0042")
        assert ends(check(balance("D0042", 0, 1, 0, 1))) == [(1, "quarantined", "unknown_account")]

    def test_takes_the_same_row_again_for_a_duplicate(self, owner: Member, check: Check) -> None:
        row = balance(owner.membership, 0, 1, 0, 1)
        assert ends(check(row, row)) == [(1, "open", ""), (2, "duplicate", "duplicate_in_batch")]

    def test_asks_about_both_of_two_rows_that_differ(self, owner: Member, check: Check) -> None:
        batch = check(balance(owner.membership, 0, 1, 0, 1), balance(owner.membership, 0, 2, 0, 2))
        assert ends(batch) == [(1, "quarantined", "twice_in_batch"), (2, "quarantined", "twice_in_batch")]

    def test_asks_about_an_amount_over_the_limit(self, owner: Member, check: Check) -> None:
        KindRule.objects.filter(kind="balances").update(amount_limit=100)
        at = check(balance(owner.membership, 0, 100, 0, 100))
        assert ends(at) == [(1, "open", "")]
        over = check(balance(owner.membership, 0, "100.01", 0, "100.01"))
        assert ends(over) == [(1, "quarantined", "over_limit")]

    @pytest.mark.parametrize(("due", "reason"), [("999.99", ""), ("1000", "outlier")])
    def test_asks_about_ten_times_the_median(
        self, owner: Member, check: Check, due: str, reason: str
    ) -> None:
        history(owner, 100, 40, 900, 100, 90, 110)
        assert item_of(check(balance(owner.membership, 0, due, 0, due)), 1).reason == reason

    def test_asks_no_outlier_of_a_new_member(self, owner: Member, check: Check) -> None:
        history(owner, 1, 1)
        assert ends(check(balance(owner.membership, 0, 9000, 0, 9000))) == [(1, "open", "")]

    def test_asks_about_a_membership_that_ended_before(self, owner: Member, check: Check) -> None:
        membership = owner.membership
        membership.valid_to = datetime.fromisoformat("2026-04-30").date()
        membership.save()
        assert ends(check(balance(membership, 0, 1, 0, 1))) == [(1, "quarantined", "membership_ended")]

    def test_quarantines_a_cell_that_is_no_amount(self, owner: Member, check: Check) -> None:
        other = balance(owner.membership, 0, 1, 0, 1)
        batch = check(other, balance("D-9", 0, "twelve", 0, 1))
        assert ends(batch)[1] == (2, "quarantined", "money_unclear")
        assert "twelve" in item_of(batch, 2).detail

    def test_fails_with_what_to_do_where_a_column_is_missing(self, check: Check) -> None:
        batch = check(file=csv_file("x.csv", ("Account No", "Charges", "Payments"), [("A", 1, 2)]))
        assert (batch.state, batch.failure_code) == ("FAILED", "columns_missing")
        assert batch.failure_detail.startswith("A column is missing.")


class TestPublish:
    def test_shows_the_sums_and_tells_the_principal_once(
        self, owner: Member, dependent: Member, check: Check, approver: Actor, now: datetime
    ) -> None:
        publish(check(balance(owner.membership, 10, 5, 3, 12)), by=approver, now=now)

        found = StatementSummary.objects.published().get()
        assert (found.membership, found.period, found.due, found.version) == (owner.membership, PERIOD, 12, 1)
        told = Notification.objects.filter(channel=Channel.IN_APP)
        assert [(one.user, one.kind) for one in told] == [(owner.user, "statement_published")]

    def test_asks_before_other_sums_take_the_place_of_published_ones(
        self, owner: Member, check: Check, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        publish(check(balance(owner.membership, 0, 5, 0, 5)), by=approver, now=now)
        batch = check(balance(owner.membership, 0, 6, 0, 6))

        item = item_of(batch, 1)
        assert (item.outcome, item.reason) == ("quarantined", "other_version")
        assert item.before["due"] == "5.00"
        accept_item(item=item, by=uploader, now=now, reason="A late charge.")
        publish(batch, by=approver, now=now)
        versions = StatementSummary.objects.order_by("version").values_list("version", "due", "state")
        assert list(versions) == [(1, 5, "superseded"), (2, 6, "published")]
        kinds = (
            Notification.objects.filter(channel=Channel.IN_APP).order_by("pk").values_list("kind", flat=True)
        )
        assert list(kinds) == ["statement_published", "statement_corrected"]

    def test_takes_the_same_row_of_another_file_for_a_duplicate(
        self, owner: Member, stranger: Member, check: Check, approver: Actor, now: datetime
    ) -> None:
        row = balance(owner.membership, 0, 5, 0, 5)
        publish(check(row), by=approver, now=now)
        batch = check(balance(stranger.membership, 0, 1, 0, 1), row)
        assert ends(batch) == [(1, "open", ""), (2, "duplicate", "already_filed")]

    def test_asks_about_an_earlier_version_that_comes_again(
        self, owner: Member, stranger: Member, check: Check, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        first = balance(owner.membership, 0, 5, 0, 5)
        publish(check(first), by=approver, now=now)
        second = check(balance(owner.membership, 0, 6, 0, 6))
        accept_item(item=item_of(second, 1), by=uploader, now=now, reason="Corrected.")
        publish(second, by=approver, now=now)

        third = check(first, balance(stranger.membership, 0, 1, 0, 1))
        assert item_of(third, 1).reason == "older_version"
        accept_item(item=item_of(third, 1), by=uploader, now=now, reason="The first was right.")
        publish(third, by=approver, now=now)
        assert StatementSummary.objects.published().get(membership=owner.membership).version == 1

    def test_never_files_over_what_was_published_in_between(
        self, owner: Member, check: Check, approver: Actor, now: datetime
    ) -> None:
        first = check(balance(owner.membership, 0, 5, 0, 5))
        second = check(balance(owner.membership, 0, 6, 0, 6))
        publish(first, by=approver, now=now)
        publish(second, by=approver, now=now)

        assert ends(second) == [(1, "quarantined", "other_version")]
        assert StatementSummary.objects.get().due == 5

    def test_is_taken_back_to_the_version_before(
        self, owner: Member, check: Check, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        publish(check(balance(owner.membership, 0, 5, 0, 5)), by=approver, now=now)
        batch = check(balance(owner.membership, 0, 6, 0, 6))
        accept_item(item=item_of(batch, 1), by=uploader, now=now, reason="A late charge.")
        batch = publish(batch, by=approver, now=now)
        roll_back_batch(batch=batch, by=approver, now=now, reason="It was not late.")

        states = StatementSummary.objects.order_by("version").values_list("due", "state")
        assert list(states) == [(5, "published"), (6, "withdrawn")]
        assert counts_of(batch).is_reconciled


class TestControl:
    @pytest.mark.parametrize(
        ("control", "is_refused"),
        [
            ({"control_count": 2}, False),
            ({"control_count": 3}, True),
            ({"control_total": Decimal("8.00")}, False),
            ({"control_total": Decimal("8.01")}, True),
        ],
    )
    def test_figures_must_agree(
        self,
        owner: Member,
        stranger: Member,
        check: Check,
        approver: Actor,
        now: datetime,
        control: dict[str, object],
        is_refused: bool,
    ) -> None:
        rows = balance(owner.membership, 0, 5, 0, 5), balance(stranger.membership, 0, 3, 0, 3)
        batch = check(*rows, **control)
        if is_refused:
            with pytest.raises(ControlError):
                approve_batch(batch=batch, by=approver, now=now)
        else:
            assert publish(batch, by=approver, now=now).state == "PUBLISHED"
