"""The page of a published batch: its files as ZIP, and statements rendered from its rows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Member, User
from documents.models import AccessKind, BatchKind, Document, DocumentAccess, ImportBatch, KindRule, Period
from documents.policies.batches import BatchState
from documents.services.archives import MANIFEST
from documents.services.defaults import sync_defaults
from tests.documents.papers import file_in_batch, make_batch, make_document, make_sums

pytestmark = pytest.mark.django_db
PAGE = "/admin/documents/importbatch/"


@pytest.fixture
def statements(owner: Member, now: datetime, travel: object) -> ImportBatch:
    batch = make_batch(BatchKind.STATEMENT_ZIP, now=now)
    file_in_batch(batch, make_document(owner.membership, "2026-05", now=now))
    return batch


@pytest.fixture
def balances(owner: Member, now: datetime, travel: object) -> ImportBatch:
    make_sums(owner.membership, "2026-05", now=now)
    return make_batch(BatchKind.BALANCES, now=now)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestArchive:
    def test_is_for_who_may_read_and_each_document_is_written_down(
        self, statements: ImportBatch, each_staff: User
    ) -> None:
        answer = signed_in(each_staff).get(f"{PAGE}{statements.pk}/archive/")
        if each_staff.groups.get().name not in ("Finance Uploader", "Finance Approver"):
            assert answer.status_code == 403
            assert not DocumentAccess.objects.exists()
            return
        names = zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
        assert names[-1] == MANIFEST
        row = DocumentAccess.objects.get()
        assert (row.kind, row.is_staff, row.user) == (AccessKind.EXPORT, True, each_staff)
        assert 'filename="statement_zip_2026-05.zip"' in answer["Content-Disposition"]

    def test_is_offered_on_the_page_of_a_published_batch(
        self, statements: ImportBatch, make_staff: Callable[[str], User]
    ) -> None:
        browser = signed_in(make_staff("Finance Approver"))
        assert "Take the files away as ZIP" in browser.get(f"{PAGE}{statements.pk}/change/").content.decode()
        ImportBatch.objects.filter(pk=statements.pk).update(state=BatchState.REVIEW.value)
        assert "as ZIP" not in browser.get(f"{PAGE}{statements.pk}/change/").content.decode()
        assert browser.get(f"{PAGE}{statements.pk}/archive/").status_code == 403


class TestRender:
    def test_makes_the_statements_of_the_month_from_the_page(
        self, balances: ImportBatch, make_staff: Callable[[str], User]
    ) -> None:
        browser = signed_in(make_staff("Finance Approver"))
        page = browser.get(f"{PAGE}{balances.pk}/change/").content.decode()
        assert "Render the statements of this month" in page
        done = browser.post(f"{PAGE}{balances.pk}/render/", follow=True).content.decode()
        assert "Statements made: 1. There already: 0." in done
        assert Document.objects.get().period == "2026-05"
        again = browser.post(f"{PAGE}{balances.pk}/render/", follow=True).content.decode()
        assert "Statements made: 0. There already: 1." in again

    def test_tells_why_not(
        self, balances: ImportBatch, make_staff: Callable[[str], User], now: datetime
    ) -> None:
        Period.objects.create(period="2026-05", closed_at=now)
        browser = signed_in(make_staff("Finance Approver"))
        done = browser.post(f"{PAGE}{balances.pk}/render/", follow=True).content.decode()
        assert "This month is closed" in done

    def test_is_for_the_approver_and_by_post(
        self, balances: ImportBatch, make_staff: Callable[[str], User]
    ) -> None:
        assert signed_in(make_staff("Auditor")).post(f"{PAGE}{balances.pk}/render/").status_code == 403
        assert (
            signed_in(make_staff("Finance Approver")).get(f"{PAGE}{balances.pk}/render/").status_code == 405
        )
        assert not Document.objects.exists()


class TestCommand:
    def test_says_what_it_did(self, balances: ImportBatch) -> None:
        out = io.StringIO()
        call_command("render_statements", "2026-05", stdout=out)
        assert "Made: 1. There already: 0." in out.getvalue()

    def test_says_what_is_wrong(self, balances: ImportBatch, now: datetime) -> None:
        with pytest.raises(CommandError, match="Write the month"):
            call_command("render_statements", "May")
        Period.objects.create(period="2026-05", closed_at=now)
        with pytest.raises(CommandError, match="closed"):
            call_command("render_statements", "2026-05")


class TestRules:
    def test_take_a_name_that_can_be_filled_alone(
        self, make_staff: Callable[[str], User], travel: object
    ) -> None:
        sync_defaults()
        rule = KindRule.objects.get(kind=BatchKind.PAPERS)
        assert rule.download_name == "{kind}_{period}_{account_no}_{number}.pdf"
        boss = User.objects.create_superuser("boss")
        browser, url = signed_in(boss), f"/admin/documents/kindrule/{rule.pk}/change/"
        form = {"expected_day": "", "amount_limit": "", "outlier_factor": "10", "needs_second_person": "on"}
        refused = browser.post(url, {**form, "download_name": "{month}.pdf"})
        assert "There is no {month}." in refused.content.decode()
        assert browser.post(url, {**form, "download_name": "Receipt {number}.pdf"}).status_code == 302
        rule.refresh_from_db()
        assert rule.download_name == "Receipt {number}.pdf"
