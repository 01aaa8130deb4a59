from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from accounts import signals
from accounts.models import Device, Member, Notification, OneTimePassword, Session, User
from accounts.policies.tokens import TokenType
from accounts.selectors.people import find_user
from accounts.services import passwords
from accounts.services.devices import token_hash
from accounts.services.grants import Granted
from accounts.services.one_time_passwords import (
    Challenge,
    ChallengeOverError,
    NoChannelError,
    WrongCodeError,
    issue_challenge,
)
from accounts.services.sign_in import SignedIn, WrongCredentialsError, sign_in, verify_code
from accounts.services.tokens import read_token
from tests.accounts.conftest import PASSWORD, PHONE


def enter(identifier: str, now: datetime, *, password: str = PASSWORD, device_token: str = "") -> Any:
    return sign_in(identifier=identifier, password=password, facts=PHONE, device_token=device_token, now=now)


def answered(challenge: Challenge, code: str, now: datetime) -> SignedIn:
    """What the right answer to the challenge of a device gives."""
    outcome = verify_code(challenge=challenge.challenge, code=code, now=now)
    assert isinstance(outcome, SignedIn)
    return outcome


@pytest.fixture
def heard() -> Any:
    """What the signals said, in order."""
    said: list[tuple[str, Any]] = []

    def went_in(**facts: Any) -> None:
        said.append(("in", facts["method"]))

    def failed(**facts: Any) -> None:
        said.append(("failed", facts["reason"]))

    signals.signed_in.connect(went_in)
    signals.sign_in_failed.connect(failed)
    yield said
    signals.signed_in.disconnect(went_in)
    signals.sign_in_failed.disconnect(failed)


