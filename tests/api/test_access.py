"""Each operation × each role gets what ``tests.api.access`` says, and another's row looks like none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson
import pytest
from django.http import HttpResponse

from tests.api.access import FAMILIES, TABLE, as_line
from tests.api.answers import is_problem, misfits
from tests.api.calls import Call, call_for, send
from tests.api.routes import PREFIX, UNDESCRIBED, Operation, configured, operations, schema
from tests.api.world import EVERYBODY, MEMBERS, STAFF, World, undone

NOBODYS: Final = UUID("00000000-0000-4000-8000-000000000000")
# Everybody who is signed in reads these: no row there is somebody's own.
SHARED: Final = frozenset(
    {"announcements", "contacts", "events", "facilities", "faqs", "outlets", "promos", "rules"}
)
# Staff look after these; to everybody else the route is shut, whatever the id.
# Those who answer at the desks, and moderators, see a message that only its sender may change.
SEEN_BY_STAFF: Final = frozenset({"chat/messages/{public_id}"})
STAFFS: Final = frozenset({"chat/connections/{public_id}"})
EACH: Final = pytest.mark.parametrize("name", TABLE)
WITH_ID: Final = pytest.mark.parametrize("name", [name for name in TABLE if "{" in name])
EACH_FAMILY: Final = pytest.mark.parametrize("family", FAMILIES)


def operation_of(name: str) -> Operation:
    method, _, path = name.partition(" ")
    return Operation(method, path)


def faults(operation: Operation, response: HttpResponse) -> list[str]:
    return misfits(operation, response) + (is_problem(response) if response.status_code >= 400 else [])


def answers(operation: Operation, call: Call, world: World) -> dict[str, HttpResponse]:
    """The answer that each role gets; none sees what another changed."""
    found = {}
    for role in EVERYBODY:
        with undone():
            found[role] = send(world.clients[role], operation, call)
    return found


class TestTable:
    def test_has_a_line_for_each_operation(self, world: World) -> None:
        missing = [one for one in operations() if str(one) not in TABLE]
        lines = [self.proposed(one, world) for one in missing]
        assert not missing, "Add to tests/api/access.py, if it is right:\n" + "\n".join(lines)

    def test_has_no_line_without_an_operation(self) -> None:
        assert not TABLE.keys() - {str(one) for one in operations()}

    def test_knows_every_address_of_the_api(self) -> None:
        described = {path.removeprefix(PREFIX) for path in schema()["paths"]}
        assert configured() - UNDESCRIBED == described

    def proposed(self, operation: Operation, world: World) -> str:
        try:
            call = call_for(operation, world)
        except KeyError:
            return f"{operation}: write a request that succeeds in tests/api/calls.py first."
        found = answers(operation, call, world)
        return as_line(str(operation), {role: one.status_code for role, one in found.items()})


class TestFour:
    """Of each operation: it works, anonymous, another's row, and bad input (see test_bad_input)."""

    @EACH
    def test_somebody_may(self, name: str) -> None:
        assert [role for role, status in TABLE[name].items() if 200 <= status < 300]

    @EACH
    def test_anonymous_and_a_dead_token_are_a_401_unless_it_is_open(self, name: str) -> None:
        found = {TABLE[name][role] for role in ("anonymous", "dead")}
        assert (found == {401}) is not operation_of(name).is_open

    @WITH_ID
    def test_anothers_row_is_a_404_unless_it_is_shared(self, name: str) -> None:
        if operation_of(name).path in STAFFS:
            assert {TABLE[name][role] for role in MEMBERS} == {403}
            return
        is_shared = operation_of(name).path.partition("/")[0] in SHARED
        assert (TABLE[name]["stranger"] == 404) is not is_shared


class TestAccess:
    @EACH_FAMILY
    def test_is_what_the_table_says(self, family: str, world: World) -> None:
        wanted, found = [], []
        for name in FAMILIES[family]:
            operation = operation_of(name)
            got = answers(operation, call_for(operation, world), world)
            wanted.append(as_line(name, TABLE[name]))
            found.append(as_line(name, {role: one.status_code for role, one in got.items()}))
            wrong = {role: problems for role, one in got.items() if (problems := faults(operation, one))}
            assert not wrong, f"{name} answers otherwise than the schema says."
        assert found == wanted

    @EACH_FAMILY
    def test_what_one_may_not_see_is_like_what_is_not_there(self, family: str, world: World) -> None:
        for name in FAMILIES[family]:
            operation = operation_of(name)
            if not operation.has_id:
                continue
            real = call_for(operation, world)
            missing = replace(real, public_id=NOBODYS)
            for role in EVERYBODY:
                if TABLE[name][role] not in self.telling_nothing(role, name):
                    continue
                with undone():
                    of_theirs = plain(send(world.clients[role], operation, real))
                with undone():
                    of_nothing = plain(send(world.clients[role], operation, missing))
                assert of_theirs == of_nothing, (name, role)

    def telling_nothing(self, role: str, name: str) -> set[int]:
        """A spouse sees the row, so the 403 of changing it hides nothing; nor where staff see the row."""
        is_seen = role in MEMBERS or operation_of(name).path in SEEN_BY_STAFF
        return {401, 404} if is_seen else {401, 403, 404}

    def test_no_list_shows_what_is_somebody_elses(self, world: World) -> None:
        secrets = [
            str(one.public_id)
            for one in (
                world.confirmed,
                world.held,
                world.ready,
                world.device,
                world.notification,
                world.statement,
                world.photo,
            )
        ] + [world.owner.member_no, str(world.owner.public_id)]
        lists = [one for one in operations() if one.method == "GET" and not one.has_id]
        assert lists
        for operation in lists:
            for role in ("anonymous", "dead", "stranger", *STAFF):
                body = send(world.clients[role], operation, Call()).content.decode()
                assert not [one for one in secrets if one in body], (str(operation), role)

    def test_the_owner_finds_it_in_the_lists(self, world: World) -> None:
        owner = world.clients["owner"]
        shown = {
            "reservations": world.confirmed.public_id,
            "me/devices": world.device.public_id,
            "me/notifications": world.notification.public_id,
            "documents": world.statement.public_id,
            "statements": world.statement.public_id,
            "me/access-log": world.statement.public_id,
            "me/photo": world.photo.public_id,
        }
        for path, public_id in shown.items():
            body = send(owner, Operation("GET", path), Call()).content.decode()
            assert str(public_id) in body, path


def plain(response: HttpResponse) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
    """Status, body and headers, without what differs by request."""
    body = orjson.loads(response.content)
    headers = {name: value for name, value in response.items() if name not in ("X-Request-ID", "Date")}
    return response.status_code, {**body, "request_id": ""}, headers
