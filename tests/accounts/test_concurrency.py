"""Many threads on the file database: one winner each. The printed figures say that they did overlap."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from accounts.models import Device, Notification, OneTimePassword, RefreshTokenUse, Session, User
from accounts.services import one_time_passwords, sessions
from accounts.services.identities import SessionEndedError, identify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.sessions import TokenReusedError, open_session, refresh
from accounts.services.sign_in import SignedIn, sign_in, verify_code
from accounts.services.tokens import Tokens
from bcc.core.errors import DomainError
from tests.accounts.conftest import PASSWORD, PHONE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engine]


def all_at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What ``count`` threads return or are refused with, started together."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            start.wait(timeout=30)
            return work(number)
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class TestFiftyRefreshesOfOneToken:
    def test_one_succeeds_and_the_family_is_dead(self, user: User, trusted: Device, now: datetime) -> None:
        first = open_session(user=user, device=trusted, now=now)
        outcomes = all_at_once(50, lambda _: refresh(token=first.refresh, now=now))
        won = [one for one in outcomes if isinstance(one, Tokens)]
        refused = Counter(type(one) for one in outcomes if not isinstance(one, Tokens))
        print("refreshes:", len(won), "won,", dict(refused))
        assert len(won) == 1
        assert set(refused) <= {TokenReusedError, SessionEndedError}
        assert RefreshTokenUse.objects.count() == 1
        assert Session.objects.get().end_reason == Session.EndReason.REUSE
        with pytest.raises(SessionEndedError):
            identify(token=won[0].access, now=now)
        with pytest.raises(SessionEndedError):
            refresh(token=won[0].refresh, now=now)
        assert Notification.objects.filter(kind="session_copied", channel="in_app").count() == 1

    def test_without_the_unique_insert_more_than_one_would(
        self, user: User, trusted: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: the same storm with the guard away must show the fault."""
        monkeypatch.setattr(sessions.RefreshTokenUse.objects, "create", lambda **_: None)
        first = open_session(user=user, device=trusted, now=now)
        outcomes = all_at_once(50, lambda _: refresh(token=first.refresh, now=now))
        assert sum(isinstance(one, Tokens) for one in outcomes) > 1


class TestParallelCodes:
    @pytest.fixture
    def challenge(self, user: User, now: datetime) -> Any:
        outcome = sign_in(identifier=user.username, password=PASSWORD, facts=PHONE, device_token="", now=now)
        assert not isinstance(outcome, SignedIn)
        return outcome.challenge

    def right_code(self) -> str:
        otp = OneTimePassword.objects.get()
        return one_time_passwords.derive_code(
            key=one_time_passwords.settings.OTP_KEY,
            purpose=otp.purpose,
            challenge=otp.challenge,
            nonce=otp.nonce,
        )

    def test_the_right_code_twenty_times_is_one_session(self, challenge: Any, now: datetime) -> None:
        code = self.right_code()
        outcomes = all_at_once(20, lambda _: verify_code(challenge=challenge, code=code, now=now))
        print("right codes:", Counter(type(one).__name__ for one in outcomes))
        assert sum(isinstance(one, SignedIn) for one in outcomes) == 1
        assert Session.objects.count() == 1
        assert OneTimePassword.objects.get().attempts <= 5

    def test_without_the_compare_and_set_it_would_be_more(
        self, challenge: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: a code that is looked at and not used up opens a session each time."""
        monkeypatch.setattr("accounts.services.sign_in.consume", lambda **_: None)
        code = self.right_code()
        outcomes = all_at_once(5, lambda _: verify_code(challenge=challenge, code=code, now=now))
        assert sum(isinstance(one, SignedIn) for one in outcomes) > 1

    def test_a_code_of_another_challenge_or_purpose_opens_nothing(
        self, challenge: Any, user: User, now: datetime
    ) -> None:
        mine = self.right_code()
        other = issue_challenge(user=user, purpose=Purpose.RESET, now=now)
        row = OneTimePassword.objects.get(challenge=other.challenge)
        by_purpose = one_time_passwords.derive_code(
            key=one_time_passwords.settings.OTP_KEY,
            purpose=Purpose.DEVICE,
            challenge=row.challenge,
            nonce=row.nonce,
        )
        for wrong in (mine, by_purpose):
            with pytest.raises(DomainError):
                verify_code(challenge=other.challenge, code=wrong, now=now)
        assert not Session.objects.exists()

    def test_of_fifty_guesses_at_most_five_are_looked_at(
        self, challenge: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[str] = []
        same = one_time_passwords.same_code

        def look(given: str, right: str) -> bool:
            looked.append(given)
            return same(given, right)

        monkeypatch.setattr(one_time_passwords, "same_code", look)
        all_at_once(50, lambda number: verify_code(challenge=challenge, code=f"x{number:05d}", now=now))
        print("guesses looked at:", len(looked))
        assert len(looked) == 5
        assert OneTimePassword.objects.get().attempts == 5

    def test_without_the_committed_count_more_would_be(
        self, challenge: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: attempts that are read, compared and then written."""
        looked: list[str] = []
        monkeypatch.setattr(one_time_passwords, "same_code", lambda given, _: bool(looked.append(given)))

        def uncounted(*, challenge: Any, now: datetime) -> OneTimePassword:
            otp = OneTimePassword.objects.get(challenge=challenge)
            otp.attempts += 1
            return otp

        monkeypatch.setattr(one_time_passwords, "_count_attempt", uncounted)
        all_at_once(20, lambda number: verify_code(challenge=challenge, code=f"x{number:05d}", now=now))
        assert len(looked) > 5

    def test_ten_requests_leave_one_live_challenge(self, user: User, now: datetime) -> None:
        all_at_once(10, lambda _: issue_challenge(user=user, purpose=Purpose.RESET, now=now))
        assert OneTimePassword.objects.filter(purpose=Purpose.RESET).count() == 10
        assert OneTimePassword.objects.live(now).filter(purpose=Purpose.RESET).count() == 1


class TestAttemptSurvivesTheRefusal:
    def test_the_count_is_committed_though_the_answer_is_a_refusal(self, user: User, now: datetime) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        with pytest.raises(DomainError):
            verify_code(challenge=challenge, code="nonsense", now=now)
        assert not connection.in_atomic_block
        assert OneTimePassword.objects.get().attempts == 1

    def test_the_attempt_stands_before_the_code_is_looked_at(
        self, user: User, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        seen: list[int] = []

        def look(*_: Any) -> bool:
            seen.append(OneTimePassword.objects.get().attempts)
            return False

        monkeypatch.setattr(one_time_passwords, "same_code", look)
        with pytest.raises(DomainError):
            verify_code(challenge=challenge, code="123456", now=now)
        assert seen == [1]
