"""``manage.py demo``: a small club loads whole, stays, and begins anew when it was cut short."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml
from django.core.management import CommandError, call_command

from accounts.models import Member, Membership, User
from bcc.management.demo import loader
from chat.models import Conversation, Desk
from facilities.models import Announcement, Closure, PolicyVersion
from reservations.models import Reservation
from reservations.services.claims_audit import check_claims


@pytest.fixture
def small_club(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """The demo club with 12 households and a few days of bookings; where its data folder is."""
    club = yaml.safe_load(loader.DATA.read_text())
    club["households"] = {
        "count": 12, "with_spouse": 10, "with_dependent": 5, "with_second_dependent": 2, "delinquent": 1,
        "suspended": 1,
    }  # fmt: skip
    for usual in club["bookings"]["usual"].values():
        usual["a_day"] = [2, 2]
    club["bookings"] |= {"days_back": 2, "days_ahead": 0, "cancelled": 0.2}
    data = tmp_path / "club.yaml"
    data.write_text(yaml.safe_dump(club))
    monkeypatch.setattr(loader, "DATA", data)
    settings.DEMO_MODE = True
    settings.DATA_DIR = tmp_path
    return tmp_path


def run(*args: str) -> str:
    out = StringIO()
    call_command("demo", *args, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("db", "travel")
class TestDemo:
    def test_loads_a_club_that_keeps_its_own_rules(self, small_club: Path, now: datetime) -> None:
        said = run()
        assert "29 members, 9 staff" in said
        assert list(Conversation.objects.waiting().values_list("desk__code", flat=True).order_by("pk")) == [
            "front-desk", "golf", "front-desk", "dining",
        ]  # fmt: skip
        assert Desk.objects.count() == 4
        assert Member.objects.count() == 29
        assert Reservation.objects.count() > 40
        assert set(Reservation.objects.values_list("state", flat=True)) >= {
            "COMPLETED", "CONFIRMED", "CANCELLED_MEMBER", "PENDING_APPROVAL",
        }  # fmt: skip
        assert set(Reservation.objects.values_list("type", flat=True)) == {
            "NORMAL", "BLOCKED", "EVENT", "STAFF",
        }  # fmt: skip
        assert not PolicyVersion.objects.drafts().exists()
        assert not Closure.objects.filter(confirmed_at=None).exists()
        assert Announcement.objects.filter(audience="categories").exists()
        assert check_claims(now=now).is_clean
        self.check_sign_ins(small_club / "demo-sign-ins.json")
        before = (small_club / "demo-sign-ins.json").read_text()
        assert "stays as it is" in run(), "the next start"
        assert (small_club / "demo-sign-ins.json").read_text() == before

    def check_sign_ins(self, path: Path) -> None:
        """They work, and nobody else reads them."""
        told = json.loads(path.read_text())
        assert path.stat().st_mode & 0o777 == 0o600
        names = [one["sign_in"] for one in told["people"]]
        assert names[:4] == ["DM-0001-0", "DM-0001-1", "DM-0001-2", "DM-0001-3"]
        assert User.objects.get(username="front-desk").check_password(told["password"])

    def test_takes_as_many_days_as_it_is_told(self, small_club: Path, now: datetime) -> None:
        run("--days", "0")
        days = {row.starts_at.astimezone(UTC).date() for row in Reservation.objects.filter(type="NORMAL")}
        assert days
        assert min(days) >= (now - timedelta(days=1)).date()
        with pytest.raises(CommandError, match="number of days"):
            run("--days", "-1")

    def test_says_no_where_this_is_no_demo(self, small_club: Path, settings: Any) -> None:
        settings.DEMO_MODE = False
        with pytest.raises(CommandError, match="DEMO_MODE"):
            run()
        assert not Membership.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestDemoAnew:
    def test_begins_anew_when_it_was_cut_short(
        self, small_club: Path, monkeypatch: pytest.MonkeyPatch, travel: time_machine.Traveller
    ) -> None:
        def stop(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(loader, "load_bookings", stop)
            with pytest.raises(KeyboardInterrupt):
                run()
        assert Member.objects.count() == 29
        assert not (small_club / "demo-sign-ins.json").exists()
        assert "cut short" in run("--days", "0")
        assert Member.objects.count() == 29
        assert Reservation.objects.exists()

    @pytest.mark.soak
    def test_reset_takes_everything_away_first(
        self, small_club: Path, travel: time_machine.Traveller
    ) -> None:
        run("--days", "0")
        Member.objects.filter(member_no="DM-0012-0").update(first_name="Changed")
        assert "deleting" in run("--reset", "--days", "0")
        assert not Member.objects.filter(first_name="Changed").exists()
