from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts import tasks
from accounts.models import Device, Notification, OneTimePassword, RefreshTokenUse, Session, User
from accounts.services import upkeep
from accounts.services.devices import remember_untrusted
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.upkeep import purge_expired
from tests.accounts.conftest import PHONE


class TestPurgeExpired:
    def test_keeps_everything_that_may_still_matter(self, user: User, trusted: Device, now: datetime) -> None:
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        remember_untrusted(user=user, facts=PHONE, now=now)
        session = Session.objects.create(
            user=user, device=trusted, started_at=now, expires_at=now + timedelta(days=180)
        )
        RefreshTokenUse.objects.create(session=session, jti=uuid4(), used_at=now)
        assert purge_expired(now=now + timedelta(hours=24)) == 0

    def test_deletes_codes_after_a_day_with_the_rows_that_name_them(self, user: User, now: datetime) -> None:
        issue_challenge(user=user, purpose=Purpose.DEVICE, now=now)
        purge_expired(now=now + timedelta(days=1, minutes=6))
        assert not OneTimePassword.objects.exists()
        assert not Notification.objects.exists()

    def test_deletes_a_device_that_never_answered_and_no_other(
        self, user: User, trusted: Device, now: datetime
    ) -> None:
        remember_untrusted(user=user, facts=PHONE, now=now)
        purge_expired(now=now + timedelta(days=2))
        assert Device.objects.get() == trusted

    def test_deletes_sessions_thirty_days_after_their_end_with_what_they_spent(
        self, user: User, trusted: Device, now: datetime
    ) -> None:
        facts: dict[str, Any] = {"user": user, "device": trusted, "started_at": now}
        ended = Session.objects.create(expires_at=now + timedelta(days=180), ended_at=now, **facts)
        expired = Session.objects.create(expires_at=now, **facts)
        live = Session.objects.create(expires_at=now + timedelta(days=180), **facts)
        for session in (ended, expired, live):
            RefreshTokenUse.objects.create(session=session, jti=uuid4(), used_at=now + timedelta(days=20))
        assert purge_expired(now=now + timedelta(days=30)) == 0
        purge_expired(now=now + timedelta(days=31))
        assert Session.objects.get() == live
        assert RefreshTokenUse.objects.get().session == live
        purge_expired(now=now + timedelta(days=51))
        assert not RefreshTokenUse.objects.exists()

    def test_works_in_small_batches(self, user: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upkeep, "BATCH", 2)
        for _ in range(5):
            issue_challenge(user=None, purpose=Purpose.RESET, now=now)
        assert purge_expired(now=now + timedelta(days=2)) == 5

    def test_is_a_task(self, user: User, now: datetime, travel: Any) -> None:
        issue_challenge(user=None, purpose=Purpose.RESET, now=now)
        assert tasks.purge_expired() == 0
        travel.shift(timedelta(days=2))
        assert tasks.purge_expired() == 1
