from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import (
    ChannelPreference,
    Device,
    Member,
    MessageTemplate,
    Notification,
    OneTimePassword,
    PrivilegeHold,
    RefreshTokenUse,
    RevocationEpoch,
    Session,
    User,
)

pytestmark = pytest.mark.engine


class TestMember:
    @pytest.mark.parametrize(
        ("on", "age"), [(date(2026, 5, 16), 45), (date(2026, 5, 17), 46), (date(1980, 5, 17), 0)]
    )
    def test_is_a_year_older_on_the_birthday(self, owner: Member, on: date, age: int) -> None:
        assert owner.age_on(on) == age

    @pytest.mark.parametrize(
        ("on", "age"), [(date(2026, 2, 28), 25), (date(2026, 3, 1), 26), (date(2028, 2, 29), 28)]
    )
    def test_one_born_on_the_leap_day_ages_on_the_first_of_march(self, on: date, age: int) -> None:
        assert Member(birth_date=date(2000, 2, 29)).age_on(on) == age

    @given(st.dates(date(1900, 1, 1), date(2000, 1, 1)), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    def test_never_loses_a_year(self, born: date, on: date) -> None:
        member = Member(birth_date=born)
        before, after = member.age_on(on), member.age_on(on + timedelta(days=1))
        assert before is not None
        assert after is not None
        assert after - before in {0, 1}

    def test_without_a_birth_date_has_no_age(self) -> None:
        assert Member().age_on(date(2026, 1, 1)) is None

    def test_is_valid_through_the_last_day_of_the_membership(self, owner: Member, now: datetime) -> None:
        assert owner.is_valid_at(now)
        owner.membership.valid_to = now.date()
        assert owner.is_valid_at(now)
        assert owner.is_valid_at(now.date())
        assert not owner.is_valid_at(now + timedelta(days=1))

    def test_a_membership_has_one_principal(self, owner: Member) -> None:
        second = Member(
            membership=owner.membership, member_no="X", member_no_key="X", first_name="T", last_name="X"
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            second.save()


class TestPrivilegeHold:
    def test_is_in_force_from_its_start_until_its_end_unless_lifted(
        self, owner: Member, now: datetime
    ) -> None:
        hold = PrivilegeHold.objects.create(
            member=owner,
            source="manual",
            scope="booking",
            reason="x",
            starts_at=now,
            until=now + timedelta(days=1),
        )
        instants = [now - timedelta(seconds=1), now, now + timedelta(days=1)]
        found = [PrivilegeHold.objects.in_force(at, "booking").exists() for at in instants]
        assert found == [False, True, False]
        assert not PrivilegeHold.objects.in_force(now, "chat").exists()
        hold.lifted_at = now
        hold.save(update_fields=["lifted_at"])
        assert not PrivilegeHold.objects.in_force(now, "booking").exists()


class TestUser:
    def test_signs_in_to_the_back_office_in_any_case(self, db: None) -> None:
        boss = User.objects.create_superuser("Boss", "a phrase of some length", email="Boss@Example.com")
        assert (boss.username, boss.email, boss.is_staff, boss.is_superuser) == (
            "boss",
            "boss@example.com",
            True,
            True,
        )
        assert authenticate(username="BOSS", password="a phrase of some length") == boss
        assert authenticate(username="boss", password="wrong") is None

    def test_is_called_by_name_or_else_by_user_name(self) -> None:
        user = User(username="d0014")
        assert (str(user), user.get_full_name(), user.get_short_name()) == ("d0014", "d0014", "d0014")
        user.display_name = "Demo Member 014"
        assert str(user) == user.get_full_name() == user.get_short_name() == "Demo Member 014"

    @pytest.mark.parametrize("field", ["email", "mobile"])
    def test_an_address_is_one_persons_and_none_is_everybodys(self, db: None, field: str) -> None:
        value = {"email": "a@example.com", "mobile": "+639171234567"}[field]
        for name in ("one", "two"):
            User.objects.create_user(name)
        User.objects.create_user("three", **{field: value})
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("four", **{field: value})


class TestOneTimePassword:
    def test_the_database_itself_holds_one_live_one(self, user: User, now: datetime) -> None:
        facts: dict[str, Any] = {
            "user": user, "purpose": "device", "channel": "email", "nonce": "n", "created_at": now,
            "expires_at": now, "last_sent_at": now,
        }  # fmt: skip
        first = OneTimePassword.objects.create(**facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            OneTimePassword.objects.create(**facts)
        OneTimePassword.objects.filter(pk=first.pk).update(superseded_at=now)
        OneTimePassword.objects.create(**facts)
        for _ in range(2):
            OneTimePassword.objects.create(**facts | {"user": None})


class TestTexts:
    def test_every_row_says_what_it_is(self, user: User, trusted: Device, now: datetime) -> None:
        session = Session(user=user, device=trusted)
        assert str(trusted) == "Old phone"
        assert str(Device(platform="ios")) == "iOS"
        assert str(session) == str(session.public_id)
        assert str(RefreshTokenUse(jti=user.public_id)) == str(user.public_id)
        assert str(OneTimePassword(purpose="device")).startswith("new device ")
        assert str(Notification(kind="x", channel="email")) == "x / e-mail"
        assert str(MessageTemplate(kind="x", channel="sms")) == "x / SMS"
        assert str(ChannelPreference(kind="x", channel="push")) == "x / push"
        assert str(RevocationEpoch(number=3)) == "3"

    def test_a_member_is_a_name_and_a_number(self, owner: Member, now: datetime) -> None:
        assert str(owner) == f"Test Owner ({owner.member_no})"
        assert str(owner.membership) == owner.membership.account_no
        assert str(owner.membership.category) == "Regular"
        assert str(PrivilegeHold(member=owner, scope="chat")) == f"{owner}: chat"
