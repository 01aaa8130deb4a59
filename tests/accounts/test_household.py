from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from accounts.models import Member, Membership, MembershipCategory, OneTimePassword, Relation, Session, User
from accounts.selectors.people import household_seen_by
from accounts.services.household import (
    change_member,
    change_membership,
    deactivate_user,
    reactivate_user,
    register_member,
    register_membership,
)
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.signals import standing_changed
from bcc.core.errors import InvalidError
from tests.factories import make_session


@pytest.fixture
def category(db: None) -> MembershipCategory:
    return MembershipCategory.objects.create(code="honorary", name="Honorary")


@pytest.fixture
def membership(category: MembershipCategory) -> Membership:
    return register_membership(account_no="H-0001", category=category)


def register(membership: Membership, now: datetime, **facts: Any) -> Member:
    given = {"member_no": "H-0001", "first_name": "Test", "last_name": "Person", **facts}
    return register_member(membership=membership, now=now, **given)


def change(member: Member, now: datetime, **facts: Any) -> Member:
    user = member.user
    given: dict[str, Any] = {
        "relation": member.relation,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "birth_date": member.birth_date,
        "can_book": member.can_book,
        "can_view_statements": member.can_view_statements,
        "email": user.email if user else "",
        "mobile": str(user.mobile) if user else "",
        **facts,
    }
    return change_member(member=member, now=now, **given)


def faults(error: InvalidError) -> dict[str, str]:
    return {field: pairs[0][0] for field, pairs in error.errors.items()}


class TestRegisterMembership:
    def test_opens_a_household_in_good_standing(self, category: MembershipCategory) -> None:
        made = register_membership(account_no=" H-0002 ", category=category, valid_to=date(2030, 1, 1))
        assert (made.account_no, made.standing, made.valid_to) == ("H-0002", "good", date(2030, 1, 1))

    @pytest.mark.parametrize(("number", "code"), [("h-0001", "taken"), ("  ", "blank")])
    def test_refuses_a_number_that_is_taken_or_none(
        self, membership: Membership, category: MembershipCategory, number: str, code: str
    ) -> None:
        with pytest.raises(InvalidError) as caught:
            register_membership(account_no=number, category=category)
        assert faults(caught.value) == {"account_no": code}


class TestChangeMembership:
    def test_changes_all_but_the_number(self, membership: Membership, owner: Member, now: datetime) -> None:
        other = owner.membership.category
        change_membership(
            membership=membership, category=other, standing="delinquent", valid_to=None, now=now
        )
        membership.refresh_from_db()
        assert (membership.category, membership.standing, membership.account_no) == (
            other,
            "delinquent",
            "H-0001",
        )
        assert membership.lock_version == 1

    def test_announces_a_changed_standing_and_keeps_its_time(
        self, membership: Membership, now: datetime, django_capture_on_commit_callbacks: Any
    ) -> None:
        heard: list[tuple[int, str, datetime]] = []

        def hear(*, membership_id: int, standing: str, at: datetime, **_: Any) -> None:
            heard.append((membership_id, standing, at))

        standing_changed.connect(hear)
        for minute, standing in enumerate(["delinquent", "delinquent", "good"]):
            with django_capture_on_commit_callbacks(execute=True):
                # As a form does, which writes its values to the instance first.
                membership.standing = standing
                change_membership(
                    membership=membership,
                    category=membership.category,
                    standing=standing,
                    valid_to=None,
                    now=now + timedelta(minutes=minute),
                )
        assert heard == [
            (membership.pk, "delinquent", now),
            (membership.pk, "good", now + timedelta(minutes=2)),
        ]
        membership.refresh_from_db()
        assert membership.standing_changed_at == now + timedelta(minutes=2)


