"""No route takes a field that is not its own: what a client adds of the tables is refused by name."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest

from accounts.models import Member, Membership, User
from tests.api.access import FAMILIES, TABLE
from tests.api.calls import call_for, send
from tests.api.routes import Operation, operations
from tests.api.world import World, undone

# Columns that decide who somebody is, what they may do and what they owe; and what frameworks bind by name.
PROTECTED: Final[dict[str, Any]] = {
    "id": 1, "pk": 1, "public_id": "00000000-0000-4000-8000-000000000000", "user": 1, "user_id": 1,
    "username": "root", "is_staff": True, "is_superuser": True, "is_active": True, "groups": [1],
    "user_permissions": [1], "permissions": ["accounts.change_user"], "token_version": 99, "last_login": None,
    "date_joined": None, "closed_at": None, "member": 1, "member_id": 1, "member_no": "M-1",
    "member_no_key": "M1", "membership": 1, "membership_id": 1, "relation": "principal", "can_book": True,
    "can_view_statements": True, "standing": "good", "valid_to": None, "lock_version": 0, "trusted_at": None,
    "token_hash": "0" * 64, "session_id": "x", "booked_by": 1, "version": 99, "role": "admin", "scope": "all",
    "__class__": "User", "_state": {},
}  # fmt: skip


def facts() -> list[Any]:
    """What nobody may change over the API."""
    return [
        list(User.objects.order_by("pk").values("pk", "username", "is_staff", "is_superuser", "is_active")),
        list(Member.objects.order_by("pk").values()),
        list(
            Membership.objects.order_by("pk").values("pk", "account_no", "standing", "valid_to", "category")
        ),
    ]


def _takes(part: dict[str, Any]) -> set[str]:
    return set(part.get("properties", {}))


class TestMassAssignment:
    @pytest.mark.parametrize("family", FAMILIES)
    def test_every_protected_field_is_refused_by_its_name(self, family: str, world: World) -> None:
        before = facts()
        by_name = {str(one): one for one in operations()}
        for name in FAMILIES[family]:
            operation: Operation = by_name[name]
            if not operation.takes_body:
                continue
            call = call_for(operation, world)
            role = next(one for one, status in TABLE[name].items() if 200 <= status < 300)
            extra = {
                key: value for key, value in PROTECTED.items() if key not in _takes(operation.body_schema())
            }
            spoilt = type(call)(call.public_id, (call.body or {}) | extra, call.headers)
            with undone():
                answer = send(world.clients[role], operation, spoilt)
                assert answer.status_code == 400, (name, answer.content)
                errors = orjson.loads(answer.content)["errors"]
                assert set(extra) <= set(errors), (name, set(extra) - set(errors))
                assert facts() == before, name

    def test_the_list_is_of_real_columns(self) -> None:
        columns = {field.name for model in (User, Member, Membership) for field in model._meta.get_fields()}
        assert {"is_superuser", "token_version", "standing", "can_view_statements", "closed_at"} <= (
            columns & PROTECTED.keys()
        )