class TestFindUser:
    @pytest.mark.parametrize(
        "change", [str.lower, str.upper, lambda no: no.replace("-", " "), lambda no: f" {no} "]
    )
    def test_by_member_number_in_any_spelling(self, owner: Member, change: Callable[[str], str]) -> None:
        assert find_user(change(owner.member_no)) == owner.user

    def test_by_email_in_any_case(self, user: User) -> None:
        assert find_user(user.email.upper()) == user

    def test_by_mobile_in_any_spelling(self, user: User) -> None:
        user.mobile = "+639171234567"
        user.save(update_fields=["mobile"])
        assert find_user("0917 123 4567") == user
        assert find_user("+63-917-123-4567") == user

    def test_the_member_number_wins_over_anothers_mobile(self, user: User, stranger: Member) -> None:
        assert stranger.user is not None
        user.mobile = "+639171234567"
        user.save(update_fields=["mobile"])
        stranger.user.username = "09171234567"
        stranger.user.save(update_fields=["username"])
        assert find_user("09171234567") == stranger.user
        assert find_user("+639171234567") == user

    def test_staff_by_their_name(self, db: None) -> None:
        staff = User.objects.create_user("front-desk.1", is_staff=True)
        assert find_user("Front-Desk.1") == staff

    @pytest.mark.parametrize(
        "text", ["", "nobody", "nobody@example.com", "09990000000", "\U0001f600", "a" * 500]
    )
    def test_finds_nobody_in_one_query(self, text: str, user: User, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            assert find_user(text) is None

    def test_an_empty_address_is_nobodys(self, user: User) -> None:
        User.objects.filter(pk=user.pk).update(email="", mobile="")
        assert find_user("@") is None
        assert find_user("") is None


class TestSignIn:
    def test_gives_tokens_on_a_trusted_device(
        self, trusted: Device, user: User, now: datetime, heard: Any
    ) -> None:
        outcome = enter(user.username, now, device_token="trusted-token")
        assert isinstance(outcome, SignedIn)
        assert outcome.device_token is None
        claims = read_token(outcome.tokens.access, type=TokenType.ACCESS, now=now)
        session = Session.objects.get()
        assert (claims.user, claims.session) == (user.public_id, session.public_id)
        assert session.device == trusted
        user.refresh_from_db()
        assert user.last_login == now
        trusted.refresh_from_db()
        assert trusted.name == "Test phone"
        assert heard == [("in", "password")]
        assert not OneTimePassword.objects.exists()

    def test_asks_for_a_code_on_a_new_device(self, user: User, now: datetime, heard: Any) -> None:
        outcome = enter(user.username, now)
        assert isinstance(outcome, Challenge)
        assert outcome.channel == "email"
        assert "@example.com" in outcome.sent_to
        assert user.email not in outcome.sent_to
        assert outcome.expires_at - now == timedelta(minutes=5)
        assert not Session.objects.exists()
        assert Device.objects.get().trusted_at is None
        assert heard == []

    @pytest.mark.parametrize("token", ["", "wrong", "trusted-token "])
    def test_a_device_token_that_is_not_this_users_proves_nothing(
        self, trusted: Device, user: User, now: datetime, token: str
    ) -> None:
        assert isinstance(enter(user.username, now, device_token=token), Challenge)

    def test_the_device_token_of_another_user_proves_nothing(
        self, trusted: Device, stranger: Member, now: datetime
    ) -> None:
        assert stranger.user is not None
        stranger.user.set_password(PASSWORD)
        stranger.user.save(update_fields=["password"])
        assert isinstance(enter(stranger.user.username, now, device_token="trusted-token"), Challenge)

    def test_a_revoked_device_proves_nothing(self, trusted: Device, user: User, now: datetime) -> None:
        trusted.revoked_at = now
        trusted.save(update_fields=["revoked_at"])
        assert isinstance(enter(user.username, now, device_token="trusted-token"), Challenge)

    def test_the_same_new_device_is_one_row_however_often_it_tries(self, user: User, now: datetime) -> None:
        enter(user.username, now)
        enter(user.username, now)
        assert Device.objects.count() == 1

    def test_refuses_alike_whoever_is_asked_for(self, user: User, now: datetime, heard: Any) -> None:
        closed = User.objects.create_user("closed", PASSWORD, is_active=False)
        locked = User.objects.create_user("locked", None)
        refusals = set()
        for name, password in [
            (user.username, "wrong"),
            ("nobody", PASSWORD),
            (closed.username, PASSWORD),
            (locked.username, PASSWORD),
            (locked.username, ""),
        ]:
            with pytest.raises(WrongCredentialsError) as caught:
                enter(name, now, password=password)
            refusals.add((caught.value.code, str(caught.value.detail), caught.value.status))
        assert len(refusals) == 1
        assert set(heard) == {("failed", "wrong_credentials")}
        assert not Device.objects.exists()

    def test_does_a_hash_for_nobody_too(
        self, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        monkeypatch.setattr(passwords, "make_password", hashed.append)
        with pytest.raises(WrongCredentialsError):
            enter("nobody", now)
        assert hashed == [PASSWORD]

    def test_tells_somebody_who_cannot_get_a_code(self, user: User, now: datetime, heard: Any) -> None:
        User.objects.filter(pk=user.pk).update(email="", mobile="")
        with pytest.raises(NoChannelError):
            enter(user.username, now)
        assert heard == [("failed", "no_channel")]
        assert not Device.objects.exists() or not OneTimePassword.objects.exists()

    def test_brings_an_outdated_hash_up_to_date(
        self, trusted: Device, user: User, now: datetime, settings: Any
    ) -> None:
        settings.PASSWORD_HASHERS = [
            "accounts.policies.hashers.ClubArgon2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        assert isinstance(enter(user.username, now, device_token="trusted-token"), SignedIn)
        user.refresh_from_db()
        assert user.password.startswith("argon2")
        assert isinstance(enter(user.username, now, device_token="trusted-token"), SignedIn)


class TestVerifyCode:
    @pytest.fixture
    def challenge(self, user: User, now: datetime) -> Challenge:
        outcome = enter(user.username, now)
        assert isinstance(outcome, Challenge)
        return outcome

    def test_trusts_the_device_and_signs_in(
        self, challenge: Challenge, user: User, now: datetime, code_sent: Callable[[], str], heard: Any
    ) -> None:
        outcome = answered(challenge, code_sent(), now)
        device = Device.objects.get()
        assert outcome.device_token is not None
        assert len(outcome.device_token) >= 43  # 256 bits
        assert device.token_hash == token_hash(outcome.device_token)
        assert device.trusted_at == now
        assert Session.objects.get().device == device
        assert heard == [("in", "otp")]
        again = enter(user.username, now, device_token=outcome.device_token)
        assert isinstance(again, SignedIn)

    def test_tells_the_member_of_the_new_device(
        self, challenge: Challenge, user: User, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        verify_code(challenge=challenge.challenge, code=code_sent(), now=now)
        told = Notification.objects.filter(kind="new_device")
        assert {row.channel for row in told} == {"in_app", "email"}
        assert told[0].context["device"] == "Test phone"

    def test_works_once(
        self, challenge: Challenge, now: datetime, code_sent: Callable[[], str], heard: Any
    ) -> None:
        code = code_sent()
        verify_code(challenge=challenge.challenge, code=code, now=now)
        with pytest.raises(ChallengeOverError):
            verify_code(challenge=challenge.challenge, code=code, now=now)
        assert heard == [("in", "otp"), ("failed", "challenge_over")]

    def test_says_how_many_tries_are_left_and_then_that_it_is_over(
        self, challenge: Challenge, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        right = code_sent()
        wrong = "000000" if right != "000000" else "000001"
        for left in (4, 3, 2, 1):
            with pytest.raises(WrongCodeError) as caught:
                verify_code(challenge=challenge.challenge, code=wrong, now=now)
            assert caught.value.extra == {"attempts_left": left}
        with pytest.raises(ChallengeOverError):
            verify_code(challenge=challenge.challenge, code=wrong, now=now)
        with pytest.raises(ChallengeOverError):
            verify_code(challenge=challenge.challenge, code=right, now=now)

    def test_the_fifth_try_may_still_be_right(
        self, challenge: Challenge, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        right = code_sent()
        for _ in range(4):
            with pytest.raises(WrongCodeError):
                verify_code(challenge=challenge.challenge, code="nonsense", now=now)
        assert answered(challenge, right, now).device_token

    def test_is_over_after_five_minutes(
        self, challenge: Challenge, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        code = code_sent()
        with pytest.raises(ChallengeOverError):
            verify_code(challenge=challenge.challenge, code=code, now=now + timedelta(minutes=5))
        late = now + timedelta(minutes=5) - timedelta(microseconds=1)
        assert verify_code(challenge=challenge.challenge, code=code, now=late)

    def test_refuses_an_account_closed_in_between(
        self, challenge: Challenge, user: User, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        code = code_sent()
        User.objects.filter(pk=user.pk).update(is_active=False)
        with pytest.raises(ChallengeOverError):
            verify_code(challenge=challenge.challenge, code=code, now=now)

    def test_a_code_for_something_else_does_not_sign_in(
        self, user: User, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        challenge = issue_challenge(user=user, purpose=OneTimePassword.Purpose.STEP_UP, now=now)
        outcome = verify_code(challenge=challenge.challenge, code=code_sent(), now=now)
        assert isinstance(outcome, Granted)
        assert not Session.objects.exists()

    def test_no_code_stands_in_any_row(
        self, challenge: Challenge, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        code = code_sent()
        assert code in mail.outbox[-1].body
        for model in (OneTimePassword, Notification, Device, Session):
            for row in model._default_manager.values():
                assert not any(
                    code == str(value) or code in str(row.get("context", "")) for value in row.values()
                )
