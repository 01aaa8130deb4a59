"""The OpenAPI document as a whole: that it is valid and leaves nothing to guess."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.api.answers import JSON, PROBLEM_JSON, misfits_of_body
from tests.api.routes import Operation, operations, resolved, schema

BODY: Final = frozenset({"POST", "PUT", "PATCH"})
# Words of our docstrings that mean something to us only.
INTERNAL: Final = re.compile(r"request\.user|Identity\b|serializer|queryset|mixin", re.IGNORECASE)


def failing(check: Any) -> list[str]:
    """The operations for which ``check`` is false."""
    return [str(one) for one in operations() if not check(one)]


def contents(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a JSON example belongs: the request's body, and each success that has one."""
    described = operation.described
    if operation.takes_json and operation.body_schema().get("properties"):
        yield "request", described["requestBody"]["content"][JSON]
    for status, response in described["responses"].items():
        if status.startswith("2"):
            yield from ((status, content) for content in response.get("content", {}).values())


class TestDocument:
    def test_is_valid_openapi_3_1_and_generated_without_a_warning(self) -> None:
        reset_generator_stats()
        generator: Any = SchemaGenerator
        document = generator().get_schema(request=None, public=True)
        validate: Any = validate_schema
        validate(document)
        assert document["openapi"].startswith("3.1")
        assert not GENERATOR_STATS, GENERATOR_STATS._warn_cache

    def test_names_each_enumeration(self) -> None:
        """By hand in ENUM_NAME_OVERRIDES: clients are generated from it, and a made-up name changes."""
        made = [name for name in schema()["components"]["schemas"] if name.endswith("Enum")]
        assert not made

    def test_has_no_enumeration_without_a_name(self) -> None:
        inline = [
            f"{name}.{field}"
            for name, one in schema()["components"]["schemas"].items()
            for field, part in one.get("properties", {}).items()
            if "enum" in part or "enum" in part.get("items", {})
        ]
        assert not inline

    def test_refuses_unknown_fields_in_every_body(self) -> None:
        open_ended = [
            name
            for name, one in schema()["components"]["schemas"].items()
            if name.endswith("Request") and one.get("additionalProperties") is not False
        ]
        assert not open_ended


class TestOperations:
    def test_have_a_summary_and_a_tag(self) -> None:
        assert not failing(lambda one: one.described.get("summary") and one.described.get("tags"))

    def test_have_an_id_of_their_own(self) -> None:
        counted = Counter(one.described["operationId"] for one in operations())
        assert not [name for name, times in counted.items() if times > 1]
        assert not [name for name in counted if not re.fullmatch(r"[a-z][a-z0-9_]+", name)]

    def test_say_nothing_that_only_we_understand(self) -> None:
        assert not failing(lambda one: not INTERNAL.search(one.described.get("description", "")))

    def test_have_a_description_of_every_parameter(self) -> None:
        assert not [
            f"{operation}: {one['name']}"
            for operation in operations()
            for one in operation.described["parameters"]
            if one["in"] != "path" and not one.get("description")
        ]

    def test_say_who_may_call_them(self) -> None:
        assert not failing(
            lambda one: one.described.get("security", [{}]) in ([{"bearer": []}], [{"bearer": []}, {}], [{}])
        )

    def test_have_examples_that_are_as_they_describe(self) -> None:
        wrong = []
        for operation in operations():
            for place, content in contents(operation):
                examples = [one["value"] for one in content.get("examples", {}).values()]
                if not examples:
                    wrong.append(f"{operation}, {place}: no example")
                if resolved(content["schema"]).get("type") == "object":
                    wrong += [
                        f"{operation}, {place}: {misfit}"
                        for example in examples
                        for misfit in misfits_of_body(content["schema"], example)
                    ]
        assert not wrong

    def test_give_every_refusal_as_a_problem(self) -> None:
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        assert not [
            f"{operation}: {status}"
            for operation in operations()
            for status, response in operation.described["responses"].items()
            if status >= "4" and response.get("content") != {PROBLEM_JSON: problem}
        ]

    @pytest.mark.parametrize(
        ("statuses", "holds"),
        [
            ("400 429", lambda one: True),
            ("401", lambda one: not one.is_open),
            ("404", lambda one: one.has_id),
            ("409 503", lambda one: one.method != "GET"),
            ("413 415 422", lambda one: one.method in BODY),
            ("412", lambda one: "If-Match" in one.parameters("header")),
            ("304", lambda one: "If-None-Match" in one.parameters("header")),
        ],
        ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
    )
    def test_name_the_refusals_of_their_kind(self, statuses: str, holds: Any) -> None:
        assert not failing(
            lambda one: not holds(one) or set(statuses.split()) <= set(one.described["responses"])
        )

    def test_have_the_limits_in_their_headers(self) -> None:
        limited = {"RateLimit", "RateLimit-Policy", "X-Request-ID"}
        assert not failing(
            lambda one: all(
                limited <= set(response["headers"])
                for status, response in one.described["responses"].items()
                if status.startswith("2")
            )
        )
