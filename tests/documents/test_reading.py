"""The routes of papers and accounts: whose they are, in how many queries, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Member, User
from documents.models import AccessKind, BatchKind, DocumentAccess, Publication
from documents.views.files import SMALL
from tests.documents.papers import (
    file_in_batch,
    make_account,
    make_batch,
    make_document,
    make_entry,
    make_statement,
    make_sums,
    name_files,
    read_by_staff,
)

pytestmark = pytest.mark.django_db
Clients = Callable[[Member | User], APIClient]
API = "/api/v1"


def pages_of(client: APIClient, url: str) -> list[dict[str, Any]]:
    """All results, page by page."""
    found: list[dict[str, Any]] = []
    following: str | None = url
    while following:
        answer = client.get(following).json()
        found += answer["results"]
        following = answer["next"]
    return found


class TestStatements:
    def test_are_the_households_newest_first_with_their_sums(
        self, client_of: Clients, owner: Member, stranger: Member, now: datetime
    ) -> None:
        make_document(owner.membership, "2026-03", now=now)
        make_statement(owner.membership, "2026-05", now=now, due="4380.50")
        make_statement(owner.membership, "2026-04", now=now)
        make_statement(stranger.membership, "2026-05", now=now)
        shown = client_of(owner).get(f"{API}/statements").json()["results"]
        assert [one["period"] for one in shown] == ["2026-05", "2026-04", "2026-03"]
        assert shown[0]["sums"] == {
            "previous": "1250.00", "charges": "4380.50", "payments": "1250.00", "due": "4380.50",
            "currency": "PHP", "due_on": "2026-06-20",
        }  # fmt: skip
        assert shown[2]["sums"] is None

    @pytest.mark.parametrize("state", [one for one in Publication if one != Publication.PUBLISHED])
    def test_are_the_published_ones(
        self, client_of: Clients, owner: Member, now: datetime, state: Publication
    ) -> None:
        gone = make_document(owner.membership, "2026-05", now=now, state=state)
        client = client_of(owner)
        assert client.get(f"{API}/statements").json()["results"] == []
        for path in (
            "statements/2026-05",
            f"documents/{gone.public_id}",
            f"documents/{gone.public_id}/content",
        ):
            assert client.get(f"{API}/{path}").status_code == 404, path
        assert client.post(f"{API}/documents/{gone.public_id}/link", {}).status_code == 404
        assert not DocumentAccess.objects.exists()

    def test_of_a_month_with_sums_alone_shows_those(
        self, client_of: Clients, owner: Member, stranger: Member, now: datetime
    ) -> None:
        make_sums(owner.membership, "2026-05", now=now, due="4380.50")
        shown = client_of(owner).get(f"{API}/statements/2026-05").json()
        assert (shown["period"], shown["document"], shown["sums"]["due"]) == ("2026-05", None, "4380.50")
        assert client_of(stranger).get(f"{API}/statements/2026-05").status_code == 404

    def test_who_was_given_it_sees_them_too(
        self, client_of: Clients, owner: Member, spouse: Member, dependent: Member, now: datetime
    ) -> None:
        statement = make_statement(owner.membership, "2026-05", now=now)
        spouse.can_view_statements = True
        spouse.save()
        assert client_of(spouse).get(f"{API}/documents/{statement.public_id}/content").status_code == 200
        assert client_of(dependent).get(f"{API}/statements").json()["results"] == []
        assert client_of(dependent).get(f"{API}/statements/2026-05").status_code == 404

    @pytest.mark.parametrize("period", ["2026-04", "2026-13", "nonsense", "2026-05%00", "..", "%2e%2e%2fme"])
    def test_of_a_month_without_one_is_not_there(
        self, client_of: Clients, owner: Member, now: datetime, period: str
    ) -> None:
        make_statement(owner.membership, "2026-05", now=now)
        assert client_of(owner).get(f"{API}/statements/{period}").status_code == 404

    def test_cost_the_same_queries_however_many(
        self,
        client_of: Clients,
        owner: Member,
        now: datetime,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client = client_of(owner)
        client.get(f"{API}/statements")  # who it is, is remembered
        for month in range(1, 13):
            make_statement(owner.membership, f"2025-{month:02}", now=now)
        # The page, its sums, which batch filed each, and the patterns of names.
        with django_assert_num_queries(4):
            assert len(client.get(f"{API}/statements?page_size=100").json()["results"]) == 12
        with django_assert_num_queries(4):
            client.get(f"{API}/statements/2025-07")


class TestDocuments:
    def test_are_of_every_kind_and_filtered(self, client_of: Clients, owner: Member, now: datetime) -> None:
        for number in ("7", "8"):
            make_document(owner.membership, "2026-05", now=now, kind="receipt", number=number)
        make_document(owner.membership, "2026-04", now=now)
        client = client_of(owner)
        assert len(pages_of(client, f"{API}/documents?page_size=1")) == 3
        receipts = client.get(f"{API}/documents?kind=receipt").json()["results"]
        assert {one["name"] for one in receipts} == {
            f"OR_2026-05_{owner.membership.account_no}_{number}.pdf" for number in "78"
        }
        assert [one["kind"] for one in client.get(f"{API}/documents?period=2026-04").json()["results"]] == [
            "statement"
        ]
        assert client.get(f"{API}/documents?period=2026-4").status_code == 400

    def test_say_what_they_are_and_who_has_it_is_spared(
        self, client_of: Clients, owner: Member, now: datetime
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        client = client_of(owner)
        answer = client.get(f"{API}/documents/{document.public_id}")
        assert answer.json()["bytes"] == document.asset.size
        again = client.get(f"{API}/documents/{document.public_id}", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304


class TestContent:
    def test_comes_under_its_name_and_leaves_a_row(
        self, client_of: Clients, owner: Member, now: datetime
    ) -> None:
        name_files("balances", "Estado Peña {account_no} {period}")
        document = make_document(owner.membership, "2026-05", now=now)
        answer = client_of(owner).get(
            f"{API}/documents/{document.public_id}/content", headers={"Accept": "application/pdf"}
        )
        assert answer.status_code == 200
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Type"] == "application/pdf"
        assert "Estado%20Pe%C3%B1a%20T-" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "private, no-store"
        row = DocumentAccess.objects.get()
        assert (row.document, row.user, row.is_staff, row.kind) == (
            document, owner.user, False, AccessKind.DOWNLOAD,
        )  # fmt: skip
        assert row.at == now

    def test_is_called_as_the_rule_of_its_batch_says(
        self, client_of: Clients, owner: Member, now: datetime
    ) -> None:
        name_files("papers", "Receipt {number}")
        name_files("balances", "Statement {period}")
        receipt = make_document(owner.membership, "2026-05", now=now, kind="receipt", number="7")
        file_in_batch(make_batch(BatchKind.PAPERS, now=now), receipt)
        statement = make_document(owner.membership, "2026-05", now=now)
        notice = make_document(owner.membership, "2026-05", now=now, kind="notice")
        client = client_of(owner)
        for document, name in (
            (receipt, "Receipt 7.pdf"),
            (statement, "Statement 2026-05.pdf"),
            (notice, f"Notice_2026-05_{owner.membership.account_no}.pdf"),
        ):
            answer = client.get(f"{API}/documents/{document.public_id}/content")
            assert f'filename="{name}"' in answer["Content-Disposition"]
            assert client.get(f"{API}/documents/{document.public_id}").json()["name"] == name

    def test_of_a_part_is_a_reading_and_of_nothing_is_none(
        self, client_of: Clients, owner: Member, now: datetime
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        client, url = client_of(owner), f"{API}/documents/{document.public_id}/content"
        assert client.head(url)["Content-Length"] == str(document.asset.size)
        known = client.get(url, headers={"If-None-Match": f'"{document.sha256[:32]}"'})
        assert known.status_code == 304
        assert client.get(url, headers={"Range": "bytes=999999-"}).status_code == 416
        assert not DocumentAccess.objects.exists()
        part = client.get(url, headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"%PDF")
        assert DocumentAccess.objects.count() == 1

    def test_is_streamed_when_it_is_large(self, client_of: Clients, owner: Member, now: datetime) -> None:
        body = b"%PDF" + bytes(SMALL * 2)
        document = make_document(owner.membership, "2026-05", now=now, body=body)
        answer = client_of(owner).get(f"{API}/documents/{document.public_id}/content")
        assert answer.streaming
        assert answer.getvalue() == body

    def test_that_storage_lost_is_not_there_and_nobody_read_it(
        self, client_of: Clients, owner: Member, now: datetime
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now, body=b"%PDF lost")
        default_storage.delete(document.asset.key)
        assert client_of(owner).get(f"{API}/documents/{document.public_id}/content").status_code == 404
        assert not DocumentAccess.objects.exists()

    def test_costs_one_query_and_the_row(
        self,
        client_of: Clients,
        owner: Member,
        now: datetime,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        client, url = client_of(owner), f"{API}/documents/{document.public_id}/content"
        client.get(url)
        # Whose, where and what called; then the row of the access log in a transaction of its own.
        with django_assert_num_queries(1 + 3):
            client.get(url)

    @pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}, {"If-None-Match": "*"}])
    @pytest.mark.parametrize("method", ["get", "head"])
    def test_of_another_is_like_what_is_not_there(
        self,
        client_of: Clients,
        owner: Member,
        stranger: Member,
        now: datetime,
        method: str,
        headers: dict[str, str],
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        client = client_of(stranger)
        answers = [
            getattr(client, method)(f"{API}/documents/{one}/content", headers=headers)
            for one in (document.public_id, uuid4())
        ]
        theirs, nobodys = ((one.status_code, _plain(one)) for one in answers)
        assert theirs == nobodys
        assert theirs[0] == 404
        assert not DocumentAccess.objects.exists()

    @pytest.mark.parametrize(
        "path",
        [
            "/media/{key}", "/files/{key}", "/{key}", "/static/{key}", "/static/../{key}", "/_files/{key}",
            "/api/v1/files/{key}", "/api/v1/documents/{pk}/content", "/api/v1/documents/{sha}/content",
        ],
    )  # fmt: skip
    def test_is_nowhere_else(self, client_of: Clients, owner: Member, now: datetime, path: str) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        url = path.format(key=document.asset.key, pk=document.pk, sha=document.sha256)
        assert client_of(owner).get(url).status_code == 404


class TestAccount:
    def test_balance_is_of_the_last_sums(self, client_of: Clients, owner: Member, now: datetime) -> None:
        make_sums(owner.membership, "2026-04", now=now)
        make_sums(owner.membership, "2026-05", now=now, due="4380.50")
        make_sums(owner.membership, "2026-06", now=now, state=Publication.DRAFT)
        make_account(owner.membership, "2026-05", now=now)
        shown = client_of(owner).get(f"{API}/account/balance").json()
        assert (shown["period"], shown["due"], shown["currency"]) == ("2026-05", "4380.50", "PHP")
        assert [one["code"] for one in shown["assessments"]] == ["COURSE"]

    def test_balance_before_the_first_is_not_there(self, client_of: Clients, owner: Member) -> None:
        assert client_of(owner).get(f"{API}/account/balance").status_code == 404

    def test_entries_are_paged_without_a_gap_or_a_second_time(
        self, client_of: Clients, owner: Member, stranger: Member, now: datetime
    ) -> None:
        for number in range(25):
            make_entry(
                owner.membership, "2026-05", now=now, number=f"CH-{number}",
                posted_on=date(2026, 5, 1) + timedelta(days=number // 5),
            )  # fmt: skip
        make_entry(stranger.membership, "2026-05", now=now, number="X", posted_on=date(2026, 5, 1))
        found = pages_of(client_of(owner), f"{API}/account/entries?page_size=7")
        assert [one["number"] for one in found] == [f"CH-{number}" for number in reversed(range(25))]

    def test_entries_are_filtered(self, client_of: Clients, owner: Member, now: datetime) -> None:
        make_account(owner.membership, "2026-05", now=now)
        make_entry(owner.membership, "2026-06", now=now, number="CH-9", posted_on=date(2026, 6, 1))
        client = client_of(owner)
        for query, numbers in {
            "kind=payment": ["OR-1"],
            "period=2026-06": ["CH-9"],
            "since=2026-05-20": ["CH-9", "OR-1"],
            "until=2026-05-17": ["CH-1"],
            "since=2026-05-18&until=2026-05-19": [],
        }.items():
            shown = client.get(f"{API}/account/entries?{query}").json()["results"]
            assert [one["number"] for one in shown] == numbers, query

    def test_is_nobody_elses(
        self, client_of: Clients, owner: Member, dependent: Member, stranger: Member, now: datetime
    ) -> None:
        make_sums(owner.membership, "2026-05", now=now)
        make_account(owner.membership, "2026-05", now=now)
        for one in (dependent, stranger):
            assert client_of(one).get(f"{API}/account/balance").status_code == 404
            assert client_of(one).get(f"{API}/account/entries").json()["results"] == []


class TestAccessLog:
    def test_shows_what_staff_read_and_not_what_the_member_did(
        self,
        client_of: Clients,
        owner: Member,
        stranger: Member,
        now: datetime,
        make_staff: Callable[[str], User],
        travel: time_machine.Traveller,
    ) -> None:
        auditor = make_staff("Auditor")
        mine = make_document(owner.membership, "2026-05", now=now)
        draft = make_document(owner.membership, "2026-06", now=now, state=Publication.DRAFT)
        theirs = make_document(stranger.membership, "2026-05", now=now)
        client = client_of(owner)
        client.get(f"{API}/documents/{mine.public_id}/content")
        for document in (draft, theirs, mine):
            read_by_staff(document, auditor, now=now)
        (shown,) = client.get(f"{API}/me/access-log").json()["results"]
        assert shown == {
            "at": "2026-06-01T00:00:00Z",
            "by": "Test Auditor",
            "how": "download",
            "subject": "document",
            "document": {
                "id": str(mine.public_id), "kind": "statement", "period": "2026-05", "number": "",
            },
        }  # fmt: skip

    def test_is_shown_to_who_may_see_the_papers(
        self,
        client_of: Clients,
        owner: Member,
        dependent: Member,
        now: datetime,
        make_staff: Callable[[str], User],
    ) -> None:
        read_by_staff(make_document(owner.membership, "2026-05", now=now), make_staff("Auditor"), now=now)
        assert client_of(dependent).get(f"{API}/me/access-log").json()["results"] == []

    def test_costs_one_query(
        self,
        client_of: Clients,
        owner: Member,
        now: datetime,
        make_staff: Callable[[str], User],
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        document, auditor = make_document(owner.membership, "2026-05", now=now), make_staff("Auditor")
        for _ in range(5):
            read_by_staff(document, auditor, now=now)
        client = client_of(owner)
        client.get(f"{API}/me/access-log")
        with django_assert_num_queries(1):
            assert len(client.get(f"{API}/me/access-log").json()["results"]) == 5


def _plain(answer: Any) -> tuple[dict[str, str], Any]:
    headers = {name: text for name, text in answer.items() if name not in ("X-Request-ID", "RateLimit")}
    body = answer.json() if answer.content else {}
    body.pop("request_id", None)
    return headers, body
