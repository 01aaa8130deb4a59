from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from redis.exceptions import ConnectionError as RedisDownError

from accounts.models import Member, Notification, User
from accounts.services.second_factor import (
    begin_enrolment,
    check_second_factor,
    codes_left,
    confirm_enrolment,
    forget_second_factor,
    is_enrolled,
    make_recovery_codes,
    picture_of,
    secret_of,
)

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def required(settings: Any, travel: time_machine.Traveller) -> None:
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def staff(make_staff: Callable[[str], User]) -> User:
    user = make_staff("Membership")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


@pytest.fixture
def browser(staff: User) -> Client:
    browser = Client()
    login(browser, staff.username, PASSWORD)
    return browser


def login(browser: Client, username: str, password: str) -> Any:
    return browser.post(reverse("admin:login"), {"username": username, "password": password})


def code_of(device: TOTPDevice) -> str:
    """What the app shows now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    return f"{totp.token():06d}"


@pytest.fixture
def enrolled(staff: User, now: datetime) -> TOTPDevice:
    device = begin_enrolment(user=staff)
    assert confirm_enrolment(user=staff, device=device, code=code_of(device), now=now)
    return device


class TestEnrolment:
    def test_a_right_code_enrols_once_and_gives_ten_recovery_codes(self, staff: User, now: datetime) -> None:
        device = begin_enrolment(user=staff)
        assert begin_enrolment(user=staff) == device
        assert picture_of(device).startswith("data:image/svg+xml")
        assert re.fullmatch(r"([A-Z2-7]{4} ?)+", secret_of(device))
        assert confirm_enrolment(user=staff, device=device, code="000000", now=now) is None
        assert not is_enrolled(staff)
        device.refresh_from_db()
        assert device.throttling_failure_count == 1

    def test_tells_by_mail(self, staff: User, enrolled: TOTPDevice) -> None:
        assert is_enrolled(staff)
        assert codes_left(staff) == 10
        assert Notification.objects.filter(user=staff, kind="second_factor").exists()


class TestCheckSecondFactor:
    def test_a_code_works_once(self, staff: User, enrolled: TOTPDevice, travel: Any) -> None:
        travel.shift(timedelta(seconds=30))
        code = code_of(enrolled)
        assert check_second_factor(user=staff, code=f"{code[:3]} {code[3:]}") == enrolled
        assert check_second_factor(user=staff, code=code) is None

    def test_a_recovery_code_works_once_in_any_writing(self, staff: User, enrolled: TOTPDevice) -> None:
        codes = make_recovery_codes(user=staff)
        assert check_second_factor(user=staff, code=codes[0].upper().replace("-", " "))
        assert check_second_factor(user=staff, code=codes[0]) is None
        assert codes_left(staff) == 9
        rows = set(StaticToken.objects.values_list("token", flat=True))
        assert not rows & {code.replace("-", "") for code in codes}, "the table itself lets nobody in"

    def test_guesses_wait_longer_each_time(self, staff: User, enrolled: TOTPDevice, travel: Any) -> None:
        travel.shift(timedelta(seconds=30))
        assert check_second_factor(user=staff, code="000000") is None
        assert check_second_factor(user=staff, code=code_of(enrolled)) is None, "too soon"
        travel.shift(timedelta(seconds=30))
        assert check_second_factor(user=staff, code=code_of(enrolled))

    def test_that_of_another_is_none(
        self, staff: User, enrolled: TOTPDevice, make_staff: Callable[[str], User]
    ) -> None:
        assert check_second_factor(user=make_staff("Ops"), code=code_of(enrolled)) is None

    def test_forgotten_it_is_set_up_anew(self, staff: User, enrolled: TOTPDevice) -> None:
        forget_second_factor(user=staff)
        assert not is_enrolled(staff)
        assert not StaticToken.objects.exists()


class TestPages:
    def test_no_page_opens_before_it_is_set_up_and_then_they_do(self, browser: Client, staff: User) -> None:
        members = reverse("admin:accounts_member_changelist")
        sent = browser.get(members)
        assert sent["Location"] == f"{reverse('second-factor')}?next=%2Fadmin%2Faccounts%2Fmember%2F"
        page = browser.get(sent["Location"]).content.decode()
        assert "data:image/svg+xml" in page
        device = TOTPDevice.objects.get()
        assert "not the code" in browser.post(sent["Location"], {"code": "000000"}).content.decode()
        TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
        shown = browser.post(sent["Location"], {"code": code_of(device)}).content.decode()
        assert len(re.findall(r"<code>[a-z2-9]{5}-[a-z2-9]{5}</code>", shown)) == 10
        assert browser.get(members).status_code == 200
        assert browser.get(reverse("second-factor"))["Location"] == reverse("admin:index")

    def test_a_new_session_is_asked_for_a_code(
        self, browser: Client, staff: User, enrolled: TOTPDevice, travel: Any
    ) -> None:
        travel.shift(timedelta(seconds=30))
        page = browser.get(reverse("second-factor")).content.decode()
        assert "data:image/svg" not in page
        assert browser.get(reverse("admin:index")).status_code == 302
        key = browser.session.session_key
        answered = browser.post(
            f"{reverse('second-factor')}?next=https://evil.example/", {"code": code_of(enrolled)}
        )
        assert answered["Location"] == reverse("admin:index")
        assert browser.session.session_key != key
        assert browser.get(reverse("admin:index")).status_code == 200

    def test_recovery_codes_are_made_anew_by_who_is_let_in(
        self, browser: Client, enrolled: TOTPDevice, travel: Any
    ) -> None:
        assert browser.get(reverse("recovery-codes"))["Location"].startswith(reverse("second-factor"))
        travel.shift(timedelta(seconds=30))
        browser.post(reverse("second-factor"), {"code": code_of(enrolled)})
        assert "10 recovery codes left" in browser.get(reverse("recovery-codes")).content.decode()
        before = set(StaticToken.objects.values_list("token", flat=True))
        assert browser.post(reverse("recovery-codes")).status_code == 200
        assert not before & set(StaticToken.objects.values_list("token", flat=True))

    def test_strangers_and_members_are_sent_to_sign_in(self, owner: Member) -> None:
        member = Client()
        assert owner.user is not None
        member.force_login(owner.user)
        for browser in (Client(), member):
            for page in ("second-factor", "recovery-codes"):
                assert browser.get(reverse(page))["Location"].startswith("/admin/")
            assert browser.get(reverse("second-factor"))["Location"].startswith(reverse("admin:login"))

    def test_signing_out_needs_no_code(self, browser: Client) -> None:
        assert browser.post(reverse("admin:logout")).status_code in (200, 302)
        assert "_auth_user_id" not in browser.session

    def test_every_page_of_the_back_office_stands_behind_it(self, browser: Client) -> None:
        for model in admin.site._registry:
            options = model._meta
            page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
            assert browser.get(page)["Location"].startswith(reverse("second-factor")), page

    def test_a_superuser_lets_others_set_it_up_anew(
        self, staff: User, enrolled: TOTPDevice, settings: Any
    ) -> None:
        settings.STAFF_SECOND_FACTOR = False
        root = Client()
        root.force_login(User.objects.create_superuser("test-root", PASSWORD))
        url = reverse("admin:accounts_user_changelist")
        root.post(url, {"action": "second_factor_anew", "_selected_action": [staff.pk]})
        assert not is_enrolled(staff)


class TestSignInPage:
    def test_makes_who_guesses_wait_and_nobody_else(
        self, staff: User, make_staff: Callable[[str], User], travel: Any
    ) -> None:
        for _ in range(4):
            assert "Please enter" in login(Client(), staff.username, "wrong").content.decode()
        refused = login(Client(), staff.username.upper(), PASSWORD).content.decode()
        assert "Wait 2 seconds" in refused
        elsewhere = Client(REMOTE_ADDR="192.0.2.7")
        assert login(elsewhere, staff.username, PASSWORD).status_code == 302
        travel.shift(timedelta(seconds=2))
        assert login(Client(), staff.username, PASSWORD).status_code == 302

    def test_lets_nobody_in_without_counters(self, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise RedisDownError

        monkeypatch.setattr(cache, "get", away)
        assert "busy" in login(Client(), staff.username, PASSWORD).content.decode()
