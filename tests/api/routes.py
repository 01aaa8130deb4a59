"""The operations of the API as the generated OpenAPI document and the URL configuration know them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

PREFIX: Final = "/api/v1/"
MULTIPART: Final = "multipart/form-data"
METHODS: Final = ("get", "post", "put", "patch", "delete")
# What describes the API is not described by it.
UNDESCRIBED: Final = frozenset({"schema", "docs", "redoc"})
_CONVERTER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route. ``path`` is without the prefix: ``reservations/{public_id}``."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def described(self) -> dict[str, Any]:
        """What the document says of it, with shared parameters and responses put in."""
        found: dict[str, Any] = schema()["paths"][f"{PREFIX}{self.path}"][self.method.lower()]
        return {
            **found,
            "parameters": [followed(one) for one in found.get("parameters", ())],
            "responses": {status: followed(one) for status, one in found["responses"].items()},
        }

    @property
    def has_id(self) -> bool:
        return "{" in self.path

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.described

    @property
    def is_open(self) -> bool:
        """Whether it answers somebody without a token."""
        security = self.described.get("security", [{}])
        return {} in security or not security

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        """The schemas of its parameters in ``place``: path, query or header."""
        return {
            one["name"]: resolved(one["schema"]) for one in self.described["parameters"] if one["in"] == place
        }

    @property
    def takes_parts(self) -> bool:
        """Whether its body is multipart."""
        return self.takes_body and MULTIPART in self.described["requestBody"]["content"]

    @property
    def takes_json(self) -> bool:
        return self.takes_body and not self.takes_parts

    def body_schema(self) -> dict[str, Any]:
        """The schema of its body, JSON or multipart."""
        kind = MULTIPART if self.takes_parts else "application/json"
        return resolved(self.described["requestBody"]["content"][kind]["schema"])


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The OpenAPI document of this process."""
    generator: Any = SchemaGenerator
    document: dict[str, Any] = generator().get_schema(request=None, public=True)
    return document


@lru_cache(maxsize=1)
def operations() -> tuple[Operation, ...]:
    """Every operation of the document, in its order."""
    return tuple(
        Operation(method.upper(), path.removeprefix(PREFIX))
        for path, methods in schema()["paths"].items()
        for method in methods
        if method in METHODS
    )


def followed(part: dict[str, Any]) -> dict[str, Any]:
    """``part``, or the component that it refers to."""
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = schema()["components"][kind][name]
    return part


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """``part`` with a reference, or one that stands alone in ``allOf``/``oneOf`` beside null, followed."""
    part = followed(part)
    for word in ("allOf", "oneOf", "anyOf"):
        options = [one for one in part.get(word, ()) if one.get("type") != "null"]
        real = [one for one in options if resolved(one).get("enum") not in ([None], [""])]
        if len(real) == 1:
            is_nullable = len(real) < len(part[word])
            return {**resolved(real[0]), "nullable": True} if is_nullable else resolved(real[0])
    return part


def configured() -> set[str]:
    """Every path under the prefix in the URL configuration, written as the document writes it."""
    return {
        _CONVERTER.sub(r"{\1}", route).removeprefix(PREFIX[1:])
        for route in _routes(get_resolver().url_patterns)
        if route.startswith(PREFIX[1:])
    }


def _routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, route)
        else:
            yield route
