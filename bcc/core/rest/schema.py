"""OpenAPI 3.1 beyond drf-spectacular's guess: the refusals and headers that all routes share.

A view declares, and its operations show:

- ``idempotent = ("POST",)``: methods or action names that take an ``Idempotency-Key``;
- ``ConditionalGetMixin``: ``ETag``, ``If-None-Match`` and the 304 on GET;
- ``if_match = ("PATCH", "DELETE")``: methods that need ``If-Match``, and the 412;
- ``query_serializer``: the query parameters (see ``StrictQueryMixin``);
- its permissions, throttles and path: 401, 403, 404 and 429;
- ``refusals = {"POST": ("404",)}``: what a method refuses besides.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc, get_lib_doc_excludes
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import permissions, serializers

from bcc.core.rest.conditional import ConditionalGetMixin
from bcc.core.rest.fields import StrictModelSerializer, StrictQuerySerializer, StrictSerializer
from bcc.core.rest.problems import PROBLEM_JSON
from bcc.core.rest.views import StrictQueryMixin

_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

_MEANINGS: Final = {
    "400": "Malformed: an unknown parameter, or a field that is no value.",
    "401": "No credential, or a dead one.",
    "403": "Known, but not allowed by role or hold.",
    "404": "Not there, or somebody else's: the two look the same.",
    "409": "A conflict with the present state, or a key still in flight.",
    "412": "It has changed since it was read.",
    "413": "A JSON body over 256 kB.",
    "415": "Not a content type for this.",
    "422": "Rules of the club refused it, all named; or the key came with another body.",
    "429": "Too many requests.",
    "503": "Busy. Try again after the time in Retry-After.",
}


def doc_excludes() -> list[type]:
    """``GET_LIB_DOC_EXCLUDES``: classes whose docstrings are for us and not for the API's readers."""
    ours = [
        StrictSerializer,
        StrictModelSerializer,
        StrictQuerySerializer,
        StrictQueryMixin,
        ConditionalGetMixin,
    ]
    return [*get_lib_doc_excludes(), *ours]  # type: ignore[no-untyped-call]  # spectacular's own


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field."""

    code = serializers.CharField(help_text="Stable, in snake_case.")
    detail = serializers.CharField(help_text="For a person to read.")


class ProblemRuleSerializer(serializers.Serializer[Any]):
    """One rule of the club that was not met."""

    code = serializers.CharField(help_text="Stable, in snake_case.")
    detail = serializers.CharField(help_text="For a person to read.")
    limit = serializers.IntegerField(allow_null=True, help_text="What the rule allows, in its own unit.")
    current = serializers.IntegerField(allow_null=True, help_text="Where the member stands.")
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When this rule would let it pass.")


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details. `type` is a name, not a page; clients switch on `code`."""

    type = serializers.CharField(help_text="`/problems/` and the code.")
    title = serializers.CharField(help_text="The kind of problem, for a person to read.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What happened and what to do next, for a person to read.")
    code = serializers.CharField(help_text="Stable, in snake_case.")
    request_id = serializers.CharField(help_text="The `X-Request-ID` of the response.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a declared field; the property stays
        child=ProblemErrorSerializer(many=True),
        required=False,
        help_text="By field, as a dotted path such as `participants.0.name`.",
    )
    rules = ProblemRuleSerializer(many=True, required=False)
    alternatives = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="What would be possible instead."
    )
    retry_after = serializers.IntegerField(required=False, help_text="Seconds to wait, as in `Retry-After`.")


class ApiSchema(AutoSchema):
    """``DEFAULT_SCHEMA_CLASS``."""

    def get_description(self) -> str:  # type: ignore[override]  # spectacular dropped its arguments
        """The docstring of the method, or of the very view: those of its bases are for us."""
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        return str(get_doc(handler) or inspect.cleandoc(vars(type(self.view)).get("__doc__") or ""))

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [
            *super().get_override_parameters(),
            _response_header("X-Request-ID", "The id of this request in the club's logs."),
        ]
        query = getattr(self.view, "query_serializer", None)
        if query is not None and self.method == "GET":
            parameters.append(query)
        if self._declared("idempotent"):
            parameters += [
                OpenApiParameter(
                    "Idempotency-Key",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    description="One effect per key for 24 hours; a repeat gets the first reply.",
                    pattern=r"^[\x21-\x7e]{1,128}$",
                ),
                _response_header("Idempotency-Replayed", "`true` on a repeat.", self._successes()),
            ]
        if self._is_conditional():
            parameters += [
                _request_header("If-None-Match", "An ETag that the client has."),
                _response_header("ETag", "The version of this answer.", ["200", "304"]),
            ]
        if self._declared("if_match"):
            parameters.append(
                _request_header("If-Match", "The ETag that the change was made from.", required=True),
            )
        if self._is_limited():
            parameters += [
                _response_header("RateLimit", "What is left of each limit, and for how long."),
                _response_header("RateLimit-Policy", "The limits on this route."),
            ]
        parameters += [
            _response_header("Retry-After", "Seconds to wait.", ["429", "503"], type_=OpenApiTypes.INT),
            _response_header("WWW-Authenticate", "`Bearer`.", ["401"]),
        ]
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, body in bodies.items():
            if "headers" not in body:
                bodies[code] = {"headers": self._get_response_headers_for_code(code), **body}
        if self._is_conditional():
            bodies["304"] = {
                "headers": self._get_response_headers_for_code("304"),
                "description": "The client has the present version.",
            }
        for code in sorted(self._refusals() - bodies.keys()):
            bodies[code] = self._get_response_for_code(  # type: ignore[no-untyped-call]  # spectacular's own
                OpenApiResponse(ProblemSerializer, _MEANINGS[code]), code, media_types=[PROBLEM_JSON]
            )
        return bodies

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]  # spectacular's own
            serializer, direction
        )
        if direction == "request" and isinstance(serializer, StrictSerializer | StrictModelSerializer):
            schema["additionalProperties"] = False
        return schema

    def _refusals(self) -> set[str]:
        codes = {"400", *getattr(self.view, "refusals", {}).get(self.method, ())}
        if self._needs_sign_in():
            codes |= {"401", "403"}
        if "{" in self.path:
            codes.add("404")
        if self.method in _UNSAFE:
            codes |= {"409", "503"}
        if self.method in _WITH_BODY:
            codes |= {"413", "415", "422"}
        if self._declared("if_match"):
            codes.add("412")
        if self._is_limited():
            codes.add("429")
        return codes

    def _needs_sign_in(self) -> bool:
        return any(not isinstance(one, permissions.AllowAny) for one in self.view.get_permissions())

    def _is_limited(self) -> bool:
        return bool(self.view.get_throttles())

    def _is_conditional(self) -> bool:
        return self.method == "GET" and isinstance(self.view, ConditionalGetMixin)

    def _declared(self, name: str) -> bool:
        declared = getattr(self.view, name, ())
        return self.method in declared or getattr(self.view, "action", None) in declared

    def _successes(self) -> list[str]:
        return ["200", "201", "202"]


def _request_header(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(
        name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=required, description=description
    )


def _response_header(
    name: str, description: str, codes: list[str] | None = None, *, type_: OpenApiTypes = OpenApiTypes.STR
) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        type_,
        OpenApiParameter.HEADER,
        description=description,
        response=True if codes is None else [int(code) for code in codes],
    )
