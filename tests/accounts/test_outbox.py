from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from accounts import tasks
from accounts.models import Channel, Notification, User
from accounts.policies.delivery import LEASE, MAX_ATTEMPTS
from accounts.senders import ConsoleSender, EmailSender, SendError
from accounts.services import notifications, outbox
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.outbox import due_notifications, send_notification

pytestmark = pytest.mark.engine


class Flaky:
    """A sender that fails as often as it is told to, and notes whether a transaction was open."""

    failures = 0
    sent: list[tuple[str, str, str]] = []
    in_transaction: list[int] = []

    def send(self, destination: str, subject: str, body: str) -> None:
        Flaky.in_transaction.append(len(connection.atomic_blocks))
        if Flaky.failures:
            Flaky.failures -= 1
            raise SendError("SMTPServerDisconnected")
        Flaky.sent.append((destination, subject, body))


@pytest.fixture
def flaky(settings: Any) -> type[Flaky]:
    Flaky.failures, Flaky.sent, Flaky.in_transaction = 0, [], []
    settings.NOTIFICATION_SENDERS = {"email": f"{__name__}.Flaky"}
    return Flaky


@pytest.fixture
def row(user: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Notification:
    """A mail that waits, valid for a day."""
    monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
    notify(
        user_id=user.pk,
        kind="password_changed",
        context={"at": "noon"},
        dedupe="e",
        now=now,
        only=Channel.EMAIL,
    )
    return Notification.objects.get()


def send(row: Notification, at: datetime) -> bool:
    done = send_notification(public_id=row.public_id, now=at)
    row.refresh_from_db()
    return done


class TestSendNotifications:
    def test_sends_each_that_is_named_and_passes_over_one_that_is_gone(
        self, row: Notification, travel: Any
    ) -> None:
        tasks.send_notifications([str(uuid4()), str(row.public_id)])

        row.refresh_from_db()
        assert row.state == "SENT"
        assert len(mail.outbox) == 1


class TestSendNotification:
    def test_sends_once(self, row: Notification, user: User, now: datetime) -> None:
        assert send(row, now)
        assert (row.state, row.sent_at, row.attempts) == ("SENT", now, 1)
        assert mail.outbox[0].to == [user.email]
        assert "noon" in mail.outbox[0].body
        assert not send(row, now)
        assert len(mail.outbox) == 1

    def test_tries_again_later_each_time_and_gives_up(
        self, row: Notification, now: datetime, flaky: type[Flaky]
    ) -> None:
        flaky.failures = 100
        at = now
        waits = []
        for _ in range(MAX_ATTEMPTS):
            assert not send(row, at)
            waits.append((row.send_at - at).total_seconds())
            at = row.send_at
        assert waits[:5] == [15, 30, 60, 120, 240]
        assert (row.state, row.attempts, row.last_error) == ("FAILED", MAX_ATTEMPTS, "SMTPServerDisconnected")
        assert not send(row, at + timedelta(hours=1))
        assert flaky.failures == 100 - MAX_ATTEMPTS

    def test_succeeds_at_a_later_try(self, row: Notification, now: datetime, flaky: type[Flaky]) -> None:
        flaky.failures = 1
        assert not send(row, now)
        assert not send(row, now + timedelta(seconds=14))
        assert send(row, now + timedelta(seconds=15))
        assert (row.state, row.attempts, row.last_error) == ("SENT", 2, "")

    def test_is_never_sent_late(self, row: Notification, now: datetime) -> None:
        assert not send(row, now + timedelta(days=1))
        assert (row.state, row.attempts) == ("EXPIRED", 0)
        assert mail.outbox == []

    def test_is_never_sent_to_an_account_closed_meanwhile(self, row: Notification, now: datetime) -> None:
        User.objects.update(is_active=False)
        assert not send(row, now)
        assert row.state == "EXPIRED"

    def test_one_whose_sender_went_away_is_taken_up_when_the_lease_ends(
        self, row: Notification, now: datetime
    ) -> None:
        assert outbox._claim(public_id=row.public_id, now=now) is not None
        assert not send(row, now + LEASE - timedelta(seconds=1))
        assert due_notifications(now=now + LEASE) == [row.public_id]
        assert send(row, now + LEASE)
        assert row.attempts == 2

    def test_a_sender_that_comes_back_after_its_lease_changes_nothing(
        self, row: Notification, now: datetime
    ) -> None:
        slow = outbox._claim(public_id=row.public_id, now=now)
        assert slow is not None
        assert send(row, now + LEASE)
        outbox._put_off(row=slow, reason="late", now=now + LEASE)
        assert not outbox._finish(row=slow, state=Notification.State.FAILED, now=now + LEASE)
        row.refresh_from_db()
        assert row.state == "SENT"

    def test_gives_up_on_what_kills_its_sender(self, row: Notification, now: datetime) -> None:
        Notification.objects.update(attempts=MAX_ATTEMPTS)
        assert not send(row, now)
        assert row.state == "FAILED"

    def test_loses_to_another_at_the_same_moment(
        self, row: Notification, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "_set", lambda *_, **__: False)
        assert not send(row, now)
        assert mail.outbox == []

    def test_an_unknown_row_is_nothing(self, db: None, now: datetime) -> None:
        assert not send_notification(public_id=uuid4(), now=now)

    @pytest.mark.parametrize("lack", ["kind", "address", "sender", "code"])
    def test_what_can_never_be_sent_fails_at_once(
        self, row: Notification, user: User, now: datetime, settings: Any, lack: str
    ) -> None:
        if lack == "kind":
            Notification.objects.update(kind="no_such")
        elif lack == "address":
            User.objects.update(email="")
        elif lack == "sender":
            settings.NOTIFICATION_SENDERS = {}
        else:
            challenge = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
            row = Notification.objects.get(kind="one_time_code")
            issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
            assert challenge
        assert not send(row, now)
        assert row.state == "FAILED"
        assert row.last_error

    def test_goes_to_the_mobile_by_sms(
        self, row: Notification, now: datetime, flaky: type[Flaky], settings: Any
    ) -> None:
        settings.NOTIFICATION_SENDERS = {"sms": f"{__name__}.Flaky"}
        User.objects.update(mobile="+639171234567")
        Notification.objects.update(channel="sms", kind="one_time_code")
        assert send(row, now)
        assert flaky.sent[0][0] == "+639171234567"

    def test_one_for_the_app_is_shown_when_its_time_comes(
        self, user: User, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pushed: list[Any] = []
        monkeypatch.setattr(notifications.push, "to_user", lambda *told: pushed.append(told))
        later = now + timedelta(hours=1)
        notify(
            user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe="e", now=now,
            send_at=later, only=Channel.IN_APP,
        )  # fmt: skip
        row = Notification.objects.get()
        assert not send(row, now)
        assert send(row, later)
        assert Notification.objects.shown_to(user.pk).get().sent_at == later
        assert pushed[0][0] == user.public_id


@pytest.mark.django_db(transaction=True)
class TestOutsideOfTransactions:
    def test_the_network_is_never_inside_one(
        self, row: Notification, now: datetime, flaky: type[Flaky]
    ) -> None:
        assert send(row, now)
        assert flaky.in_transaction == [0]


class TestTasks:
    def test_the_sweeper_sends_what_is_due_and_leaves_the_rest(
        self, row: Notification, user: User, travel: Any, now: datetime
    ) -> None:
        notify(
            user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe="later", now=now,
            send_at=now + timedelta(hours=1),
        )  # fmt: skip
        assert tasks.send_due_notifications() == 1
        assert tasks.send_due_notifications() == 0
        travel.shift(timedelta(hours=1))
        assert tasks.send_due_notifications() == 2

    def test_the_sweeper_goes_on_while_batches_are_full_and_stops(
        self, user: User, travel: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "BATCH", 2)
        monkeypatch.setattr(tasks, "MAX_BATCHES", 2)
        monkeypatch.setattr(
            tasks.outbox, "due_notifications", lambda *, now: due_notifications(now=now, limit=2)
        )
        monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
        for number in range(5):
            notify(
                user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe=f"e{number}", now=now,
                only=Channel.EMAIL,
            )  # fmt: skip
        assert tasks.send_due_notifications() == 4
        assert tasks.send_due_notifications() == 1

    def test_the_nudge_sends_the_one_it_names(self, row: Notification, travel: Any) -> None:
        tasks.send_notification(str(row.public_id))
        row.refresh_from_db()
        assert row.state == "SENT"


class TestConsoleSender:
    def test_refuses_to_be_made_outside_of_demo_mode(self) -> None:
        with pytest.raises(ImproperlyConfigured):
            ConsoleSender()

    def test_writes_to_the_terminal_and_to_a_file_of_its_owner(
        self, settings: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.DEMO_MODE, settings.DATA_DIR = True, tmp_path
        ConsoleSender().send("demo@example.com", "Your code", "It is 123456.\nGive it to nobody.")
        ConsoleSender().send("+639171234567", "", "654321")
        written = (tmp_path / "outbox.txt").read_text()
        assert capsys.readouterr().out == written
        assert "To demo@example.com: Your code\n    It is 123456.\n    Give it to nobody.\n" in written
        assert "To +639171234567\n    654321\n" in written
        assert (tmp_path / "outbox.txt").stat().st_mode & 0o777 == 0o600

    def test_no_text_can_pass_for_another_message(self, settings: Any, tmp_path: Any) -> None:
        settings.DEMO_MODE, settings.DATA_DIR = True, tmp_path
        ConsoleSender().send(
            "a@example.com", "x", "one\r\n[2026] To b@example.com: forged\x0b[2026] To c\u2028[2026]"
        )
        lines = (tmp_path / "outbox.txt").read_text().splitlines()
        assert len([line for line in lines if line.startswith("[")]) == 1


class TestEmailSender:
    @pytest.mark.parametrize("error", [ConnectionRefusedError(), smtplib.SMTPDataError(451, b"later")])
    def test_says_only_what_kind_of_failure_it_was(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Any) -> None:
            raise error

        monkeypatch.setattr("accounts.senders.mail.EmailMessage.send", fail)
        with pytest.raises(SendError) as caught:
            EmailSender().send("a@example.com", "x", "y")
        assert str(caught.value) == type(error).__name__
