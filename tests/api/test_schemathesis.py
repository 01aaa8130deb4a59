"""What schemathesis makes of the document: valid and invalid requests that nobody here thought of.

Each operation gets its examples, the edges of each parameter and field, and some random requests, from
somebody who may call it, about a row that is there. None may end in a 5xx, and every answer must be one
that the document describes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bcc.wsgi import application
from tests.api.access import TABLE
from tests.api.calls import call_for
from tests.api.routes import PREFIX, Operation
from tests.api.world import World, undone

RANDOM_REQUESTS: Final = 5
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
document: Any = schemathesis.openapi.from_wsgi(f"{PREFIX}schema", application)
# A method that an address does not have is a 405: test_bad_input asks for each.
document.config.phases.coverage.unexpected_methods = set()


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """The real WSGI application closes connections around a request; here that would end the test's own."""
    around = (request_started, request_finished)
    for signal in around:
        signal.disconnect(close_old_connections)
    yield
    for signal in around:
        signal.connect(close_old_connections)


def somebody_who_may(operation: Operation, world: World) -> dict[str, str]:
    """The credentials of the first role, members before staff, to whom the operation is open."""
    roles = TABLE[str(operation)]
    role = next(role for role in list(roles)[2:] if roles[role] < 300)
    client: Any = world.clients[role]
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@document.parametrize()
@settings(
    max_examples=RANDOM_REQUESTS,
    # The world is made once for all the requests of an operation, and each request is undone.
    suppress_health_check=list(HealthCheck),
)
def test_answers_as_the_document_says(case: Case[Any], world: World) -> None:
    operation = Operation(case.method, case.path.removeprefix(PREFIX))
    if operation.has_id and case.meta is not None and case.meta.generation.mode.is_positive:
        (name,) = case.path_parameters or {"": None}
        case.path_parameters = {name: str(call_for(operation, world).public_id)}
    with undone():
        response = case.call(headers=somebody_who_may(operation, world))
    case.validate_response(response, checks=CHECKS)
