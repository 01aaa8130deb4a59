"""Tickets work once, in time, and for a session that stands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
import time_machine
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Member, Session, User
from accounts.services import epoch
from accounts.services.identities import SessionEndedError, identify_session
from accounts.services.sessions import end_all_sessions
from bcc.core.errors import BusyError, NotAuthenticatedError
from chat.services import admission
from chat.services.admission import admit_ticket, admit_token, confirm, in_doubt, issue_ticket
from tests.factories import make_session

pytestmark = pytest.mark.django_db

PATH = "/api/v1/chat/socket-ticket"
Client = Callable[[Member | User], APIClient]


@pytest.fixture
def session(owner: Member, now: datetime) -> Session:
    assert owner.user is not None
    return make_session(owner.user, now=now)


@pytest.fixture
def ticket(session: Session, travel: time_machine.Traveller, now: datetime) -> str:
    identity = identify_session(session=session.public_id, now=now)
    return issue_ticket(identity=identity, now=now).text


class _Away:
    def __getattr__(self, name: str) -> Any:
        raise redis.ConnectionError("away")


class TestAdmitTicket:
    def test_admits_the_session_that_it_was_issued_to(
        self, ticket: str, session: Session, owner: Member
    ) -> None:
        admitted = admit_ticket(ticket=ticket, now=timezone.now())
        assert owner.user is not None
        assert (admitted.user, admitted.session) == (owner.user.public_id, session.public_id)

    def test_works_once(self, ticket: str) -> None:
        admit_ticket(ticket=ticket, now=timezone.now())
        with pytest.raises(NotAuthenticatedError):
            admit_ticket(ticket=ticket, now=timezone.now())

    def test_admits_one_of_many_who_come_at_once(self, ticket: str) -> None:
        def attempt(_number: int) -> bool:
            try:
                admit_ticket(ticket=ticket, now=timezone.now())
            except NotAuthenticatedError:
                return False
            return True

        epoch.current_mark()  # so that no thread asks the database
        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(attempt, range(64))) == 1

    def test_works_for_thirty_seconds(self, ticket: str, travel: time_machine.Traveller) -> None:
        travel.shift(timedelta(seconds=30))
        with pytest.raises(NotAuthenticatedError):
            admit_ticket(ticket=ticket, now=timezone.now())

    def test_works_until_then(self, ticket: str, travel: time_machine.Traveller) -> None:
        travel.shift(timedelta(seconds=29))
        admit_ticket(ticket=ticket, now=timezone.now())

    @pytest.mark.parametrize("text", ["", "x", "é", "x" * 65, "m" * 43, "\0"], ids=ascii)
    def test_admits_nobody_with_another(self, ticket: str, text: str) -> None:
        with pytest.raises(NotAuthenticatedError):
            admit_ticket(ticket=text, now=timezone.now())
        admit_ticket(ticket=ticket, now=timezone.now())

    def test_is_kept_as_its_hash_only(self, ticket: str) -> None:
        kept: Any = cache
        held = repr(kept._cache) if hasattr(kept, "_cache") else repr(kept._connections.default._cache)
        assert "chat.ticket." in held
        assert ticket not in held

    def test_asks_to_come_again_while_the_cache_is_away(
        self, ticket: str, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        identity = identify_session(session=session.public_id, now=now)
        monkeypatch.setattr(admission, "cache", _Away())
        with pytest.raises(BusyError):
            admit_ticket(ticket=ticket, now=timezone.now())
        with pytest.raises(BusyError):
            issue_ticket(identity=identity, now=now)


class TestConfirm:
    def test_refuses_a_session_that_ended_after_the_ticket_was_issued(
        self, ticket: str, session: Session, owner: Member, now: datetime
    ) -> None:
        admitted = admit_ticket(ticket=ticket, now=timezone.now())
        confirm(admission=admitted, now=now)
        assert owner.user is not None
        end_all_sessions(user=owner.user, reason=Session.EndReason.LOGOUT, now=now)
        with pytest.raises(SessionEndedError):
            confirm(admission=admitted, now=now)

    def test_refuses_a_user_who_is_no_longer_active(self, ticket: str, owner: Member, now: datetime) -> None:
        assert owner.user is not None
        owner.user.is_active = False
        owner.user.save()
        with pytest.raises(SessionEndedError):
            confirm(admission=admit_ticket(ticket=ticket, now=timezone.now()), now=now)

    def test_refuses_a_session_of_somebody_else(self, ticket: str, stranger: Member, now: datetime) -> None:
        admitted = admit_ticket(ticket=ticket, now=timezone.now())
        assert stranger.user is not None
        with pytest.raises(NotAuthenticatedError):
            confirm(
                admission=replace(admitted, user=stranger.user.public_id),
                now=now,
            )


class TestInDoubt:
    def test_asks_once_for_all_and_doubts_nobody_whose_session_stands(
        self, ticket: str, stranger: Member, now: datetime, django_assert_num_queries: Any
    ) -> None:
        assert stranger.user is not None
        other = make_session(stranger.user, now=now)
        admitted = admit_ticket(ticket=ticket, now=timezone.now())
        several = [admitted, replace(admitted, user=stranger.user.public_id, session=other.public_id)]
        with django_assert_num_queries(1):
            assert in_doubt(admissions=several, now=now) == set()
            # Of nobody nothing is asked.
            assert in_doubt(admissions=[], now=now) == set()

    def test_doubts_one_that_ends_by_its_age(self, ticket: str, session: Session, now: datetime) -> None:
        admitted = admit_ticket(ticket=ticket, now=now)
        session.expires_at = now + timedelta(hours=1)
        session.save()
        assert in_doubt(admissions=[admitted], now=now + timedelta(minutes=59)) == set()
        assert in_doubt(admissions=[admitted], now=now + timedelta(hours=1)) == {admitted.session}

    def test_doubts_who_was_signed_out_closed_or_deleted_and_a_browser_always(
        self, ticket: str, owner: Member, stranger: Member, now: datetime
    ) -> None:
        admitted = admit_ticket(ticket=ticket, now=timezone.now())
        assert owner.user is not None
        assert stranger.user is not None
        closed = make_session(stranger.user, now=now)
        User.objects.filter(pk=stranger.user.pk).update(is_active=False)
        end_all_sessions(user=owner.user, reason=Session.EndReason.LOGOUT, now=now)
        several = [
            admitted,
            replace(admitted, session=closed.public_id),
            replace(admitted, session=uuid4()),
            replace(admitted, session=uuid4(), browser="key"),
        ]
        assert in_doubt(admissions=several, now=now) == {one.session for one in several}
        with pytest.raises(SessionEndedError):
            confirm(admission=admitted, now=now)


class TestSocketTicketView:
    def test_gives_a_ticket_that_admits_its_session(
        self, client_of: Client, owner: Member, now: datetime
    ) -> None:
        response = client_of(owner).post(PATH)
        assert response.status_code == 200, response.content
        assert response["Cache-Control"] == "no-store"
        assert response.json()["expires_at"] == "2026-06-01T00:00:30Z"
        admitted = admit_ticket(ticket=response.json()["ticket"], now=timezone.now())
        assert owner.user is not None
        assert admitted.user == owner.user.public_id

    def test_refuses_who_is_not_signed_in(self) -> None:
        assert APIClient().post(PATH).status_code == 401

    def test_takes_no_field(self, client_of: Client, owner: Member) -> None:
        response = client_of(owner).post(PATH, {"session": "another"}, format="json")
        assert response.status_code == 400
        assert response.json()["errors"]["session"][0]["code"] == "unknown_field"

    def test_gives_each_its_own(self, client_of: Client, owner: Member, stranger: Member) -> None:
        tickets = {client_of(who).post(PATH).json()["ticket"] for who in (owner, owner, stranger)}
        assert len(tickets) == 3

    def test_is_limited(self, client_of: Client, owner: Member, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "socket_ticket": "2/m"}
        client = client_of(owner)
        assert [client.post(PATH).status_code for _ in range(3)] == [200, 200, 429]


class TestAdmitToken:
    def test_admits_what_the_api_admits_and_nothing_else(
        self, client_of: Client, owner: Member, now: Any
    ) -> None:
        header = vars(client_of(owner))["_credentials"]["HTTP_AUTHORIZATION"]
        assert owner.user is not None
        assert admit_token(token=header.removeprefix("Bearer "), now=now).user == owner.user.public_id
        for token in ("", "x", "a.b.c"):
            with pytest.raises(NotAuthenticatedError):
                admit_token(token=token, now=now)
