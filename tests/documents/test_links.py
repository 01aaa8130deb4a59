"""Signed links: to whom, for how long, and what ends them before their time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Member, Session, Standing, User
from accounts.services.sessions import log_out_everywhere, revoke_session
from documents.models import AccessKind, Document, DocumentAccess
from documents.policies.links import proxy_signature
from tests.documents.papers import make_document

pytestmark = pytest.mark.django_db
Clients = Callable[[Member | User], APIClient]


@pytest.fixture
def statement(owner: Member, now: datetime) -> Document:
    return make_document(owner.membership, "2026-05", now=now)


def link_to(client: APIClient, document: Document, **body: int) -> Any:
    return client.post(f"/api/v1/documents/{document.public_id}/link", body)


def opened(url: str, method: str = "get", **headers: str) -> Any:
    """What a viewer without a header gets."""
    return getattr(APIClient(), method)(url.removeprefix("http://testserver"), headers=headers)


class TestCheckedHere:
    def test_opens_without_a_header_until_it_is_over(
        self, client_of: Clients, owner: Member, statement: Document, travel: time_machine.Traveller
    ) -> None:
        made = link_to(client_of(owner), statement, seconds=600)
        assert made.status_code == 200
        assert made.json()["expires_at"] == "2026-06-01T00:10:00Z"
        assert made.json()["checked_by"] == "application"
        url = made.json()["url"]
        assert opened(url).content.startswith(b"%PDF")
        assert opened(url, Range="bytes=0-3").content == b"%PDF"
        assert opened(url, "head").status_code == 200
        travel.shift(timedelta(seconds=599))
        assert opened(url).status_code == 200
        travel.shift(timedelta(seconds=1))
        refused = opened(url)
        assert (refused.status_code, refused.json()["code"]) == (401, "link_expired")

    def test_leaves_a_row_when_it_is_made_and_when_it_is_used(
        self, client_of: Clients, owner: Member, statement: Document
    ) -> None:
        url = link_to(client_of(owner), statement).json()["url"]
        opened(url)
        rows = DocumentAccess.objects.order_by("pk")
        assert [(row.kind, row.user) for row in rows] == [
            (AccessKind.LINK, owner.user), (AccessKind.DOWNLOAD, owner.user),
        ]  # fmt: skip

    def test_edited_in_any_place_opens_nothing(
        self, client_of: Clients, owner: Member, statement: Document
    ) -> None:
        url = link_to(client_of(owner), statement).json()["url"]
        path, _, token = url.partition("?link=")
        for place in range(0, len(token), 3):
            other = "A" if token[place] != "A" else "B"
            spoilt = token[:place] + other + token[place + 1 :]
            assert opened(f"{path}?link={spoilt}").status_code == 401, place
        for text in ("", "x", "::", token + "A", token[:-1], "é", "%FF", "x" * 500):
            assert opened(f"{path}?link={text}").status_code == 401, text
        assert opened(f"{path}?link={'x' * 5000}").status_code == 401
        assert opened(path).status_code == 401
        assert not DocumentAccess.objects.exclude(kind=AccessKind.LINK).exists()

    def test_opens_its_own_document_alone(
        self, client_of: Clients, owner: Member, statement: Document, now: datetime
    ) -> None:
        other = make_document(owner.membership, "2026-04", now=now)
        url = link_to(client_of(owner), statement).json()["url"]
        for another in (other.public_id, uuid4()):
            assert opened(url.replace(str(statement.public_id), str(another))).status_code == 401
        for path in ("documents", "statements", "me", f"documents/{statement.public_id}"):
            query = urlsplit(url).query
            assert opened(f"/api/v1/{path}?{query}").status_code in (400, 401), path

    def test_does_not_help_who_is_signed_in_as_another(
        self, client_of: Clients, owner: Member, stranger: Member, statement: Document
    ) -> None:
        url = link_to(client_of(owner), statement).json()["url"].removeprefix("http://testserver")
        assert client_of(stranger).get(url).status_code == 404

    @pytest.mark.parametrize(
        "ending",
        [
            "deactivated",
            "household suspended",
            "everywhere",
            "revoked",
            "session over",
            "password",
            "no longer read",
        ],
    )
    def test_is_dead_at_once(
        self, client_of: Clients, owner: Member, statement: Document, now: datetime, ending: str
    ) -> None:
        user = owner.user
        assert user is not None
        url = link_to(client_of(owner), statement, seconds=3600).json()["url"]
        assert opened(url).status_code == 200
        session = Session.objects.get(user=user)
        match ending:
            case "deactivated":
                User.objects.filter(pk=user.pk).update(is_active=False)
            case "household suspended":
                owner.membership.standing = Standing.SUSPENDED
                owner.membership.save()
            case "everywhere":
                log_out_everywhere(user_id=user.pk, now=now)
            case "revoked":
                revoke_session(public_id=session.public_id, now=now)
            case "session over":
                Session.objects.filter(pk=session.pk).update(expires_at=now)
            case "password":
                User.objects.filter(pk=user.pk).update(token_version=user.token_version + 1)
            case "no longer read":
                Member.objects.filter(pk=owner.pk).update(relation="spouse")
        refused = opened(url)
        assert refused.status_code == (404 if ending == "no longer read" else 401)

    def test_is_not_given_to_a_suspended_household(
        self, client_of: Clients, owner: Member, statement: Document
    ) -> None:
        owner.membership.standing = Standing.SUSPENDED
        owner.membership.save()
        client = client_of(owner)
        refused = link_to(client, statement)
        assert (refused.status_code, refused.json()["code"]) == (403, "membership_suspended")
        # What they owe they may still read.
        assert client.get(f"/api/v1/documents/{statement.public_id}/content").status_code == 200

    @pytest.mark.parametrize("seconds", [0, -1, 3601, 10**9])
    def test_is_of_an_hour_at_most(
        self, client_of: Clients, owner: Member, statement: Document, seconds: int
    ) -> None:
        assert link_to(client_of(owner), statement, seconds=seconds).status_code == 400

    def test_is_not_made_to_what_is_anothers(
        self, client_of: Clients, stranger: Member, statement: Document
    ) -> None:
        assert link_to(client_of(stranger), statement).status_code == 404
        assert not DocumentAccess.objects.exists()


class TestCheckedByTheProxy:
    @pytest.fixture(autouse=True)
    def by_proxy(self, settings: Any) -> None:
        settings.FILES_BY_PROXY = True
        settings.FILES_LINK_KEY = "a-key-that-only-the-proxy-and-the-tests-know"

    def test_names_the_file_and_all_that_is_signed(
        self, client_of: Clients, owner: Member, statement: Document, now: datetime, settings: Any
    ) -> None:
        made = link_to(client_of(owner), statement, seconds=60).json()
        assert made["checked_by"] == "proxy"
        parts = urlsplit(made["url"])
        assert parts.path == f"/files/{statement.asset.key}.pdf"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert int(asked["expires"]) == int(now.timestamp()) + 60
        assert asked["signature"] == proxy_signature(
            path=parts.path,
            name=asked["name"],
            expires=int(asked["expires"]),
            secret=settings.FILES_LINK_KEY,
        )
        assert re.fullmatch(r"SOA_2026-05_T-\d+\.pdf", asked["name"])
        assert DocumentAccess.objects.get().kind == AccessKind.LINK

    def test_go_by_the_machines_time_where_that_of_the_club_is_moved(
        self,
        client_of: Clients,
        owner: Member,
        statement: Document,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        moved = SimpleNamespace(moved_by=lambda: timedelta(days=3))
        monkeypatch.setattr("documents.services.links.clock", moved)
        made = link_to(client_of(owner), statement, seconds=60).json()
        (expires,) = parse_qs(urlsplit(made["url"]).query)["expires"]
        # The club's now is the machine's and three days, of which nginx knows nothing.
        assert int(expires) == int((now - timedelta(days=3)).timestamp()) + 60

    def test_longer_ones_are_not_its_business(
        self, client_of: Clients, owner: Member, statement: Document
    ) -> None:
        assert link_to(client_of(owner), statement, seconds=61).json()["checked_by"] == "application"

    def test_without_its_key_none_is(
        self, client_of: Clients, owner: Member, statement: Document, settings: Any
    ) -> None:
        settings.FILES_LINK_KEY = ""
        assert link_to(client_of(owner), statement).json()["checked_by"] == "application"
