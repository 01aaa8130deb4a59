"""Texts, mails and pushes to real servers on this machine: requests, refusals, the next channel, budgets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Channel, Device, Notification, OneTimePassword, SmsUse, User
from accounts.policies.texts import may_be_texted, sms_parts
from accounts.senders import EmailSender, HttpSmsSender, RefusedError, SendError
from accounts.senders.base import GoneError
from accounts.senders.push import FcmSender
from accounts.services import notifications, outbox
from accounts.services.messages import find_kind
from accounts.services.notifications import News, notify, notify_each
from accounts.services.one_time_passwords import Purpose, check_code, issue_challenge
from accounts.services.outbox import due_notifications, send_notification
from accounts.services.sms_budget import SmsRefusedError, take_place
from accounts.views.me import _preferences
from tests.accounts.gateways import Gateway, Mailbox, http_gateway, smtp_server

NUMBER = "+639171234567"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with http_gateway() as one:
        yield one


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with smtp_server() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def texting(settings: Any, gateway: Gateway) -> Gateway:
    """A deployment that texts by the gateway, and mails."""
    settings.SMS_URL = f"{gateway.url}/send"
    settings.SMS_HEADERS = {"X-Api-Key": "test-key"}
    settings.SMS_REFERENCE = "data.0.id"
    settings.NOTIFICATION_SENDERS = {
        "sms": "accounts.senders.HttpSmsSender",
        "email": "accounts.senders.EmailSender",
    }
    return gateway


@pytest.fixture
def reachable(user: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """By text and by mail; nothing is sent before the test says so."""
    monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
    user.mobile = NUMBER
    user.save(update_fields=["mobile"])
    return user


def send_due(now: datetime) -> None:
    for public_id in due_notifications(now=now):
        send_notification(public_id=public_id, now=now)


def states() -> dict[str, str]:
    return dict(Notification.objects.order_by("pk").values_list("channel", "state"))


class TestTexts:
    def test_are_billed_in_parts_by_what_they_hold(self) -> None:
        assert [sms_parts("x" * length) for length in (0, 160, 161, 306, 307)] == [1, 1, 2, 2, 3]
        assert [sms_parts("ж" * length) for length in (70, 71, 134, 135)] == [1, 2, 2, 3]
        assert sms_parts("€" * 80) == 1
        assert sms_parts("€" * 81) == 2

    def test_go_to_the_countries_on_the_list(self) -> None:
        assert may_be_texted(NUMBER, ["+63"])
        assert not may_be_texted("+6391", [])
        assert not may_be_texted("+12025550123", ["+63", "+65"])


class TestHttpSmsSender:
    def test_sends_the_request_of_the_settings(self, texting: Gateway, settings: Any) -> None:
        texting.answers = [(202, '{"data": [{"id": 7}]}')]
        settings.SMS_FROM = "CLUB"
        assert HttpSmsSender().send(NUMBER, "", 'A "code"\n is 1') == "7"
        heard = texting.heard[0]
        assert (heard.method, heard.path, heard.headers["X-Api-Key"]) == ("POST", "/send", "test-key")
        assert json.loads(heard.body) == {"to": NUMBER, "from": "CLUB", "text": 'A "code"\n is 1'}

    def test_or_a_form_or_an_address(self, texting: Gateway, settings: Any) -> None:
        settings.SMS_CONTENT_TYPE = "application/x-www-form-urlencoded"
        settings.SMS_BODY = "number=$to&message=$text"
        assert HttpSmsSender().send(NUMBER, "", "a&b=ñ") is None
        assert texting.heard[0].body == "number=%2B639171234567&message=a%26b%3D%C3%B1"
        settings.SMS_METHOD, settings.SMS_BODY = "GET", ""
        settings.SMS_URL = f"{texting.url}/send?to=$to&text=$text"
        HttpSmsSender().send(NUMBER, "", "a b")
        assert (texting.heard[1].method, texting.heard[1].path) == (
            "GET",
            "/send?to=%2B639171234567&text=a%20b",
        )

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(500, SendError), (503, SendError), (429, SendError), (400, RefusedError), (401, RefusedError)],
    )
    def test_says_what_may_work_later_and_what_never(
        self, texting: Gateway, status: int, kind: type[SendError]
    ) -> None:
        texting.answers = [(status, f"no {NUMBER}")]
        with pytest.raises(SendError) as caught:
            HttpSmsSender().send(NUMBER, "", "x")
        assert type(caught.value) is kind
        assert str(caught.value) == f"HTTP {status}"

    def test_follows_nobody_elsewhere(self, texting: Gateway) -> None:
        texting.answers, texting.headers = [(302, "")], {"Location": f"{texting.url}/other"}
        with pytest.raises(RefusedError):
            HttpSmsSender().send(NUMBER, "", "x")
        assert len(texting.heard) == 1

    def test_a_gateway_that_is_away_or_talks_nonsense_may_work_later(
        self, settings: Any, texting: Gateway
    ) -> None:
        settings.SMS_URL, settings.SMS_TIMEOUT = "http://127.0.0.1:9/send", 1.0
        with pytest.raises(SendError):
            HttpSmsSender().send(NUMBER, "", "x")
        settings.SMS_URL = f"{texting.url}/send"
        texting.answers = [(200, "<html>")]
        assert HttpSmsSender().send(NUMBER, "", "x") is None

    @pytest.mark.parametrize(
        "change",
        [{"SMS_URL": "http://sms.example.com/"}, {"SMS_URL": ""}, {"SMS_BODY": "{}"}, {"SMS_BODY": "$to"}],
    )
    def test_refuses_settings_that_make_no_safe_request(
        self, texting: Gateway, settings: Any, change: dict[str, str]
    ) -> None:
        for name, value in change.items():
            setattr(settings, name, value)
        with pytest.raises(ImproperlyConfigured):
            HttpSmsSender()


class TestSmtp:
    def test_a_letter_arrives(self, mailbox: Mailbox) -> None:
        EmailSender().send("demo@example.com", "Your code", "It is 123456.")
        letter = mailbox.letters[0]
        assert letter.rcpt_tos == ["demo@example.com"]
        assert b"It is 123456." in letter.content

    def test_what_is_refused_for_good_is_not_tried_again(self, mailbox: Mailbox) -> None:
        mailbox.refuse = "550 nobody here"
        with pytest.raises(RefusedError):
            EmailSender().send("demo@example.com", "x", "y")
        mailbox.refuse = "450 later"
        with pytest.raises(SendError) as caught:
            EmailSender().send("demo@example.com", "x", "y")
        assert type(caught.value) is SendError
        assert "example.com" not in str(caught.value)


class TestNextChannel:
    def test_a_code_goes_by_text_and_costs_what_it_costs(
        self, reachable: User, texting: Gateway, now: datetime
    ) -> None:
        texting.answers = [(200, '{"data": [{"id": "m-1"}]}')]
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        send_due(now)
        row = Notification.objects.get()
        assert (row.channel, row.state, row.reference) == ("sms", "SENT", "m-1")
        assert re.search(r"\b\d{6}\b", json.loads(texting.heard[0].body)["text"])
        club = SmsUse.objects.get(scope="club")
        assert (club.used, club.parts, club.cost) == (1, 1, Decimal("0.50"))

    def test_one_that_the_gateway_refuses_goes_by_mail_at_once(
        self, reachable: User, texting: Gateway, mailbox: Mailbox, now: datetime
    ) -> None:
        texting.answers = [(400, "no such number")]
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        send_due(now)
        assert states() == {"sms": "FAILED", "email": "PENDING"}
        send_due(now)
        assert states() == {"sms": "FAILED", "email": "SENT"}
        assert OneTimePassword.objects.get().channel == "email"
        code = re.search(r"\b\d{6}\b", json.loads(texting.heard[0].body)["text"])
        assert code is not None
        assert code[0].encode() in mailbox.letters[0].content

    def test_one_whose_gateway_is_away_is_tried_twice_and_then_goes_by_mail(
        self, reachable: User, texting: Gateway, now: datetime
    ) -> None:
        texting.answers = [(503, "")]
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        send_due(now)
        assert states() == {"sms": "PENDING"}
        send_due(now + timedelta(seconds=15))
        assert states() == {"sms": "FAILED", "email": "PENDING"}
        assert Notification.objects.get(channel="email").valid_until == now + timedelta(minutes=5)

    def test_never_one_that_was_replaced_and_never_late(
        self, reachable: User, texting: Gateway, now: datetime
    ) -> None:
        texting.answers = [(400, "")]
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        row = Notification.objects.select_related("user", "one_time_password").get()
        outbox._fail_over(row, now + timedelta(minutes=5))
        assert states() == {"sms": "PENDING"}
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        row = Notification.objects.select_related("user", "one_time_password").order_by("pk")[0]
        outbox._fail_over(row, now)
        assert not Notification.objects.filter(channel="email").exists()

    def test_one_without_another_way_is_tried_to_the_end(
        self, reachable: User, texting: Gateway, now: datetime
    ) -> None:
        texting.answers = [(503, "")]
        User.objects.update(email="")
        issue_challenge(user=reachable, purpose=Purpose.DEVICE, now=now)
        for seconds in (0, 15, 45, 105, 225):
            send_due(now + timedelta(seconds=seconds))
        assert len(texting.heard) == 5
        assert states() == {"sms": "FAILED"}, "the next try would be late"

    def test_a_country_that_is_not_on_the_list_costs_nothing(
        self, reachable: User, texting: Gateway, now: datetime
    ) -> None:
        User.objects.update(mobile="+6581234567")
        issue_challenge(user=User.objects.get(pk=reachable.pk), purpose=Purpose.DEVICE, now=now)
        send_due(now)
        assert states() == {"sms": "FAILED", "email": "PENDING"}
        assert (texting.heard, SmsUse.objects.count()) == ([], 0)


class TestBudgets:
    @pytest.mark.parametrize("name", ["SMS_A_DAY_PER_NUMBER", "SMS_A_DAY_PER_ADDRESS", "SMS_A_DAY"])
    def test_are_kept_each_and_begin_anew_the_next_day(
        self, db: None, settings: Any, now: datetime, name: str
    ) -> None:
        setattr(settings, name, 3)
        take = {"number": NUMBER, "address_key": "a", "text": "x"}
        for _ in range(3):
            take_place(**take, now=now)
        with pytest.raises(SmsRefusedError) as caught:
            take_place(**take, now=now)
        assert NUMBER not in str(caught.value)
        take_place(**take, now=now + timedelta(days=1))
        if name != "SMS_A_DAY":
            take_place(number="+639181234567", address_key="b", text="x", now=now)

    def test_a_refused_one_counts_nowhere(self, db: None, settings: Any, now: datetime) -> None:
        settings.SMS_A_DAY = 1
        take_place(number=NUMBER, address_key="a", text="x", now=now)
        with pytest.raises(SmsRefusedError):
            take_place(number="+639181234567", address_key="b", text="x", now=now)
        assert list(SmsUse.objects.values_list("scope", "used").order_by("scope")) == [
            ("address", 1), ("club", 1), ("number", 1),
        ]  # fmt: skip

    @pytest.mark.django_db(transaction=True)
    def test_hold_against_a_crowd_of_senders(self, settings: Any, now: datetime) -> None:
        settings.SMS_A_DAY = 10

        def take(number: int) -> bool:
            try:
                take_place(number=f"+63917000{number:04d}", address_key="", text="x", now=now)
            except SmsRefusedError:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = sum(pool.map(take, range(40)))
        assert taken == 10
        assert SmsUse.objects.get(scope="club").used == 10

    def test_no_number_stands_in_a_row(self, db: None, now: datetime) -> None:
        take_place(number=NUMBER, address_key="a", text="x", now=now)
        assert "9171234567" not in str(list(SmsUse.objects.values()))

    def test_what_was_spent_is_shown(self, make_staff: Any, now: datetime) -> None:
        take_place(number=NUMBER, address_key="a", text="x" * 161, now=now)
        browser = Client()
        browser.force_login(make_staff("Ops"))
        page = browser.get(reverse("admin:accounts_smsuse_changelist")).content.decode()
        assert "1.00 PHP" in page
        assert "1999" in page


class TestPush:
    @pytest.fixture
    def pushing(self, settings: Any, gateway: Gateway, tmp_path: Path) -> Gateway:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public = key.public_key()
        account = {
            "client_email": "club@demo.example.com",
            "private_key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
            "token_uri": f"{gateway.url}/token",
            "project_id": "demo-club",
        }
        (tmp_path / "fcm.json").write_text(json.dumps(account))
        settings.FCM_CREDENTIALS_FILE = str(tmp_path / "fcm.json")
        settings.FCM_URL = gateway.url
        settings.NOTIFICATION_SENDERS = {"push": "accounts.senders.push.FcmSender"}
        gateway.answers = [(200, '{"access_token": "at", "expires_in": 3600}'), (200, '{"name": "m/1"}')]
        return gateway

    @pytest.fixture
    def phone(self, trusted: Device, monkeypatch: pytest.MonkeyPatch) -> Device:
        monkeypatch.setattr(notifications._SENDING, "enqueue", lambda item: None)
        trusted.push_token = "push-token-1"
        trusted.save(update_fields=["push_token"])
        return trusted

    def tell(self, user: User, now: datetime) -> None:
        notify(
            user_id=user.pk, kind="password_changed", context={"at": "noon"}, dedupe="p", now=now, link="me"
        )

    def test_goes_to_the_device_signed_by_the_account(
        self, pushing: Gateway, phone: Device, user: User, now: datetime
    ) -> None:
        self.tell(user, now)
        send_due(now)
        assert states() == {"in_app": "SENT", "push": "SENT"}
        asked, sent = pushing.heard
        signed = asked.body.rpartition("assertion=")[2]
        claims = jwt.decode(signed, self.public, ["RS256"], audience=f"{pushing.url}/token")
        assert claims["iss"] == "club@demo.example.com"
        assert (sent.path, sent.headers["Authorization"]) == (
            "/v1/projects/demo-club/messages:send",
            "Bearer at",
        )
        message = json.loads(sent.body)["message"]
        assert (message["token"], message["data"]) == ("push-token-1", {"link": "me"})
        assert "noon" in message["notification"]["body"]

    def test_asks_for_access_once_an_hour(self, pushing: Gateway) -> None:
        sender = FcmSender()
        sender.send("a", "x", "y")
        sender.send("b", "x", "y")
        assert [one.path for one in pushing.heard].count("/token") == 1

    def test_a_token_that_is_no_more_is_forgotten(
        self, pushing: Gateway, phone: Device, user: User, now: datetime
    ) -> None:
        pushing.answers[1:] = [(404, '{"error": {"status": "NOT_FOUND"}}')]
        self.tell(user, now)
        send_due(now)
        phone.refresh_from_db()
        assert phone.push_token == ""
        assert states()["push"] == "FAILED"

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ((404, "{}"), GoneError),
            ((400, '{"error": {"message": "not a valid registration token"}}'), GoneError),
            ((400, "{}"), RefusedError),
            ((401, "{}"), SendError),
            ((500, "{}"), SendError),
        ],
    )
    def test_says_what_became_of_it(
        self, pushing: Gateway, answer: tuple[int, str], kind: type[SendError]
    ) -> None:
        pushing.answers[1:] = [answer]
        with pytest.raises(SendError) as caught:
            FcmSender().send("a", "x", "y")
        assert type(caught.value) is kind

    def test_without_access_it_may_work_later(self, pushing: Gateway) -> None:
        pushing.answers = [(400, "{}")]
        with pytest.raises(SendError, match="no access token"):
            FcmSender().send("a", "x", "y")

    def test_a_code_goes_to_a_device_trusted_before_and_by_mail_where_it_is_gone(
        self, pushing: Gateway, phone: Device, mailbox: Mailbox, user: User, settings: Any, now: datetime
    ) -> None:
        settings.OTP_CHANNELS = ["push", "email"]
        settings.NOTIFICATION_SENDERS["email"] = "accounts.senders.EmailSender"
        Device.objects.create(user=user, platform="web", push_token="not-trusted", last_seen_at=now)
        told = issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        assert (told.channel, told.sent_to) == ("push", phone.get_platform_display())
        send_due(now)
        (sent,) = [json.loads(one.body)["message"] for one in pushing.heard if one.path != "/token"]
        assert sent["token"] == "push-token-1"
        code = re.search(r"\b\d{6}\b", sent["notification"]["body"])
        assert code is not None
        assert check_code(challenge=told.challenge, code=code[0], now=now).user_id == user.pk
        pushing.answers = [(404, '{"error": {"status": "NOT_FOUND"}}')]
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        send_due(now)
        send_due(now)
        assert len(mailbox.letters) == 1
        phone.refresh_from_db()
        assert phone.push_token == ""
        assert issue_challenge(user=user, purpose=Purpose.DEVICE, now=now).channel == "email"

    def test_a_code_asked_for_by_a_name_costs_as_many_statements_for_nobody(
        self, pushing: Gateway, phone: Device, user: User, stranger: Any, settings: Any, now: datetime
    ) -> None:
        settings.OTP_CHANNELS = ["push"]
        nobody = stranger.user
        counts = []
        for asked in (user, None):
            with CaptureQueriesContext(connection) as asked_for:
                told = issue_challenge(user=asked, nobody=nobody, purpose=Purpose.RESET, now=now)
            assert (told.channel, told.sent_to) == ("push", "")
            counts.append(len(asked_for))
        assert counts[0] == counts[1]

    def test_refuses_a_file_that_is_no_account(self, settings: Any, tmp_path: Path) -> None:
        settings.FCM_CREDENTIALS_FILE = str(tmp_path / "none.json")
        with pytest.raises(ImproperlyConfigured):
            FcmSender()

    def test_only_to_who_has_a_device_and_only_if_wanted(
        self, pushing: Gateway, user: User, stranger: Any, phone: Device, now: datetime
    ) -> None:
        news = [
            News(user_id=one, kind="password_changed", context={"at": "x"}, dedupe=f"n{one}")
            for one in (user.pk, stranger.user_id)
        ]
        notify_each(kind="password_changed", news=news, now=now)
        assert list(Notification.objects.filter(channel="push").values_list("user_id", flat=True)) == [
            user.pk
        ]
        assert (
            find_kind("password_changed").words(Channel.PUSH)
            == find_kind("password_changed").texts[Channel.IN_APP]
        )
        assert "push" in {one["channel"] for one in _preferences(user.pk)}
