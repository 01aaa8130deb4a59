"""The pages of Finance: who sees them, what they refuse, and what they say to do next."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from accounts.services.roles import ROLES
from documents.models import BatchKind, DocumentAccess, ImportBatch, KindRule, Period, StatementSummary
from documents.services.batches.steps import approve_batch
from tests.documents.batches.delivery import (
    PERIOD,
    balance,
    balances_file,
    ends,
    item_of,
    publish,
    review,
    staff,
    work,
    zip_file,
)
from tests.documents.corpus.people import account_no, accounts
from tests.documents.corpus.statements import single
from tests.factories import MemberFactory, MembershipFactory

pytestmark = pytest.mark.django_db
STEPS = ("approve", "real", "send-back", "reopen", "read-again", "reject", "roll-back")


@pytest.fixture(autouse=True)
def at_now(travel: time_machine.Traveller) -> None:
    """The pages read the clock themselves."""


@pytest.fixture
def uploader(make_staff: Callable[[str], User]) -> User:
    return make_staff("Finance Uploader")


@pytest.fixture
def approver(make_staff: Callable[[str], User]) -> User:
    return make_staff("Finance Approver")


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def clerk(uploader: User) -> Client:
    return browser_of(uploader)


@pytest.fixture
def boss(approver: User) -> Client:
    return browser_of(approver)


@pytest.fixture
def batch(owner: Member, uploader: User, now: datetime) -> ImportBatch:
    rows = balance(owner.membership, 0, 5, 0, 5), balance("Z-9", 0, 7, 0, 7)
    return review(BatchKind.BALANCES, balances_file(*rows), now=now, by=staff(uploader))


def page(name: str, *args: object) -> str:
    return reverse(f"admin:documents_{name}", args=args)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


class TestAccess:
    def test_gives_each_page_and_step_to_whom_it_is_for(self, batch: ImportBatch, each_staff: User) -> None:
        role = ROLES[each_staff.groups.get().name]
        browser = browser_of(each_staff)
        item, month = item_of(batch, 1), Period.objects.get(period=PERIOD)
        sees = "documents.view_importbatch" in role
        for name, pk in (
            ("importbatch_change", batch.pk),
            ("importbatch_progress", batch.pk),
            ("importbatch_errors", batch.pk),
            ("importitem_change", item.pk),
            ("period_change", month.pk),
        ):
            assert (browser.get(page(name, pk)).status_code == 200) == sees, name
        for names, permission in (
            (("importbatch_add", "importbatch_corrections", "importbatch_control", "importbatch_reject"),
             "documents.upload_batch"),
            (("importbatch_approve", "importbatch_roll-back", "importbatch_send-back"),
             "documents.approve_batch"),
        ):  # fmt: skip
            for name in names:
                args: tuple[int, ...] = () if name.endswith("add") else (batch.pk,)
                wanted = 200 if permission in role else 403
                assert browser.get(page(name, *args)).status_code == wanted, name
        closing = 200 if "documents.approve_batch" in role else 403
        for name in ("period_close", "period_reopen"):
            assert browser.get(page(name, month.pk)).status_code == closing, name
        explaining = 200 if "documents.upload_batch" in role else 403
        assert browser.post(page("period_explain", month.pk), {}).status_code == explaining

    def test_sends_a_stranger_to_the_sign_in(self, batch: ImportBatch, client: Client) -> None:
        for step in STEPS:
            answer = client.post(page(f"importbatch_{step}", batch.pk), {"confirmed": "1", "reason": "x"})
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("admin:login"))
        batch.refresh_from_db()
        assert batch.state == "REVIEW"


class TestUpload:
    def send(self, browser: Client, *files: SimpleUploadedFile, **more: Any) -> Any:
        fields = {"kind": "balances", "period": PERIOD, "deliveries": list(files), **more}
        return browser.post(page("importbatch_add"), fields)

    def file(self, owner: Member, name: str = "may.csv") -> SimpleUploadedFile:
        content = balances_file(balance(owner.membership, 0, 5, 0, 5)).content.read()
        return SimpleUploadedFile(name, content)

    def test_makes_a_batch_and_leads_to_it(self, clerk: Client, uploader: User, owner: Member) -> None:
        answer = self.send(clerk, self.file(owner), control_count="1", control_total="5.00")
        batch = ImportBatch.objects.get()
        assert answer["Location"] == page("importbatch_change", batch.pk)
        assert (batch.uploader, batch.control_count, str(batch.control_total)) == (uploader, 1, "5.00")

    def test_leads_to_the_batch_there_is(self, clerk: Client, owner: Member) -> None:
        self.send(clerk, self.file(owner))
        answer = clerk.get(self.send(clerk, self.file(owner, "again.csv"))["Location"])
        assert "are here already" in text_of(answer)
        assert ImportBatch.objects.count() == 1

    def test_takes_several_files_for_one(self, clerk: Client, owner: Member, stranger: Member) -> None:
        self.send(clerk, self.file(owner, "a.csv"), self.file(stranger, "b.csv"))
        assert ImportBatch.objects.get().files.count() == 2

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"period": ""}, "This kind belongs to a month."),
            ({"period": "May"}, "Write the month as 2026-10"),
            ({"deliveries": []}, "This field is required."),
            ({"kind": "everything"}, "Select a valid choice."),
        ],
    )
    def test_says_what_is_wrong_with_the_form(
        self, clerk: Client, owner: Member, change: dict[str, Any], said: str
    ) -> None:
        fields = {"kind": "balances", "period": PERIOD, "deliveries": [self.file(owner)], **change}
        answer = clerk.post(page("importbatch_add"), fields)
        assert answer.status_code == 200
        assert said in text_of(answer)
        assert ImportBatch.objects.count() == 0

    @pytest.mark.parametrize("believed", [True, False])
    def test_is_cut_off_at_the_limit(
        self, clerk: Client, owner: Member, settings: Any, believed: bool
    ) -> None:
        """By the length that the browser states, and by counting where it states too little."""
        settings.FINANCE_UPLOAD_LIMIT = 2_000 if believed else 100
        large = SimpleUploadedFile("large.csv", b"x" * 5_000)
        more: dict[str, Any] = {} if believed else {"CONTENT_LENGTH": 90}
        fields = {"kind": "balances", "period": PERIOD, "deliveries": [large]}
        answer = clerk.post(page("importbatch_add"), fields, **more)
        assert answer.status_code == 200
        assert ImportBatch.objects.count() == 0
        if believed:
            assert "Send them in parts." in text_of(answer)

    def test_needs_the_token_of_the_form(self, uploader: User, owner: Member) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(uploader)
        assert self.send(browser, self.file(owner)).status_code == 403
        form = browser.get(page("importbatch_add"))
        token = str(form.context["csrf_token"])
        assert self.send(browser, self.file(owner), csrfmiddlewaretoken=token).status_code == 302


class TestBatchPage:
    def test_says_what_to_do_next_to_each(self, batch: ImportBatch, clerk: Client, boss: Client) -> None:
        assert "One item waits in quarantine" in text_of(clerk.get(page("importbatch_change", batch.pk)))
        assert "then approve: one item is published" in text_of(
            boss.get(page("importbatch_change", batch.pk))
        )

    def test_shows_how_far_it_is(self, clerk: Client, batch: ImportBatch) -> None:
        answer = clerk.get(page("importbatch_progress", batch.pk))
        assert answer.json() == {
            "state": "REVIEW", "label": "waits for review", "done": 0, "total": 2, "is_live": False,
        }  # fmt: skip
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [("show=all", 2), ("show=open", 1), ("show=waiting&reason=unknown_account", 1), ("show=all&q=z-9", 1),
         ("show=filed", 0), ("show=nonsense&p=99", 2)],
    )  # fmt: skip
    def test_filters_the_items(self, clerk: Client, batch: ImportBatch, query: str, found: int) -> None:
        answer = clerk.get(f"{page('importbatch_change', batch.pk)}?{query}")
        assert len(answer.context["rows"]) == found

    def test_asks_as_often_for_many_items_as_for_few(
        self,
        clerk: Client,
        batch: ImportBatch,
        uploader: User,
        now: datetime,
        django_assert_max_num_queries: Any,
    ) -> None:
        with django_assert_max_num_queries(30):
            clerk.get(f"{page('importbatch_change', batch.pk)}?show=all")
        rows = [balance(f"Y-{number}", 0, number, 0, number) for number in range(40)]
        large = review(BatchKind.BALANCES, balances_file(*rows), now=now, by=staff(uploader))
        with django_assert_max_num_queries(30):
            clerk.get(f"{page('importbatch_change', large.pk)}?show=all")

    def test_gives_an_error_file_that_no_spreadsheet_runs(
        self, clerk: Client, uploader: User, now: datetime
    ) -> None:
        rows = balance("Z-1", 0, 1, 0, 1), balance("=Z-9", 0, 7, 0, 7)
        batch = review(BatchKind.BALANCES, balances_file(*rows), now=now, by=staff(uploader))
        answer: Any = clerk.get(page("importbatch_errors", batch.pk))
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0].startswith("Item,Account,Name,Previous balance,Charges,Payments,Amount due,Due date")
        assert "The club has no such account." in lines[1]
        assert lines[2].startswith("2,'=Z-9,Test Member,0,7,0,7,")
        assert "The cell holds a formula." in lines[2]
        assert len(lines) == 3

    def test_reads_its_own_error_file_again(
        self, clerk: Client, batch: ImportBatch, stranger: Member, now: datetime
    ) -> None:
        answer: Any = clerk.get(page("importbatch_errors", batch.pk))
        text = b"".join(answer.streaming_content).decode().replace("Z-9", stranger.membership.account_no)
        sent = SimpleUploadedFile("corrected.csv", text.encode())
        answer = clerk.post(page("importbatch_corrections", batch.pk), {"deliveries": [sent]})
        assert answer["Location"] == page("importbatch_change", batch.pk)
        assert ends(work(batch, now)) == [(1, "open", ""), (2, "quarantined", "replaced"), (3, "open", "")]


class TestSteps:
    def confirm(self, browser: Client, step: str, batch: ImportBatch, reason: str = "Because.") -> Any:
        batch.refresh_from_db()
        url = f"{page(f'importbatch_{step}', batch.pk)}?version={batch.version}"
        return browser.post(url, {"confirmed": "1", "reason": reason}, follow=True)

    def test_approve_publish_and_roll_back(
        self, batch: ImportBatch, clerk: Client, boss: Client, now: datetime
    ) -> None:
        assert "Say why." in text_of(self.confirm(boss, "approve", batch, reason=""))
        assert "It is being published now." in text_of(self.confirm(boss, "approve", batch))
        batch = work(batch, now)
        assert "Published. One item is still in quarantine" in text_of(
            clerk.get(page("importbatch_change", batch.pk))
        )
        assert "Members see what they saw before." in text_of(self.confirm(boss, "roll-back", batch))
        assert not StatementSummary.objects.published().exists()
        assert [one.detail for one in batch.events.order_by("-pk")[:1]] == ["Because."]

    def test_refuse_on_the_page_what_the_service_refuses(
        self, batch: ImportBatch, uploader: User, boss: Client
    ) -> None:
        ImportBatch.objects.filter(pk=batch.pk).update(control_count=9)
        said = text_of(self.confirm(boss, "approve", batch))
        assert "Finance says 9 items, and there are 2." in said
        batch.refresh_from_db()
        assert batch.state == "REVIEW"

    def test_refuse_what_somebody_changed_in_the_meantime(self, batch: ImportBatch, boss: Client) -> None:
        url = f"{page('importbatch_approve', batch.pk)}?version={batch.version}"
        ImportBatch.objects.filter(pk=batch.pk).update(version=batch.version + 1)
        assert "Somebody has changed this batch" in text_of(
            boss.post(url, {"confirmed": "1", "reason": "Because."})
        )

    def test_reject_take_up_and_read_again(self, batch: ImportBatch, clerk: Client, now: datetime) -> None:
        self.confirm(clerk, "reject", batch)
        self.confirm(clerk, "reopen", batch)
        assert work(batch, now).state == "REVIEW"
        self.confirm(clerk, "read-again", batch)
        assert work(batch, now).state == "REVIEW"
        assert len(ends(batch)) == 2

    def test_send_back_to_review(
        self, batch: ImportBatch, approver: User, boss: Client, now: datetime
    ) -> None:
        approve_batch(batch=batch, by=staff(approver), now=now)
        assert "It is back in review." in text_of(self.confirm(boss, "send-back", batch))

    def test_make_a_trial_real(self, batch: ImportBatch, clerk: Client) -> None:
        ImportBatch.objects.filter(pk=batch.pk).update(is_trial=True)
        assert "This is a trial" in text_of(clerk.get(page("importbatch_change", batch.pk)))
        self.confirm(clerk, "real", batch)
        batch.refresh_from_db()
        assert not batch.is_trial

    def test_correct_the_control_figures(self, batch: ImportBatch, clerk: Client) -> None:
        fields = {"control_count": "2", "control_total": "12", "reason": "Mistyped."}
        clerk.post(page("importbatch_control", batch.pk), fields)
        batch.refresh_from_db()
        assert (batch.control_count, str(batch.control_total)) == (2, "12.00")

    def test_decide_about_all_of_one_reason(
        self, batch: ImportBatch, clerk: Client, owner: Member, approver: User, uploader: User, now: datetime
    ) -> None:
        publish(batch, by=staff(approver), now=now)
        other = review(
            BatchKind.BALANCES,
            balances_file(balance(owner.membership, 0, 6, 0, 6)),
            now=now,
            by=staff(uploader),
        )
        url = f"{page('importbatch_decide', other.pk)}?reason=other_version&decision=accept"
        assert owner.membership.account_no in text_of(clerk.get(url))
        clerk.post(url, {"confirmed": "1", "reason": "A late charge."})
        assert ends(other) == [(1, "open", "other_version")]


class TestItemPage:
    def test_gives_an_item_to_an_account_and_goes_on_to_the_next(
        self, batch: ImportBatch, clerk: Client, stranger: Member
    ) -> None:
        item = item_of(batch, 2)
        url = page("importitem_change", item.pk)
        fields = {"decision": "reassign", "account_no": "nobody", "reason": "Mistyped."}
        assert "There is no such account." in text_of(clerk.post(url, fields))
        fields["account_no"] = stranger.membership.account_no.lower()
        answer = clerk.post(url, fields)
        assert answer["Location"] == page("importbatch_change", batch.pk), "nothing else waits"
        assert item_of(batch, 2).membership == stranger.membership
        clerk.post(url, {"decision": "none", "reason": "Not theirs."})
        assert item_of(batch, 2).membership is None
        clerk.post(url, {"decision": "discard", "reason": "Nobody's."})
        assert item_of(batch, 2).decision == "discard"

    def test_says_what_cannot_be_accepted(self, batch: ImportBatch, clerk: Client) -> None:
        url = page("importitem_change", item_of(batch, 2).pk)
        said = text_of(clerk.post(url, {"decision": "accept", "reason": "It is right."}))
        assert "This item is wrong, so it cannot be accepted." in said

    def test_lets_nobody_decide_who_only_looks(self, batch: ImportBatch, boss: Client) -> None:
        url = page("importitem_change", item_of(batch, 2).pk)
        assert boss.get(url).status_code == 200
        assert boss.post(url, {"decision": "discard", "reason": "x"}).status_code == 403

    def test_shows_the_page_and_writes_down_who_looked_at_a_published_one(
        self, uploader: User, approver: User, clerk: Client, now: datetime
    ) -> None:
        MemberFactory.create(membership=MembershipFactory.create(account_no=account_no(1)))
        people = accounts(1, random.Random(2))
        files = {f"SOA_{PERIOD}_{account_no(1)}.pdf": single(people[0], lines=1), "x.txt": b"no"}
        batch = review(BatchKind.STATEMENT_ZIP, zip_file(files), now=now, by=staff(uploader))
        url = page("importitem_page", item_of(batch, 1).pk, 1)
        answer = clerk.get(url)
        assert answer["Content-Type"] == "image/webp"
        assert answer.content[8:12] == b"WEBP"
        assert "private" in answer["Cache-Control"]
        assert not DocumentAccess.objects.exists()
        publish(batch, by=staff(approver), now=now)
        clerk.get(url)
        access = DocumentAccess.objects.get()
        assert (access.user, access.is_staff, access.kind) == (uploader, True, "preview")
        for missing in (
            page("importitem_page", item_of(batch, 1).pk, 2),
            page("importitem_page", item_of(batch, 2).pk, 1),
        ):
            assert clerk.get(missing).status_code == 404


class TestPeriodPage:
    def test_explains_closes_and_opens(
        self, batch: ImportBatch, owner: Member, approver: User, clerk: Client, boss: Client, now: datetime
    ) -> None:
        month = Period.objects.get(period=PERIOD)
        publish(batch, by=staff(approver), now=now)
        other = MembershipFactory.create(account_no="N-1")
        said = text_of(boss.post(page("period_close", month.pk), {"confirmed": "1", "reason": "Over."}))
        assert "Explain each gap first." in said
        url = page("period_explain", month.pk)
        assert "Tick the memberships first." in text_of(clerk.post(url, {"reason": "no_charges"}))
        clerk.post(url, {"membership": [str(other.pk)], "reason": "joined_later", "note": ""})
        boss.post(page("period_close", month.pk), {"confirmed": "1", "reason": "Over."})
        month.refresh_from_db()
        assert month.is_closed
        assert "Closed on" in text_of(clerk.get(page("period_change", month.pk)))
        boss.post(page("period_reopen", month.pk), {"confirmed": "1", "reason": "Not over."})
        month.refresh_from_db()
        assert not month.is_closed

    def test_shows_which_file_has_not_come(self, uploader: User) -> None:
        KindRule.objects.filter(kind="delinquency").update(expected_day=1)
        with time_machine.travel("2026-06-09T01:00:00Z", tick=False):
            said = text_of(browser_of(uploader).get(page("importbatch_changelist")))
        assert "Not here yet: <b>delinquency list</b> for 2026-05, expected by 1 June 2026." in said


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "sample", "said"),
        [
            ("{account_no}.pdf", "T-1.pdf", "The club has no such account."),
            ("{account_no}.pdf", "", "Give a file name"),
            ("{account_no}-{period}.pdf", "T-1.pdf", "does not fit"),
            ("{wrong}.pdf", "T-1.pdf", "wrong"),
        ],
    )
    def test_are_tried_while_they_are_typed(
        self, clerk: Client, pattern: str, sample: str, said: str
    ) -> None:
        answer = clerk.get(page("filenamepattern_try"), {"pattern": pattern, "sample": sample})
        assert said in answer.json()["said"]

    def test_are_refused_where_they_do_not_read_their_sample(self, clerk: Client) -> None:
        fields = {
            "kind": "statement_zip", "pattern": "X_{account_no}.pdf", "document_kind": "statement",
            "sample": "Y_1.pdf", "position": "1", "is_active": "on",
        }  # fmt: skip
        assert "does not fit this name" in text_of(clerk.post(page("filenamepattern_add"), fields))
