"""The back office's pages of documents: who reads, what is written down, and taking back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Member, User
from documents.models import AccessKind, Document, DocumentAccess
from tests.documents.papers import PDF, make_account, make_document, make_sums

pytestmark = pytest.mark.django_db
PAGE = "/admin/documents/document/"
READERS = {"Finance Uploader", "Finance Approver"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def statement(owner: Member, now: datetime) -> Document:
    return make_document(owner.membership, "2026-05", now=now)


@pytest.fixture
def approver(make_staff: Callable[[str], User], travel: object) -> User:
    return make_staff("Finance Approver")


class TestDownload:
    def test_is_for_who_may_read_and_is_written_down(
        self, each_staff: User, statement: Document, travel: object, now: datetime
    ) -> None:
        group = each_staff.groups.get().name
        answer = signed_in(each_staff).get(f"{PAGE}{statement.pk}/download/")
        if group not in READERS:
            assert answer.status_code == 403
            assert not DocumentAccess.objects.exists()
            return
        assert answer.getvalue().startswith(PDF)
        assert "no-store" in answer["Cache-Control"]
        row = DocumentAccess.objects.get()
        assert (row.user, row.is_staff, row.kind, row.at) == (each_staff, True, AccessKind.DOWNLOAD, now)

    def test_is_shown_to_the_member(
        self,
        approver: User,
        statement: Document,
        owner: Member,
        client_of: Callable[[Member], APIClient],
    ) -> None:
        signed_in(approver).get(f"{PAGE}{statement.pk}/download/")
        (shown,) = client_of(owner).get("/api/v1/me/access-log").json()["results"]
        assert (shown["by"], shown["document"]["id"]) == ("Test Finance Approver", str(statement.public_id))

    def test_sends_strangers_to_sign_in(self, owner: Member, statement: Document, client: Client) -> None:
        assert client.get(f"{PAGE}{statement.pk}/download/").status_code == 302
        assert owner.user is not None
        assert signed_in(owner.user).get(f"{PAGE}{statement.pk}/download/").status_code == 302
        assert not DocumentAccess.objects.exists()

    def test_says_that_storage_lost_it(self, approver: User, owner: Member, now: datetime) -> None:
        document = make_document(owner.membership, "2026-01", now=now, body=b"%PDF to be lost")
        default_storage.delete(document.asset.key)
        page = signed_in(approver).get(f"{PAGE}{document.pk}/download/", follow=True)
        assert "Storage has lost this file." in page.content.decode()
        assert not DocumentAccess.objects.exists()

    @pytest.mark.parametrize("pk", ["999999", "9" * 30])
    def test_of_nothing_is_not_there(self, approver: User, pk: str) -> None:
        assert signed_in(approver).get(f"{PAGE}{pk}/download/").status_code == 404


class TestWithdraw:
    def test_asks_why_and_takes_it_back(
        self, approver: User, statement: Document, owner: Member, client_of: Callable[[Member], APIClient]
    ) -> None:
        browser = signed_in(approver)
        page = browser.get(f"{PAGE}{statement.pk}/withdraw/")
        assert "its links end at once" in page.content.decode()
        assert browser.post(f"{PAGE}{statement.pk}/withdraw/", {"confirmed": "1"}).status_code == 200
        done = browser.post(
            f"{PAGE}{statement.pk}/withdraw/", {"confirmed": "1", "reason": "Another's."}, follow=True
        )
        assert "It is withdrawn." in done.content.decode()
        assert "Another&#x27;s." in done.content.decode()
        assert "Withdraw…" not in done.content.decode()
        statement.refresh_from_db()
        assert (statement.state, statement.ended_by) == ("withdrawn", approver)
        assert client_of(owner).get("/api/v1/statements").json()["results"] == []
        again = browser.post(f"{PAGE}{statement.pk}/withdraw/", {"confirmed": "1", "reason": "Again."})
        assert "Only a published document can be withdrawn." in again.content.decode()

    def test_is_for_the_approver(self, make_staff: Callable[[str], User], statement: Document) -> None:
        for group in ("Finance Uploader", "Auditor", "Front Desk"):
            browser = signed_in(make_staff(group))
            answer = browser.post(f"{PAGE}{statement.pk}/withdraw/", {"confirmed": "1", "reason": "No."})
            assert answer.status_code == 403
        statement.refresh_from_db()
        assert statement.state == "published"


class TestPages:
    def test_show_what_each_role_may_do(self, make_staff: Callable[[str], User], statement: Document) -> None:
        for group, words, others in (
            ("Finance Approver", ("Download", "Withdraw…"), ()),
            ("Finance Uploader", ("Download",), ("Withdraw…",)),
            ("Auditor", ("no further",), ("Download", "Withdraw…")),
        ):
            page = signed_in(make_staff(group)).get(f"{PAGE}{statement.pk}/change/").content.decode()
            assert all(word in page for word in words)
            assert not [word for word in others if word in page]
            assert f"SOA_2026-05_{statement.membership.account_no}.pdf" in page

    def test_lists_open_and_find(
        self, approver: User, statement: Document, owner: Member, now: datetime
    ) -> None:
        make_sums(owner.membership, "2026-05", now=now)
        make_account(owner.membership, "2026-05", now=now)
        browser = signed_in(approver)
        browser.get(f"{PAGE}{statement.pk}/download/")
        number = owner.membership.account_no
        for name in ("document", "documentaccess", "statementsummary", "accountentry", "assessment"):
            page = browser.get(f"/admin/documents/{name}/", {"q": number})
            assert page.status_code == 200
            assert number in page.content.decode(), name
        asked = {"by": "staff", "document__id__exact": str(statement.pk)}
        page = browser.get("/admin/documents/documentaccess/", asked)
        assert "Test Finance Approver" in page.content.decode()

    def test_change_nothing(self, approver: User, statement: Document) -> None:
        browser = signed_in(approver)
        assert browser.post(f"{PAGE}{statement.pk}/change/", {"state": "draft"}).status_code == 403
        assert browser.get(f"{PAGE}add/").status_code == 403
        assert browser.post(f"{PAGE}{statement.pk}/delete/", {"post": "yes"}).status_code == 403
