from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import tasks
from accounts.models import ChannelPreference, Member, MembershipCategory, Notification, StaffMessage, User
from accounts.services import staff_messages
from accounts.services.audiences import all_audiences, label_of, users_of
from accounts.services.staff_messages import count_of, plan, preview_of, send_due, stop, try_on
from bcc.core.errors import InvalidError, WrongStateError
from tests.reservations.bookings import book, wish_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def make(now: datetime) -> Callable[..., StaffMessage]:
    def made(audience: str = "members", chosen: str = "", **more: Any) -> StaffMessage:
        return StaffMessage.objects.create(
            title="The pool is closed", body="Until $aturday.", audience=audience, chosen=chosen,
            written_by="Test", created_at=now, link="events/1", **more,
        )  # fmt: skip

    return made


@pytest.fixture(autouse=True)
def not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_messages, "enqueue", lambda *_, **__: None)


class TestAudiences:
    def test_are_who_they_say(
        self, owner: Member, dependent: Member, stranger: Member, front_desk: User, court: Any, now: datetime
    ) -> None:
        category = MembershipCategory.objects.create(code="senior", name="Senior")
        stranger.membership.category = category
        stranger.membership.save(update_fields=["category"])
        book(owner, wish_for(court), now=now)
        group = str(front_desk.groups.get().pk)

        def ids(code: str, chosen: str = "", at: datetime = now) -> set[int]:
            return set(users_of(code, chosen, at).values_list("pk", flat=True))

        assert ids("members") == {owner.user_id, dependent.user_id, stranger.user_id}
        assert ids("category", "senior") == {stranger.user_id}
        assert ids("standing", "good") == {owner.user_id, dependent.user_id, stranger.user_id}
        assert ids("group", group) == {front_desk.pk}
        assert ids("bookers", str(court.public_id)) == {owner.user_id}
        assert ids("bookers", str(court.public_id), now + timedelta(days=3)) == set()
        assert label_of("bookers", str(court.public_id)).endswith("Court One")
        assert label_of("no such", "") == "no such"
        assert {one.code for one in all_audiences()} == {
            "members",
            "category",
            "standing",
            "group",
            "bookers",
        }

    @pytest.mark.parametrize(("code", "chosen"), [("no such", ""), ("category", "none"), ("members", "x")])
    def test_none_other(self, db: None, now: datetime, code: str, chosen: str) -> None:
        with pytest.raises(InvalidError):
            users_of(code, chosen, now)

    def test_nobody_whose_account_is_closed(self, owner: Member, now: datetime) -> None:
        User.objects.update(is_active=False)
        assert not users_of("members", "", now).exists()


