from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification, OneTimePassword, User
from accounts.services import one_time_passwords
from accounts.services.one_time_passwords import (
    ChallengeOverError,
    NoChannelError,
    Purpose,
    ResendLimitError,
    WrongCodeError,
    check_code,
    consume,
    issue_challenge,
    resend_code,
    void_challenges,
)


class TestIssueChallenge:
    def test_a_new_one_ends_the_old_one_of_the_purpose(self, user: User, now: datetime) -> None:
        first = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        other = issue_challenge(user=user, purpose=Purpose.STEP_UP, now=now)
        second = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        live = set(OneTimePassword.objects.live(now).values_list("challenge", flat=True))
        assert live == {other.challenge, second.challenge}
        with pytest.raises(ChallengeOverError):
            check_code(challenge=first.challenge, code="123456", now=now)

    def test_leaves_the_challenges_of_others_alone(self, user: User, now: datetime) -> None:
        other = User.objects.create_user("other", email="other@example.com")
        kept = issue_challenge(user=other, purpose=Purpose.DEVICE, now=now)
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        assert OneTimePassword.objects.live(now).filter(challenge=kept.challenge).exists()

    def test_costs_the_same_statements_for_nobody_and_sends_nothing(self, user: User, now: datetime) -> None:
        def statements(who: User | None) -> list[str]:
            with CaptureQueriesContext(connection) as caught:
                issue_challenge(user=who, purpose=Purpose.RESET, now=now)
            run = [" ".join(query["sql"].split()[:3]) for query in caught]
            return [one for one in run if "SAVEPOINT" not in one]

        known, unknown = statements(user), statements(None)
        assert [one for one in known if "accounts_notification" not in one] == unknown
        assert Notification.objects.count() == 1

    def test_of_nobody_looks_like_any_other(self, user: User, now: datetime) -> None:
        known = issue_challenge(user=user, purpose=Purpose.RESET, now=now)
        unknown = issue_challenge(user=None, purpose=Purpose.RESET, now=now)
        assert unknown.expires_at == known.expires_at
        assert unknown.channel == known.channel
        assert unknown.challenge.version == known.challenge.version == 4

    def test_of_nobody_is_tried_like_any_other_and_never_answered(
        self, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(one_time_passwords, "derive_code", lambda **_: "123456")
        challenge = issue_challenge(user=None, purpose=Purpose.RESET, now=now).challenge
        for _ in range(4):
            with pytest.raises(WrongCodeError):
                check_code(challenge=challenge, code="123456", now=now)
        with pytest.raises(ChallengeOverError):
            check_code(challenge=challenge, code="123456", now=now)

    def test_goes_by_the_first_channel_that_reaches_the_user(
        self, user: User, now: datetime, settings: Any
    ) -> None:
        settings.NOTIFICATION_SENDERS = {"email": "x", "sms": "y"}
        assert issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).channel == "email"
        user.mobile = "+639171234567"
        user.save(update_fields=["mobile"])
        told = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        assert (told.channel, told.sent_to) == ("sms", "…567")

    def test_refuses_a_user_whom_no_channel_reaches(self, user: User, now: datetime, settings: Any) -> None:
        settings.NOTIFICATION_SENDERS = {}
        with pytest.raises(NoChannelError):
            issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        assert issue_challenge(user=None, purpose=Purpose.DEVICE, now=now).channel == "email"


class TestResendCode:
    def test_inside_the_gap_the_same_code_goes_out_again(
        self, user: User, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        first = code_sent()
        told = resend_code(challenge=challenge, now=now + timedelta(seconds=29))
        assert code_sent() == first
        assert len(mail.outbox) == 2
        assert told.resends_left == 2
        assert told.expires_at == now + timedelta(minutes=5)

    def test_after_the_gap_a_new_code_goes_out_and_the_old_one_is_dead(
        self, user: User, now: datetime, code_sent: Callable[[], str]
    ) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        first, later = code_sent(), now + timedelta(seconds=30)
        nonce = OneTimePassword.objects.get().nonce
        resend_code(challenge=challenge, now=later)
        second = code_sent()
        assert OneTimePassword.objects.get().nonce != nonce
        if first != second:  # one in a million they are equal
            with pytest.raises(WrongCodeError):
                check_code(challenge=challenge, code=first, now=later)
        assert check_code(challenge=challenge, code=second, now=later).challenge == challenge

    def test_keeps_the_attempts_that_were_made(self, user: User, now: datetime) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        for _ in range(4):
            with pytest.raises(WrongCodeError):
                check_code(challenge=challenge, code="nonsense", now=now)
        resend_code(challenge=challenge, now=now + timedelta(minutes=1))
        with pytest.raises(ChallengeOverError):
            check_code(challenge=challenge, code="nonsense", now=now + timedelta(minutes=1))

    def test_three_times_and_no_more(self, user: User, now: datetime) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        for _ in range(3):
            resend_code(challenge=challenge, now=now)
        with pytest.raises(ResendLimitError) as caught:
            resend_code(challenge=challenge, now=now + timedelta(minutes=1))
        assert caught.value.retry_after == 240
        assert Notification.objects.count() == 4

    def test_refuses_what_is_over_or_never_was(self, user: User, now: datetime) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        with pytest.raises(ChallengeOverError):
            resend_code(challenge=uuid4(), now=now)
        with pytest.raises(ChallengeOverError):
            resend_code(challenge=challenge, now=now + timedelta(minutes=5))
        void_challenges(user_id=user.pk, now=now)
        with pytest.raises(ChallengeOverError):
            resend_code(challenge=challenge, now=now)

    def test_of_nobody_has_the_same_limits_and_sends_nothing(self, db: None, now: datetime) -> None:
        challenge = issue_challenge(user=None, purpose=Purpose.RESET, now=now).challenge
        for left in (2, 1, 0):
            assert resend_code(challenge=challenge, now=now).resends_left == left
        with pytest.raises(ResendLimitError):
            resend_code(challenge=challenge, now=now)
        assert not Notification.objects.exists()

    def test_loses_to_one_at_the_same_moment(
        self, user: User, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge

        def meanwhile(*_: Any) -> OneTimePassword:
            seen = OneTimePassword.objects.get(challenge=challenge)
            OneTimePassword.objects.update(resends=1)
            return seen

        monkeypatch.setattr(one_time_passwords, "_live", meanwhile)
        with pytest.raises(ChallengeOverError):
            resend_code(challenge=challenge, now=now)


class TestConsume:
    def test_is_once(self, user: User, now: datetime) -> None:
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        otp = OneTimePassword.objects.get()
        consume(otp=otp, now=now)
        with pytest.raises(ChallengeOverError):
            consume(otp=otp, now=now)

    def test_not_under_a_code_that_was_replaced(self, user: User, now: datetime) -> None:
        challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).challenge
        answered = OneTimePassword.objects.get()
        resend_code(challenge=challenge, now=now + timedelta(minutes=1))
        with pytest.raises(ChallengeOverError):
            consume(otp=answered, now=now + timedelta(minutes=1))
