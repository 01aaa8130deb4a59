"""The other kinds that come as tables: entries, assessments, the delinquency list, the member master."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from accounts.models import Channel, Member, Membership, Notification, Standing
from accounts.services.household import change_membership
from bcc.core.actors import Actor
from documents.models import AccountEntry, Assessment, BatchKind, ImportBatch
from documents.services.batches.deciding import accept_item
from documents.services.batches.kinds.common import twins_of
from documents.services.batches.kinds.entries import Entries
from documents.services.batches.steps import roll_back_batch
from tests.documents.batches.delivery import csv_file, ends, item_of, publish, review

pytestmark = pytest.mark.django_db
Deliver = Callable[..., ImportBatch]


@pytest.fixture
def deliver(uploader: Actor, now: datetime) -> Deliver:
    def run(kind: BatchKind, heading: tuple[str, ...], *rows: list[object]) -> ImportBatch:
        return review(kind, csv_file("finance.csv", heading, rows), now=now, by=uploader)

    return run


def in_arrears(member: Member, now: datetime, standing: str = "delinquent") -> Membership:
    membership = member.membership
    change_membership(
        membership=membership, category=membership.category, standing=standing, valid_to=None, now=now
    )
    return membership


class TestEntries:
    HEADING = ("Account No", "Date", "Chit No", "Description", "Outlet", "Type", "Amount")

    def test_are_lines_of_the_account_with_what_is_owed_above_zero(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        account_no = owner.membership.account_no
        batch = deliver(
            BatchKind.ENTRIES,
            self.HEADING,
            [account_no, "2026-05-03", "CH-1", "Lunch", "Dining Room", "Charge", "450.50"],
            [account_no, "2026-05-09", "OR-7", "Thank you", "", "Payment", "400.00"],
            [account_no, "2026-05-10", "", "Towels", "Pool", "", "30"],
        )
        publish(batch, by=approver, now=now)
        rows = AccountEntry.objects.published().order_by("posted_on")
        assert [(one.number, one.kind, one.amount) for one in rows[:2]] == [
            ("CH-1", "charge", 450.50),
            ("OR-7", "payment", -400),
        ]
        assert (rows[2].kind, rows[2].posted_on) == ("charge", date(2026, 5, 10))
        assert rows[2].number.startswith("2026-05-10-"), "a chit without a number has one of its own"

    def test_of_one_number_and_other_contents_wait(self, owner: Member, deliver: Deliver) -> None:
        account_no = owner.membership.account_no
        lunch = [account_no, "2026-05-03", "CH-1", "Lunch", "", "", "450"]
        dinner = [account_no, "2026-05-03", "CH-1", "Dinner", "", "", "950"]
        assert ends(deliver(BatchKind.ENTRIES, self.HEADING, lunch, dinner, lunch)) == [
            (1, "quarantined", "twice_in_batch"),
            (2, "quarantined", "twice_in_batch"),
            (3, "duplicate", "duplicate_in_batch"),
        ]

    def test_are_checked_beside_those_of_their_own_number_alone(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        """An account has hundreds of lines a month: looking at all of them for each chunk is quadratic."""
        account_no = owner.membership.account_no
        lines = [[account_no, "2026-05-03", f"CH-{n}", "Lunch", "", "", "450"] for n in range(40)]
        batch = deliver(BatchKind.ENTRIES, self.HEADING, *lines)
        publish(batch, by=approver, now=now)
        some = list(batch.items.order_by("ordinal")[:3])
        places = {(owner.membership_id, f"CH-{n}") for n in range(3)}
        assert twins_of(batch, some).keys() == places
        assert Entries()._there("2026-05", some).keys() == places


class TestAssessments:
    def test_are_asked_of_a_household_and_told(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        batch = deliver(
            BatchKind.ASSESSMENTS,
            ("Account No", "Description", "Amount", "Due Date"),
            [owner.membership.account_no, "Annual dues", "12000", "2026-06-30"],
        )
        publish(batch, by=approver, now=now)
        found = Assessment.objects.published().get()
        assert (found.description, found.amount, found.due_on) == ("Annual dues", 12000, date(2026, 6, 30))
        told = Notification.objects.get(channel=Channel.IN_APP)
        assert told.context == {
            "description": "Annual dues",
            "amount": "12,000.00",
            "due": "Due on 30 June 2026.",
        }


class TestDelinquency:
    HEADING = ("Account No", "Amount Overdue", "Status")

    def test_changes_the_standing_of_who_is_named_and_of_nobody_else(
        self, owner: Member, stranger: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        batch = deliver(
            BatchKind.DELINQUENCY,
            self.HEADING,
            [owner.membership.account_no, "5000", ""],
            [stranger.membership.account_no, "90000", "Suspended"],
        )
        assert item_of(batch, 1).before == {"standing": "good"}
        publish(batch, by=approver, now=now)
        for member, standing in ((owner, Standing.DELINQUENT), (stranger, Standing.SUSPENDED)):
            member.membership.refresh_from_db()
            assert member.membership.standing == standing
            assert member.membership.standing_changed_at == now

    def test_clears_nobody_who_is_absent_without_a_tick(
        self,
        owner: Member,
        stranger: Member,
        deliver: Deliver,
        uploader: Actor,
        approver: Actor,
        now: datetime,
    ) -> None:
        absent = in_arrears(stranger, now)
        batch = deliver(BatchKind.DELINQUENCY, self.HEADING, [owner.membership.account_no, "5000", ""])
        assert ends(batch) == [(1, "open", ""), (2, "quarantined", "absent")]
        publish(batch, by=approver, now=now)
        absent.refresh_from_db()
        assert absent.standing == Standing.DELINQUENT

        other = deliver(BatchKind.DELINQUENCY, self.HEADING, [owner.membership.account_no, "5001", ""])
        accept_item(item=item_of(other, 2), by=uploader, now=now, reason="Paid at the counter.")
        publish(other, by=approver, now=now)
        absent.refresh_from_db()
        assert absent.standing == Standing.GOOD

    def test_does_not_win_over_the_desk_by_being_late(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        batch = deliver(BatchKind.DELINQUENCY, self.HEADING, [owner.membership.account_no, "5000", ""])
        in_arrears(owner, now, "suspended")
        publish(batch, by=approver, now=now)
        assert ends(batch) == [(1, "quarantined", "changed_since")]

    def test_is_taken_back_but_for_who_was_changed_since(
        self, owner: Member, stranger: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        rows = [[one.membership.account_no, "5000", ""] for one in (owner, stranger)]
        batch = publish(deliver(BatchKind.DELINQUENCY, self.HEADING, *rows), by=approver, now=now)
        in_arrears(stranger, now, "suspended")

        left = roll_back_batch(batch=batch, by=approver, now=now, reason="The list of another club.")
        assert left == [f"{stranger.membership.account_no}: suspended"]
        for member, standing in ((owner, Standing.GOOD), (stranger, Standing.SUSPENDED)):
            member.membership.refresh_from_db()
            assert member.membership.standing == standing


class TestMemberMaster:
    HEADING = ("Account No", "Member No", "First Name", "Last Name", "Relation", "Email", "Category")

    def test_changes_a_person_and_shows_before_and_after(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        row = [owner.membership.account_no, owner.member_no, "Test", "Renamed", "Principal", "", "Regular"]
        batch = deliver(BatchKind.MEMBER_MASTER, self.HEADING, row)
        assert item_of(batch, 1).before["last_name"] == "Owner"
        batch = publish(batch, by=approver, now=now)
        owner.refresh_from_db()
        assert owner.last_name == "Renamed"
        assert owner.user is not None
        assert owner.user.display_name == "Test Renamed"

        roll_back_batch(batch=batch, by=approver, now=now, reason="She kept her name.")
        owner.refresh_from_db()
        assert owner.last_name == "Owner"

    def test_makes_new_households_and_people_and_closes_them_when_taken_back(
        self, owner: Member, deliver: Deliver, approver: Actor, now: datetime
    ) -> None:
        batch = deliver(
            BatchKind.MEMBER_MASTER,
            self.HEADING,
            ["N-77", "N-77-0", "New", "Principal", "", "new@example.com", "Regular"],
            ["N-77", "N-77-1", "New", "Spouse", "Wife", "", "Regular"],
        )
        assert ends(batch) == [(1, "open", ""), (2, "open", "")]
        assert not Membership.objects.filter(account_no="N-77").exists(), "the dry run leaves nothing"
        batch = publish(batch, by=approver, now=now)
        people = Member.objects.filter(membership__account_no="N-77").order_by("member_no")
        assert [(one.relation, one.user is not None) for one in people] == [
            ("principal", True),
            ("spouse", True),
        ]
        roll_back_batch(batch=batch, by=approver, now=now, reason="They did not join.")
        household = Membership.objects.get(account_no="N-77")
        assert household.valid_to == date(2026, 5, 31)
        assert [one.user.is_active for one in people.all() if one.user] == [False, False]

    def test_has_nothing_to_do_where_nothing_changes(
        self, owner: Member, stranger: Member, deliver: Deliver
    ) -> None:
        row = [owner.membership.account_no, owner.member_no, "Test", "Owner", "", "", "Regular"]
        assert ends(deliver(BatchKind.MEMBER_MASTER, self.HEADING, row)) == [(1, "duplicate", "no_change")]

    @pytest.mark.parametrize(
        ("relation", "email", "category", "said"),
        [
            ("Principal", "", "Regular", "This membership has a principal."),
            ("Wife", "nonsense", "Regular", "This is no e-mail address."),
            ("Wife", "", "Platinum", "There is no such category."),
            ("Butler", "", "Regular", "There is no such relation."),
        ],
    )
    def test_says_beforehand_what_the_house_would_refuse(
        self, owner: Member, deliver: Deliver, relation: str, email: str, category: str, said: str
    ) -> None:
        row = [owner.membership.account_no, "X-9", "New", "Person", relation, email, category]
        batch = deliver(BatchKind.MEMBER_MASTER, self.HEADING, row)
        assert ends(batch) == [(1, "quarantined", "not_master")]
        assert said in item_of(batch, 1).detail