class TestSending:
    def test_tells_each_once_with_the_link(
        self, owner: Member, stranger: Member, make: Callable[..., StaffMessage], travel: Any, now: datetime
    ) -> None:
        message = make()
        assert count_of(message, at=now) == 2
        plan(message=message, send_at=None, now=now)
        assert send_due(now=now) == 2
        assert send_due(now=now + timedelta(hours=1)) == 0
        message.refresh_from_db()
        assert (message.state, message.told) == ("SENT", 2)
        shown = Notification.objects.filter(channel="in_app")
        assert {(row.user_id, row.link) for row in shown} == {
            (owner.user_id, "events/1"),
            (stranger.user_id, "events/1"),
        }
        assert len(mail.outbox) == 2
        assert mail.outbox[0].body == "Until $aturday."

    def test_waits_for_its_time(
        self, owner: Member, make: Callable[..., StaffMessage], travel: Any, now: datetime
    ) -> None:
        message = make()
        plan(message=message, send_at=now + timedelta(hours=1), now=now)
        assert tasks.send_staff_messages() == 0
        travel.shift(timedelta(hours=1))
        assert tasks.send_staff_messages() == 1
        with pytest.raises(WrongStateError):
            plan(message=message, send_at=None, now=now)

    def test_stopped_in_the_middle_it_tells_nobody_more(
        self, owner: Member, stranger: Member, dependent: Member, make: Callable[..., StaffMessage],
        now: datetime, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(staff_messages, "BATCH", 1)
        message = make()
        plan(message=message, send_at=None, now=now)
        assert staff_messages._send_batch(public_id=message.public_id, now=now) == 1
        stop(message=message, now=now)
        assert send_due(now=now + timedelta(hours=1)) == 0
        assert Notification.objects.filter(channel="in_app").count() == 1
        message.refresh_from_db()
        assert (message.state, message.told) == ("STOPPED", 1)
        with pytest.raises(WrongStateError):
            stop(message=message, now=now)

    def test_goes_on_where_a_sender_died(
        self, owner: Member, stranger: Member, make: Callable[..., StaffMessage], now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(staff_messages, "BATCH", 1)
        message = make()
        plan(message=message, send_at=None, now=now)
        real = staff_messages.notify_each
        calls: list[int] = []

        def die(**said: Any) -> int:
            if calls:
                raise KeyboardInterrupt
            calls.append(1)
            return real(**said)

        monkeypatch.setattr(staff_messages, "notify_each", die)
        with pytest.raises(KeyboardInterrupt):
            send_due(now=now)
        monkeypatch.setattr(staff_messages, "notify_each", real)
        assert send_due(now=now) == 1
        assert Notification.objects.filter(channel="in_app").count() == 2

    def test_by_mail_only_to_who_wants_it_and_where_it_is_meant_to(
        self, owner: Member, stranger: Member, make: Callable[..., StaffMessage], travel: Any, now: datetime
    ) -> None:
        assert owner.user_id is not None
        ChannelPreference.objects.create(
            user_id=owner.user_id, kind="staff_message", channel="email", is_wanted=False
        )
        plan(message=make(), send_at=None, now=now)
        plan(message=make(by_email=False), send_at=None, now=now)
        send_due(now=now)
        assert [letter.to for letter in mail.outbox] == [[stranger.user.email]]  # type: ignore[union-attr]
        assert Notification.objects.filter(channel="in_app").count() == 4

    def test_is_tried_on_oneself(
        self, owner: Member, front_desk: User, make: Callable[..., StaffMessage], now: datetime
    ) -> None:
        message = make()
        assert try_on(message=message, user_id=front_desk.pk, now=now) == 2
        assert {row.user_id for row in Notification.objects.all()} == {front_desk.pk}
        message.refresh_from_db()
        assert message.state == "DRAFT"
        assert preview_of(message)["in_app"].subject == "The pool is closed"  # type: ignore[index]


class TestAdmin:
    @pytest.fixture
    def office(self, make_staff: Callable[[str], User], travel: Any) -> Client:
        browser = Client()
        browser.force_login(make_staff("Membership"))
        return browser

    def write(self, office: Client, **more: Any) -> Any:
        body = {
            "title": "Hello",
            "body": "All of you.",
            "link": "/events/1",
            "to": "members:",
            "by_email": "on",
        }
        return office.post(reverse("admin:accounts_staffmessage_add"), body | more, follow=True)

    def test_writes_tries_sends_and_stops(self, office: Client, owner: Member, now: datetime) -> None:
        self.write(office, send_at_0="2026-06-01", send_at_1="20:00:00", _continue="1")
        message = StaffMessage.objects.get()
        assert (message.audience, message.link, message.state) == ("members", "events/1", "DRAFT")
        change = reverse("admin:accounts_staffmessage_change", args=[message.pk])
        page = office.get(change).content.decode()
        assert "1 person" in page
        assert "All of you." in page
        office.post(reverse("admin:accounts_staffmessage_try", args=[message.pk]))
        assert Notification.objects.exclude(user_id=owner.user_id or 0).exists()
        office.post(reverse("admin:accounts_staffmessage_send", args=[message.pk]))
        message.refresh_from_db()
        assert message.state == "SCHEDULED"
        assert 'name="title"' not in office.get(change).content.decode()
        office.post(reverse("admin:accounts_staffmessage_stop", args=[message.pk]))
        message.refresh_from_db()
        assert message.state == "STOPPED"
        told = office.post(reverse("admin:accounts_staffmessage_stop", args=[message.pk]), follow=True)
        assert "in another state" in told.content.decode()

    def test_refuses_a_link_out_of_the_app(self, office: Client) -> None:
        page = self.write(office, link="https://evil.example/").content.decode()
        assert "A link leads into the app" in page
        assert not StaffMessage.objects.exists()

    def test_is_nobody_elses(self, front_desk: User, make: Callable[..., StaffMessage]) -> None:
        desk = Client()
        desk.force_login(front_desk)
        assert desk.post(reverse("admin:accounts_staffmessage_send", args=[make().pk])).status_code == 403
