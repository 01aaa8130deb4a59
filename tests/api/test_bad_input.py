"""Whatever is no input gets a refusal that says so: never a 5xx, never a page, never a guess."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from rest_framework.test import APIClient

from tests.api.access import FAMILIES, TABLE
from tests.api.answers import is_problem, misfits
from tests.api.bad_input import Try, good_dates, tries
from tests.api.calls import call_for, path_of, send_raw
from tests.api.routes import METHODS, Operation
from tests.api.world import World, undone

EACH_FAMILY = pytest.mark.parametrize("family", FAMILIES)
WRITERS = ("owner", "Facilities")
NO_VALUE = {"invalid", "naive_datetime"}


def operation_of(name: str) -> Operation:
    method, _, path = name.partition(" ")
    return Operation(method, path)


def somebody_who_may(name: str, world: World) -> APIClient:
    """The client of the first role, members before staff, to whom the operation is open."""
    role = next(role for role in list(TABLE[name])[2:] if TABLE[name][role] < 300)
    return world.clients[role]


def ask(client: APIClient, operation: Operation, one: Try) -> HttpResponse:
    return send_raw(client, operation, one.path, one.body, one.kind, **one.headers)


def faults(operation: Operation, one: Try, response: HttpResponse) -> list[str]:
    """What is wrong with the refusal of ``one``."""
    if response.status_code not in one.statuses:
        return [f"{response.status_code}, not {sorted(one.statuses)}: {response.content[:300]!r}"]
    found = is_problem(response) + misfits(operation, response)
    errors: dict[str, Any] = orjson.loads(response.content).get("errors", {})
    named = [name for name in errors if name == one.names or name.startswith(f"{one.names}.")]
    if one.names is not None and not named:
        found.append(f"names {sorted(errors)}, not {one.names}")
    return found


class TestBadInput:
    @EACH_FAMILY
    @pytest.mark.parametrize("each_whole", [False, pytest.param(True, marks=pytest.mark.soak)])
    def test_is_refused_by_name(self, family: str, each_whole: bool, world: World) -> None:
        """What is the same for every route is tried at one that reads and one that writes of each family."""
        wrong, kinds = [], set[bool]()
        for name in FAMILIES[family]:
            operation, client = operation_of(name), somebody_who_may(name, world)
            is_first = bool(operation.takes_body) not in kinds
            kinds.add(bool(operation.takes_body))
            made = list(tries(operation, call_for(operation, world), whole=each_whole or is_first))
            with undone():
                for one in made:
                    # What a client is signed in with would stand instead of the header that is tried.
                    sender = world.clients["anonymous"] if "Authorization" in one.headers else client
                    found = faults(operation, one, ask(sender, operation, one))
                    wrong += [f"{name}, {one.what}: {fault}" for fault in found]
        assert not wrong, "\n".join(wrong)

    @EACH_FAMILY
    def test_is_not_what_is_a_date(self, family: str, world: World) -> None:
        wrong = []
        for name in FAMILIES[family]:
            operation, client = operation_of(name), somebody_who_may(name, world)
            for one in good_dates(operation, call_for(operation, world)):
                with undone():
                    response = ask(client, operation, one)
                assert response.status_code < 500
                errors = orjson.loads(response.content).get("errors", {}) if response.content else {}
                codes = {error["code"] for error in errors.get(one.names, ())}
                wrong += [f"{name}, {one.what}: {code}" for code in codes & NO_VALUE]
        assert not wrong, "\n".join(wrong)

    @EACH_FAMILY
    def test_nor_is_a_method_that_an_address_does_not_have(self, family: str, world: World) -> None:
        paths = {operation_of(name).path for name in FAMILIES[family]}
        for path in sorted(paths):
            taken = {name.split()[0] for name in TABLE if name.split()[1] == path}
            for method in {one.upper() for one in METHODS} - taken:
                operation = Operation(method, path)
                url = path_of(operation, world.court.public_id)
                # Who may not write at all learns that first.
                answers = [send_raw(world.clients[role], operation, url, b"{}") for role in WRITERS]
                response = next((one for one in answers if one.status_code != 403), answers[0])
                assert response.status_code == 405, operation
                assert not is_problem(response)
                assert taken <= set(response["Allow"].split(", ")), operation
