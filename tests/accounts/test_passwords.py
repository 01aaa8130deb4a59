from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from accounts.models import Device, Notification, OneTimePassword, Session, User
from accounts.policies.tokens import TokenType
from accounts.services import passwords
from accounts.services.identities import SessionEndedError, identify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.passwords import (
    PasswordChangedError,
    WrongPasswordError,
    change_password,
    encoded_password,
    password_is_right,
)
from accounts.services.sessions import open_session, refresh
from accounts.services.tokens import Tokens, read_token
from bcc.core.errors import InvalidError
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD


@pytest.fixture
def tokens(user: User, trusted: Device, now: datetime) -> Tokens:
    return open_session(user=user, device=trusted, now=now)


def change(tokens: Tokens, now: datetime, *, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Tokens:
    me = identify(token=tokens.access, now=now)
    return change_password(user_id=me.user_id, session_id=me.session_id, current=current, new=new, now=now)


def codes(error: InvalidError) -> set[str]:
    return {code for code, _ in error.errors["new_password"]}


class TestEncodedPassword:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("short 7", "password_too_short"),
            ("x" * 129, "password_too_long"),
            ("password123", "password_too_common"),
            ("iloveyou", "password_too_common"),
        ],
    )
    def test_refuses_by_length_and_blocklist(self, db: None, password: str, code: str) -> None:
        with pytest.raises(InvalidError) as caught:
            encoded_password(password)
        assert code in codes(caught.value)

    def test_refuses_what_is_like_the_account(self, user: User) -> None:
        with pytest.raises(InvalidError) as caught:
            encoded_password(user.username + "1", user=user)
        assert codes(caught.value) == {"password_too_similar"}

    @pytest.mark.parametrize(
        "password", ["eight ch", "only lower case letters", "9" * 7 + "5", "😀" * 8, "y" * 64, "z" * 128]
    )
    def test_asks_for_no_mixture_of_characters(self, db: None, password: str) -> None:
        assert encoded_password(password)


class TestPasswordIsRight:
    def test_only_for_the_right_one(self, user: User) -> None:
        assert password_is_right(user=user, password=PASSWORD)
        assert not password_is_right(user=user, password=PASSWORD + " ")
        assert not password_is_right(user=None, password=PASSWORD)

    def test_does_not_bring_a_password_back_that_was_changed_meanwhile(
        self, user: User, settings: Any
    ) -> None:
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        User.objects.filter(pk=user.pk).update(password="!another")
        assert password_is_right(user=user, password=PASSWORD)
        user.refresh_from_db()
        assert user.password == "!another"


@pytest.mark.django_db(transaction=True)
class TestChangePassword:
    def test_sets_it_and_keeps_this_session_with_new_tokens(
        self, tokens: Tokens, user: User, now: datetime
    ) -> None:
        fresh = change(tokens, now)
        user.refresh_from_db()
        assert user.check_password(NEW_PASSWORD)
        old = read_token(tokens.access, type=TokenType.ACCESS, now=now)
        assert identify(token=fresh.access, now=now).session_id == old.session
        assert refresh(token=fresh.refresh, now=now)

    def test_the_old_tokens_of_this_session_are_dead(self, tokens: Tokens, now: datetime) -> None:
        change(tokens, now)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)
        with pytest.raises(SessionEndedError):
            refresh(token=tokens.refresh, now=now)

    def test_ends_every_other_session_and_socket(
        self, tokens: Tokens, user: User, trusted: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed: list[Any] = []
        monkeypatch.setattr(passwords.push, "end_sessions", lambda *told: closed.append(told))
        other = open_session(user=user, device=trusted, now=now)
        theirs = identify(token=other.access, now=now).session_id
        change(tokens, now)
        ended = Session.objects.get(public_id=theirs)
        assert (ended.ended_at, ended.end_reason) == (now, Session.EndReason.PASSWORD)
        assert closed == [(user.public_id, theirs)]
        with pytest.raises(SessionEndedError):
            identify(token=other.access, now=now)

    def test_ends_the_codes_asked_for_under_the_old_one(
        self, tokens: Tokens, user: User, now: datetime
    ) -> None:
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        change(tokens, now)
        assert not OneTimePassword.objects.live(now).exists()

    def test_tells_the_member(self, tokens: Tokens, now: datetime) -> None:
        change(tokens, now)
        rows = Notification.objects.filter(kind="password_changed")
        assert {row.channel for row in rows} == {"in_app", "email"}

    def test_needs_the_present_one(self, tokens: Tokens, user: User, now: datetime) -> None:
        with pytest.raises(WrongPasswordError) as caught:
            change(tokens, now, current="wrong")
        assert caught.value.errors == {"current_password": [("wrong_password", caught.value.detail)]}
        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_refuses_a_bad_new_one_and_changes_nothing(self, tokens: Tokens, now: datetime) -> None:
        with pytest.raises(InvalidError):
            change(tokens, now, new="password123")
        assert identify(token=tokens.access, now=now)

    @pytest.mark.parametrize("meanwhile", ["password", "version", "ended"])
    def test_loses_to_a_change_at_the_same_moment(
        self, tokens: Tokens, user: User, now: datetime, meanwhile: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def encode(*_: Any, **__: Any) -> str:
            if meanwhile == "password":
                User.objects.update(password="!another")
            elif meanwhile == "version":
                User.objects.update(token_version=7)
            else:
                Session.objects.update(ended_at=now)
            return "!new"

        monkeypatch.setattr(passwords, "encoded_password", encode)
        with pytest.raises(PasswordChangedError):
            change(tokens, now)
        user.refresh_from_db()
        assert user.password != "!new"
        assert not Notification.objects.exists()

    def test_works_while_the_hash_itself_is_renewed(
        self, tokens: Tokens, user: User, now: datetime, settings: Any
    ) -> None:
        settings.PASSWORD_HASHERS = [
            "accounts.policies.hashers.ClubArgon2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        change(tokens, now)
        user.refresh_from_db()
        assert user.password.startswith("argon2")
        assert user.check_password(NEW_PASSWORD)
