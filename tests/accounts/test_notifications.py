from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Channel, ChannelPreference, Member, Notification, User
from accounts.services import messages, notifications, outbox
from accounts.services.messages import MessageKind, register
from accounts.services.notifications import (
    News,
    choose_channels,
    mark_read,
    notify,
    notify_each,
)
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.recovery import ensure_nobody
from bcc.core.errors import NotFoundError

KIND = MessageKind(
    code="test_told",
    label="Test",
    fields={"what": "something"},
    texts={
        Channel.IN_APP: ("$what", "$what"),
        Channel.EMAIL: ("$what", "$what"),
        Channel.SMS: ("", "$what"),
    },
    channels={Channel.SMS: False},
)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_kinds", {**messages._kinds})
    register(KIND)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was handed to the queue and to the sockets."""
    out: list[Any] = []
    monkeypatch.setattr(
        notifications._SENDING,
        "enqueue",
        lambda item: out.append((notifications.SEND_TASK, {"notification": item})),
    )
    monkeypatch.setattr(notifications.push, "to_user", lambda user, message: out.append((user, message)))
    return out


def tell(user: User, now: datetime, *, dedupe: str = "event:1", **more: Any) -> int:
    return notify(user_id=user.pk, kind="test_told", context={"what": "x"}, dedupe=dedupe, now=now, **more)


def channels(user: User) -> set[str]:
    return set(Notification.objects.filter(user=user).values_list("channel", flat=True))


class TestNotifyEach:
    def news(self, user: User, number: int = 1) -> News:
        return News(user_id=user.pk, kind="test_told", context={"what": "x"}, dedupe=f"event:{number}")

    def test_writes_what_notify_writes_and_nudges_the_senders_once(
        self, user: User, stranger: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nudges: list[Any] = []
        pushed: list[Any] = []
        monkeypatch.setattr(notifications, "enqueue", lambda task, **facts: nudges.append((task, facts)))
        monkeypatch.setattr(notifications.push, "to_each", pushed.extend)
        other = stranger.user
        assert other is not None

        told = notify_each(kind="test_told", news=[self.news(user), self.news(other, 2)], now=now)

        assert told == 4
        rows = Notification.objects.order_by("pk")
        assert [(row.user_id, row.channel, row.state) for row in rows] == [
            (user.pk, "in_app", "SENT"),
            (user.pk, "email", "PENDING"),
            (other.pk, "in_app", "SENT"),
            (other.pk, "email", "PENDING"),
        ]
        emails = [str(row.public_id) for row in rows if row.channel == Channel.EMAIL]
        assert nudges == [("accounts.send_notifications", {"notifications": emails})]
        assert [whom for whom, _message in pushed] == [user.public_id, other.public_id]

    def test_tells_of_one_event_once(self, user: User, now: datetime) -> None:
        assert tell(user, now) == 2
        assert notify_each(kind="test_told", news=[self.news(user)], now=now) == 0

    def test_keeps_to_what_each_has_chosen(self, user: User, stranger: Member, now: datetime) -> None:
        assert stranger.user is not None
        choose_channels(user_id=user.pk, choices=[("test_told", Channel.EMAIL, False)])
        User.objects.filter(pk=stranger.user.pk).update(is_active=False)

        news = [self.news(user), self.news(stranger.user, 2)]

        assert notify_each(kind="test_told", news=news, now=now) == 1
        assert channels(user) == {"in_app"}

    def test_refuses_a_context_of_other_fields(self, user: User, now: datetime) -> None:
        bad = News(user_id=user.pk, kind="test_told", context={}, dedupe="event:1")
        with pytest.raises(ValueError, match="takes the fields"):
            notify_each(kind="test_told", news=[bad], now=now)


class TestNotify:
    def test_writes_one_row_a_channel_in_one_query_and_one_insert(
        self, user: User, now: datetime, sent: list[Any], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(4):  # two of them the test's own savepoint
            assert tell(user, now, link="reservations/1") == 2
        in_app, email = Notification.objects.order_by("channel").reverse()
        assert (in_app.state, in_app.sent_at, in_app.link) == ("SENT", now, "reservations/1")
        assert (email.state, email.sent_at, email.valid_until) == ("PENDING", None, now + timedelta(days=1))
        assert sent == [
            (
                user.public_id,
                {
                    "type": "notification",
                    "id": str(in_app.public_id),
                    "kind": "test_told",
                    "link": "reservations/1",
                },
            ),
            ("accounts.send_notification", {"notification": str(email.public_id)}),
        ]

    def test_the_same_event_again_writes_nothing(self, user: User, now: datetime, sent: list[Any]) -> None:
        tell(user, now)
        assert tell(user, now + timedelta(hours=1)) == 0
        assert tell(user, now, dedupe="event:2") == 2
        assert Notification.objects.count() == 4

    def test_an_event_told_on_one_channel_is_told_on_the_other(
        self, user: User, now: datetime, sent: list[Any]
    ) -> None:
        assert tell(user, now, only=Channel.EMAIL) == 1
        assert tell(user, now) == 1
        assert channels(user) == {"in_app", "email"}

    def test_goes_by_mail_only_where_there_is_an_address(
        self, user: User, now: datetime, sent: list[Any]
    ) -> None:
        User.objects.filter(pk=user.pk).update(email="")
        tell(user, now)
        assert channels(user) == {"in_app"}

    def test_goes_by_no_channel_without_a_sender(
        self, user: User, now: datetime, sent: list[Any], settings: Any
    ) -> None:
        settings.NOTIFICATION_SENDERS = {}
        tell(user, now)
        assert channels(user) == {"in_app"}

    def test_follows_the_members_choice_over_the_kinds(
        self, user: User, now: datetime, sent: list[Any], settings: Any
    ) -> None:
        settings.NOTIFICATION_SENDERS = {"email": "x", "sms": "y"}
        User.objects.filter(pk=user.pk).update(mobile="+639171234567")
        tell(user, now)
        assert channels(user) == {"in_app", "email"}
        choose_channels(
            user_id=user.pk, choices=[("test_told", Channel.EMAIL, False), ("test_told", Channel.SMS, True)]
        )
        Notification.objects.all().delete()
        tell(user, now)
        assert channels(user) == {"in_app", "sms"}

    def test_no_choice_silences_the_list_or_security(
        self, user: User, now: datetime, sent: list[Any]
    ) -> None:
        for kind, channel in [("test_told", "in_app"), ("password_changed", "email")]:
            ChannelPreference.objects.create(user=user, kind=kind, channel=channel, is_wanted=False)
        tell(user, now)
        notify(user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe="p", now=now)
        assert Notification.objects.filter(kind="test_told", channel="in_app").exists()
        assert Notification.objects.filter(kind="password_changed", channel="email").exists()

    def test_later_is_left_to_the_sweeper(self, user: User, now: datetime, sent: list[Any]) -> None:
        later = now + timedelta(hours=2)
        tell(user, now, send_at=later)
        assert set(Notification.objects.values_list("state", flat=True)) == {"PENDING"}
        assert set(Notification.objects.values_list("valid_until", flat=True)) == {later + timedelta(days=1)}
        assert sent == []
        assert not Notification.objects.shown_to(user.pk).exists()

    def test_tells_nobody_who_is_gone_or_closed(self, user: User, now: datetime, sent: list[Any]) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert tell(user, now) == 0
        assert notify(user_id=0, kind="test_told", context={"what": "x"}, dedupe="e", now=now) == 0

    @pytest.mark.parametrize("context", [{}, {"what": "x", "more": "y"}])
    def test_refuses_a_context_that_is_not_the_kinds(
        self, user: User, now: datetime, context: dict[str, str]
    ) -> None:
        with pytest.raises(ValueError, match="takes the fields"):
            notify(user_id=user.pk, kind="test_told", context=context, dedupe="e", now=now)

    def test_refuses_a_kind_that_nobody_declared(self, user: User, now: datetime) -> None:
        with pytest.raises(KeyError):
            notify(user_id=user.pk, kind="no_such", context={}, dedupe="e", now=now)


class TestOtpRow:
    def test_names_the_challenge_and_holds_no_code(self, user: User, now: datetime) -> None:
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        row = Notification.objects.select_related("one_time_password").get()
        assert row.context == {}
        assert row.one_time_password is not None
        assert row.valid_until == row.one_time_password.expires_at

    def test_of_nobody_waits_for_the_account_that_is_closed(self, db: None, now: datetime) -> None:
        nobody = ensure_nobody()
        issue_challenge(user=None, purpose=Purpose.RESET, nobody=nobody, now=now)
        row = Notification.objects.get()
        assert row.user == nobody
        assert not outbox.send_notification(public_id=row.public_id, now=now)
        row.refresh_from_db()
        assert row.state == "EXPIRED"


class TestMarkRead:
    def test_the_first_time_counts(self, user: User, now: datetime) -> None:
        tell(user, now)
        shown = Notification.objects.get(channel="in_app")
        mark_read(user_id=user.pk, public_id=shown.public_id, now=now)
        again = mark_read(user_id=user.pk, public_id=shown.public_id, now=now + timedelta(hours=1))
        assert again.read_at == now

    def test_of_another_by_mail_or_of_none_is_not_found(
        self, user: User, stranger: Member, now: datetime
    ) -> None:
        tell(user, now)
        in_app, email = (Notification.objects.get(channel=one) for one in ("in_app", "email"))
        assert stranger.user_id is not None
        for user_id, public_id in [
            (stranger.user_id, in_app.public_id),
            (user.pk, email.public_id),
            (user.pk, uuid4()),
        ]:
            with pytest.raises(NotFoundError):
                mark_read(user_id=user_id, public_id=public_id, now=now)


class TestChooseChannels:
    def test_keeps_one_row_a_choice(self, user: User) -> None:
        for wanted in (False, False, True):
            choose_channels(user_id=user.pk, choices=[("test_told", Channel.EMAIL, wanted)])
        assert ChannelPreference.objects.get().is_wanted

    def test_the_last_of_two_for_one_thing_holds(self, user: User) -> None:
        both = [("test_told", Channel.EMAIL, True), ("test_told", Channel.EMAIL, False)]
        choose_channels(user_id=user.pk, choices=both)
        assert not ChannelPreference.objects.get().is_wanted