class TestRegisterMember:
    def test_makes_the_person_and_the_account(self, membership: Membership, now: datetime) -> None:
        member = register(
            membership,
            now,
            member_no=" h-0001 a ",
            birth_date=date(1990, 2, 28),
            email=" Test@Example.com",
            mobile="0917 123 4567",
            encoded_password=make_password("a phrase"),
        )
        user = member.user
        assert user is not None
        assert (member.member_no, member.member_no_key) == ("h-0001 a", "H0001A")
        assert (user.username, user.display_name) == ("h0001a", "Test Person")
        assert (user.email, str(user.mobile)) == ("test@example.com", "+639171234567")
        assert user.check_password("a phrase")
        assert not user.is_staff

    def test_without_a_password_nobody_can_sign_in(self, membership: Membership, now: datetime) -> None:
        user = register(membership, now).user
        assert user is not None
        assert not user.has_usable_password()

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"member_no": "h 0001"}, {"member_no": "taken"}),
            ({"member_no": "desk1"}, {"member_no": "taken"}),
            ({"member_no": " - "}, {"member_no": "blank"}),
            ({"first_name": " ", "last_name": ""}, {"first_name": "blank", "last_name": "blank"}),
            ({"relation": "principal"}, {"relation": "second_principal"}),
            ({"birth_date": date(2026, 6, 2)}, {"birth_date": "in_the_future"}),
            ({"email": "no address"}, {"email": "invalid"}),
            ({"email": "a@b"}, {"email": "invalid"}),
            ({"email": "FIRST@example.com"}, {"email": "taken"}),
            ({"mobile": "(02) 8123 4567"}, {"mobile": "invalid"}),
            ({"mobile": "+63 917 123 4567"}, {"mobile": "taken"}),
        ],
    )
    def test_names_each_field_that_will_not_do(
        self, membership: Membership, now: datetime, facts: dict[str, Any], expected: dict[str, str]
    ) -> None:
        User.objects.create_user("desk1", is_staff=True)
        register(membership, now, email="first@example.com", mobile="09171234567")
        with pytest.raises(InvalidError) as caught:
            register(membership, now, **{"member_no": "H-0002", "relation": "spouse", **facts})
        assert faults(caught.value) == expected
        assert Member.objects.count() == 1

    def test_today_is_no_birth_date_to_come(self, membership: Membership, now: datetime) -> None:
        assert register(membership, now, birth_date=date(2026, 6, 1)).birth_date == date(2026, 6, 1)

    def test_a_person_may_be_without_any_address(self, membership: Membership, now: datetime) -> None:
        register(membership, now)
        second = register(membership, now, member_no="H-0002", relation=Relation.SPOUSE)
        assert second.user is not None
        assert second.user.email == ""


class TestChangeMember:
    def test_changes_person_and_account_together(self, owner: Member, now: datetime) -> None:
        change(owner, now, last_name="Renamed", can_view_statements=True, email="new@example.com")
        fresh = Member.objects.select_related("user").get(pk=owner.pk)
        assert fresh.user is not None
        assert (fresh.last_name, fresh.can_view_statements) == ("Renamed", True)
        assert (fresh.user.display_name, fresh.user.email) == ("Test Renamed", "new@example.com")

    def test_may_keep_its_own_relation_and_addresses(self, owner: Member, now: datetime) -> None:
        assert change(owner, now).relation == Relation.PRINCIPAL

    def test_does_not_become_a_second_principal(self, spouse: Member, now: datetime) -> None:
        with pytest.raises(InvalidError) as caught:
            change(spouse, now, relation="principal")
        assert faults(caught.value) == {"relation": "second_principal"}

    def test_ends_codes_on_their_way_to_an_old_address(self, owner: Member, now: datetime) -> None:
        assert owner.user is not None
        issue_challenge(user=owner.user, purpose=Purpose.DEVICE, now=now)
        change(owner, now, can_book=False)
        assert OneTimePassword.objects.live(now).exists()
        change(owner, now, email="new@example.com")
        assert not OneTimePassword.objects.live(now).exists()

    @pytest.mark.parametrize(("field", "value"), [("email", "a@example.com"), ("mobile", "09171234567")])
    def test_without_an_account_there_is_nothing_to_reach(
        self, owner: Member, now: datetime, field: str, value: str
    ) -> None:
        owner.user = None
        owner.save(update_fields=["user"])
        with pytest.raises(InvalidError) as caught:
            change(owner, now, **{field: value})
        assert faults(caught.value) == {field: "no_account"}
        assert change(owner, now, first_name="Other").first_name == "Other"


class TestDeactivateUser:
    def test_ends_everything_and_can_be_undone_without_bringing_it_back(
        self, owner: Member, now: datetime
    ) -> None:
        user = owner.user
        assert user is not None
        make_session(user, now=now)
        deactivate_user(user=user, now=now)
        user.refresh_from_db()
        assert (user.is_active, user.token_version) == (False, 2)
        assert not Session.objects.live(now + timedelta(seconds=1)).exists()
        reactivate_user(user=user)
        user.refresh_from_db()
        assert user.is_active
        assert not Session.objects.live(now).exists()


class TestHouseholdSeenBy:
    def test_principal_and_spouse_see_everyone_principal_first(
        self, dependent: Member, spouse: Member, owner: Member, stranger: Member
    ) -> None:
        assert household_seen_by(owner) == [owner, spouse, dependent]
        assert household_seen_by(spouse) == [owner, spouse, dependent]

    def test_a_dependent_sees_themselves(self, dependent: Member, owner: Member) -> None:
        assert household_seen_by(dependent) == [dependent]
