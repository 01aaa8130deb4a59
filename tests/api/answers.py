"""Whether an answer is one that the OpenAPI document describes."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any, Final

import orjson
from django.http import HttpResponse
from jsonschema import Draft202012Validator, FormatChecker

from tests.api.routes import Operation, schema

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
# How a header's name is spelled on the wire and in the document differs in case only.
_SOMETIMES: Final = frozenset(
    {"idempotency-replayed", "retry-after", "www-authenticate", "ratelimit", "ratelimit-policy", "etag"}
)


def misfits(operation: Operation, response: HttpResponse) -> list[str]:
    """What of ``response`` the document does not say of ``operation``; empty if all is as described."""
    described = operation.described["responses"].get(str(response.status_code))
    if described is None:
        return [f"{response.status_code} is not described: {response.content[:200]!r}"]
    found = [
        f"the header {name} is missing"
        for name in described.get("headers", ())
        if name.lower() not in _SOMETIMES and name not in response
    ]
    contents = described.get("content", {})
    kind = response.get("Content-Type", "").partition(";")[0]
    if not response.content:
        return [*found, *(["the body is missing"] if contents else [])]
    if kind not in contents:
        return [*found, f"{kind} is not described"]
    if kind in (JSON, PROBLEM_JSON):
        found += misfits_of_body(contents[kind]["schema"], orjson.loads(response.content))
    return found


def misfits_of_body(part: dict[str, Any], body: Any) -> list[str]:
    """What of ``body`` is otherwise than the schema ``part`` of the document says."""
    validator = Draft202012Validator({**part, "components": _closed()}, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def is_problem(response: HttpResponse) -> list[str]:
    """What keeps ``response`` from being a refusal as the contract describes one; empty if it is."""
    if not 400 <= response.status_code < 500:
        return [f"status {response.status_code}"]
    if response.get("Content-Type") != PROBLEM_JSON:
        return [f"content type {response.get('Content-Type')}"]
    body = orjson.loads(response.content)
    wanted = {
        "status": response.status_code,
        "type": f"/problems/{body.get('code')}",
        "request_id": response["X-Request-ID"],
    }
    found = [f"{name}: {body.get(name)!r}" for name, value in wanted.items() if body.get(name) != value]
    return found + [f"no {name}" for name in ("code", "title", "detail") if not body.get(name)]


@lru_cache(maxsize=1)
def _closed() -> dict[str, Any]:
    """The components, whose objects have the fields they say and no others; a problem may have more."""
    components = deepcopy(schema()["components"])
    for name, one in components["schemas"].items():
        if "properties" in one and name != "Problem":
            one.setdefault("additionalProperties", False)
    return dict(components)
