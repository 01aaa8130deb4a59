from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts import signals
from accounts.models import Device, Notification, OneTimePassword, RefreshTokenUse, Session, User
from accounts.policies.tokens import TokenType
from accounts.services import sessions
from accounts.services.identities import SessionEndedError, identify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.sessions import (
    TokenReusedError,
    log_out,
    log_out_everywhere,
    open_session,
    refresh,
    revoke_session,
)
from accounts.services.tokens import TokenInvalidError, Tokens, TokenTooOldError, read_token

pytestmark = pytest.mark.engine


@pytest.fixture
def tokens(user: User, trusted: Device, now: datetime) -> Tokens:
    return open_session(user=user, device=trusted, now=now)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sockets that were told to close: (user, session or None for all)."""
    told: list[Any] = []
    monkeypatch.setattr(
        sessions.push, "end_sessions", lambda user, session=None: told.append((user, session))
    )
    return told


class TestOpenSession:
    def test_ends_by_itself_and_no_token_outlives_it(self, tokens: Tokens, user: User, now: datetime) -> None:
        session = Session.objects.get()
        assert session.expires_at - now == timedelta(days=180)
        assert tokens.access_expires_at - now == timedelta(minutes=10)
        assert tokens.refresh_expires_at - now == timedelta(days=30)
        last_day = session.expires_at - timedelta(minutes=1)
        assert (
            sessions.make_tokens(user=user, session=session, now=last_day).refresh_expires_at
            == session.expires_at
        )


@pytest.mark.django_db(transaction=True)
class TestRefresh:
    def test_gives_a_new_pair_of_the_same_family(
        self, tokens: Tokens, trusted: Device, now: datetime
    ) -> None:
        later = now + timedelta(minutes=9)
        fresh = refresh(token=tokens.refresh, now=later)
        old = read_token(tokens.refresh, type=TokenType.REFRESH, now=now)
        new = read_token(fresh.refresh, type=TokenType.REFRESH, now=later)
        assert (old.session, old.user) == (new.session, new.user)
        assert old.jti != new.jti
        trusted.refresh_from_db()
        assert trusted.last_seen_at == later
        assert identify(token=fresh.access, now=later).session_id == old.session

    def test_goes_on_for_as_long_as_it_is_used(self, tokens: Tokens, now: datetime) -> None:
        for days in range(20, 161, 20):
            tokens = refresh(token=tokens.refresh, now=now + timedelta(days=days))
        with pytest.raises(TokenTooOldError):
            refresh(token=tokens.refresh, now=now + timedelta(days=180))

    def test_the_second_use_ends_the_family_and_that_stays(
        self, tokens: Tokens, user: User, now: datetime, closed: list[Any]
    ) -> None:
        heard: list[str] = []

        def listen(**facts: Any) -> None:
            heard.append(facts["reason"])

        signals.sign_in_failed.connect(listen)
        fresh = refresh(token=tokens.refresh, now=now)
        identify(token=fresh.access, now=now)
        with pytest.raises(TokenReusedError):
            refresh(token=tokens.refresh, now=now)
        session = Session.objects.get()
        assert (session.ended_at, session.end_reason) == (now, Session.EndReason.REUSE)
        assert closed == [(user.public_id, session.public_id)]
        assert heard == ["refresh_reused"]
        with pytest.raises(SessionEndedError):
            identify(token=fresh.access, now=now)
        with pytest.raises(SessionEndedError):
            refresh(token=fresh.refresh, now=now)
        assert {row.channel for row in Notification.objects.filter(kind="session_copied")} == {
            "in_app",
            "email",
        }

    def test_a_third_use_changes_nothing_more(self, tokens: Tokens, now: datetime) -> None:
        refresh(token=tokens.refresh, now=now)
        for _ in range(2):
            with pytest.raises(TokenReusedError):
                refresh(token=tokens.refresh, now=now)
        assert Notification.objects.filter(kind="session_copied", channel="in_app").count() == 1
        assert RefreshTokenUse.objects.count() == 1

    def test_an_access_token_is_not_one(self, tokens: Tokens, now: datetime) -> None:
        with pytest.raises(TokenInvalidError):
            refresh(token=tokens.access, now=now)

    def test_is_too_old_after_thirty_days(self, tokens: Tokens, now: datetime) -> None:
        with pytest.raises(TokenTooOldError):
            refresh(token=tokens.refresh, now=now + timedelta(days=30))

    @pytest.mark.parametrize("fate", ["deleted", "inactive", "version", "ended", "expired"])
    def test_is_a_refusal_and_no_failure_for_who_is_gone(
        self, tokens: Tokens, user: User, now: datetime, fate: str
    ) -> None:
        if fate == "deleted":
            user.delete()
        elif fate == "inactive":
            User.objects.update(is_active=False)
        elif fate == "version":
            User.objects.update(token_version=9)
        elif fate == "ended":
            Session.objects.update(ended_at=now)
        else:
            Session.objects.update(expires_at=now)
        with pytest.raises(SessionEndedError):
            refresh(token=tokens.refresh, now=now)
        assert not RefreshTokenUse.objects.exists()

    def test_of_another_users_session_is_refused(self, tokens: Tokens, user: User, now: datetime) -> None:
        User.objects.filter(pk=user.pk).update(public_id=uuid4())
        with pytest.raises(SessionEndedError):
            refresh(token=tokens.refresh, now=now)


class TestLogOut:
    def test_ends_this_session_and_no_other(
        self, tokens: Tokens, user: User, trusted: Device, now: datetime, closed: list[Any]
    ) -> None:
        trusted.push_token = "push"
        trusted.save(update_fields=["push_token"])
        other = open_session(user=user, device=trusted, now=now)
        me = identify(token=tokens.access, now=now)
        log_out(identity=me, now=now)
        ended = Session.objects.get(public_id=me.session_id)
        assert (ended.ended_at, ended.end_reason) == (now, Session.EndReason.LOGOUT)
        trusted.refresh_from_db()
        assert trusted.push_token == ""
        assert closed == [(user.public_id, me.session_id)]
        assert identify(token=other.access, now=now).user_id == user.pk

    def test_twice_is_once(self, tokens: Tokens, now: datetime) -> None:
        me = identify(token=tokens.access, now=now)
        log_out(identity=me, now=now)
        log_out(identity=me, now=now + timedelta(minutes=1))
        assert Session.objects.get().ended_at == now

    def test_of_a_session_that_was_deleted_is_nothing(self, tokens: Tokens, now: datetime) -> None:
        me = identify(token=tokens.access, now=now)
        Session.objects.all().delete()
        log_out(identity=me, now=now)


class TestLogOutEverywhere:
    def test_ends_every_session_socket_and_challenge(
        self, tokens: Tokens, user: User, trusted: Device, now: datetime, closed: list[Any]
    ) -> None:
        open_session(user=user, device=trusted, now=now)
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        log_out_everywhere(user_id=user.pk, now=now)
        assert not Session.objects.live(now).exists()
        assert not OneTimePassword.objects.live(now).exists()
        assert closed == [(user.public_id, None)]
        user.refresh_from_db()
        assert user.token_version == 2

    def test_leaves_others_alone(self, tokens: Tokens, now: datetime) -> None:
        other = User.objects.create_user("other")
        log_out_everywhere(user_id=other.pk, now=now)
        assert Session.objects.live(now).count() == 1


class TestRevokeSession:
    def test_says_whether_it_ended_one(self, tokens: Tokens, now: datetime) -> None:
        session = Session.objects.get()
        assert revoke_session(public_id=session.public_id, now=now)
        assert not revoke_session(public_id=session.public_id, now=now)
        assert not revoke_session(public_id=uuid4(), now=now)
        session.refresh_from_db()
        assert session.end_reason == Session.EndReason.REVOKED
