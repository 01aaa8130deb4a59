from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from bcc.core.rest.schema import ApiSchema
from tests.core.rest import api

UNSAFE = {"post", "put", "patch", "delete"}


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in dir(api):
        view = getattr(api, name)
        if isinstance(view, type) and hasattr(view, "schema"):
            monkeypatch.setattr(view, "schema", ApiSchema())
    return _generated()


def _generated() -> dict[str, Any]:
    reset_generator_stats()
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = generator(patterns=api.urlpatterns).get_schema(request=None, public=True)
    return schema


def operation(schema: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["paths"][f"/api/v1/{path}"][method]
    return found


def parameters(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found.get("parameters", [])}


class TestApiSchema:
    def test_is_valid_and_generated_without_a_warning(self, schema: dict[str, Any]) -> None:
        assert schema["openapi"].startswith("3.1")
        assert not GENERATOR_STATS, GENERATOR_STATS._warn_cache
        validate: Any = validate_schema
        validate(schema)

    def test_gives_every_refusal_as_a_problem(self, schema: dict[str, Any]) -> None:
        for methods in schema["paths"].values():
            for found in methods.values():
                for status, response in found["responses"].items():
                    assert "X-Request-ID" in response["headers"]
                    if int(status) >= 400:
                        assert response["content"] == {
                            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                        }
                        assert response["description"]

    @pytest.mark.parametrize(
        ("path", "method", "refusals"),
        [
            ("query", "get", {"400"}),
            ("signed", "get", {"400", "401", "403"}),
            ("raise/{what}", "get", {"400", "404"}),
            ("limited", "get", {"400", "429"}),
            ("echo", "post", {"400", "409", "413", "415", "422", "503"}),
            ("effects", "post", {"400", "401", "403", "409", "413", "415", "422", "503"}),
            ("static", "patch", {"400", "401", "403", "409", "412", "413", "415", "422", "503"}),
        ],
    )
    def test_lists_the_refusals_that_a_route_can_give(
        self, schema: dict[str, Any], path: str, method: str, refusals: set[str]
    ) -> None:
        assert {
            status for status in operation(schema, path, method)["responses"] if int(status) >= 400
        } == refusals

    def test_shows_the_key_where_a_view_takes_one(self, schema: dict[str, Any]) -> None:
        found = operation(schema, "effects", "post")
        assert parameters(found)["Idempotency-Key"]["in"] == "header"
        assert not parameters(found)["Idempotency-Key"].get("required")
        assert "Idempotency-Replayed" in found["responses"]["201"]["headers"]
        assert "Idempotency-Key" not in parameters(operation(schema, "echo", "post"))

    def test_shows_etags_where_a_view_gives_them(self, schema: dict[str, Any]) -> None:
        read = operation(schema, "static", "get")
        assert "If-None-Match" in parameters(read)
        assert "ETag" in read["responses"]["200"]["headers"]
        assert "content" not in read["responses"]["304"]
        changed = operation(schema, "static", "patch")
        assert parameters(changed)["If-Match"]["required"]
        assert "If-None-Match" not in parameters(changed)

    def test_shows_limits_challenges_and_waits(self, schema: dict[str, Any]) -> None:
        limited = operation(schema, "limited", "get")["responses"]
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(limited["429"]["headers"])
        assert "RateLimit" in limited["204"]["headers"]
        assert "WWW-Authenticate" in operation(schema, "signed", "get")["responses"]["401"]["headers"]

    def test_shows_the_parameters_of_a_query_and_of_paging(self, schema: dict[str, Any]) -> None:
        found = parameters(operation(schema, "keys", "get"))
        assert {"route", "status", "since", "is_new", "key", "cursor", "page_size"} == set(found)
        assert found["page_size"]["schema"] == {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 10,
        }

    def test_shows_the_form_of_a_page(self, schema: dict[str, Any]) -> None:
        page = schema["components"]["schemas"]["PaginatedKeyList"]
        assert page["required"] == ["results", "next", "previous"]
        assert page["properties"]["next"]["type"] == ["string", "null"]

    def test_says_that_unknown_fields_are_refused(self, schema: dict[str, Any]) -> None:
        assert schema["components"]["schemas"]["ThingRequest"]["additionalProperties"] is False
        assert "additionalProperties" not in schema["components"]["schemas"]["Thing"]

    def test_keeps_the_docstrings_of_our_bases_to_ourselves(self, schema: dict[str, Any]) -> None:
        assert "description" not in schema["components"]["schemas"]["GuestRequest"]
        assert "description" not in operation(schema, "query", "get")
        assert schema["components"]["schemas"]["Thing"]["description"].startswith("One field of each kind")

    def test_shows_an_amount_as_the_field_reads_it(self, schema: dict[str, Any]) -> None:
        fee = schema["components"]["schemas"]["ThingRequest"]["properties"]["fee"]
        assert (fee["type"], fee["pattern"]) == ("string", r"^-?\d{1,12}(\.\d{1,4})?$")

    def test_bounds_whole_numbers(self, schema: dict[str, Any]) -> None:
        party = schema["components"]["schemas"]["ThingRequest"]["properties"]["party"]
        assert (party["minimum"], party["maximum"]) == (1, 2**31 - 1)
