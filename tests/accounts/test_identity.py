from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from uuid import uuid4

import pytest

from accounts.policies.identity import Identity

MEMBER = Identity(
    user_id=7,
    public_id=uuid4(),
    username="d0014",
    display_name="Demo Member 014",
    is_staff=False,
    is_active=True,
    session_id=uuid4(),
    member_id=3,
    membership_id=2,
)
STAFF = replace(MEMBER, is_staff=True, member_id=None, permissions=frozenset({"reservations.work_the_desk"}))


class TestIdentity:
    def test_is_somebody(self) -> None:
        assert MEMBER.is_authenticated
        assert not MEMBER.is_anonymous
        assert MEMBER.pk == 7
        assert str(MEMBER) == "Demo Member 014"
        assert str(replace(MEMBER, display_name="")) == "d0014"

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(FrozenInstanceError):
            MEMBER.is_staff = True  # type: ignore[misc]  # what the test is about

    def test_acts_as_member_or_as_staff(self) -> None:
        assert (MEMBER.actor.kind, MEMBER.actor.user_id, MEMBER.actor.member_id) == ("member", 7, 3)
        assert (STAFF.actor.kind, STAFF.actor.name) == ("staff", "Demo Member 014")

    def test_holds_what_it_was_given_and_nothing_while_inactive(self) -> None:
        assert STAFF.has_perm("reservations.work_the_desk")
        assert STAFF.has_perms(["reservations.work_the_desk"])
        assert not STAFF.has_perms(("reservations.work_the_desk", "reservations.waive_cost"))
        assert not MEMBER.has_perm("reservations.work_the_desk")
        assert not replace(STAFF, is_active=False).has_perm("reservations.work_the_desk")
