"""A tiny API with which the tests of ``bcc.core.rest`` speak HTTP: no app, no accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.views import View
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, permissions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bcc.core import errors
from bcc.core.models import IdempotencyKey
from bcc.core.rest import fields, problems
from bcc.core.rest.conditional import ConditionalGetMixin, require_if_match
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.parsers import StrictJSONParser
from bcc.core.rest.renderers import OrjsonRenderer
from bcc.core.rest.throttles import AddressThrottle, IdentityThrottle, UserThrottle
from bcc.core.rest.views import StrictQueryMixin

WHEN = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Test <uuid>`` signs in the user of that public id."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind != "Test":
            return None
        if text == "dead":
            raise exceptions.AuthenticationFailed
        return SimpleNamespace(public_id=UUID(text), is_authenticated=True, pk=1), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = TokenAuthentication
    name = "test"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class Base(StrictQueryMixin, APIView):
    authentication_classes = (TokenAuthentication,)
    permission_classes: Sequence[Any] = (permissions.AllowAny,)
    parser_classes: Sequence[Any] = (StrictJSONParser,)
    renderer_classes: Sequence[Any] = (OrjsonRenderer,)


class Signed(Base):
    permission_classes = (permissions.IsAuthenticated,)


class SignedView(Signed):
    @extend_schema(responses={204: None})
    def get(self, request: Request) -> Response:
        return Response(status=204)


class GuestSerializer(fields.StrictSerializer):
    name = fields.CharField(max_length=20)


class ThingSerializer(fields.StrictSerializer):
    """One field of each kind that is stricter than DRF's."""

    name = fields.CharField(max_length=40)
    starts_at = fields.AwareDateTimeField(required=False)
    on = fields.StrictDateField(required=False)
    party = fields.IntegerField(required=False, min_value=1)
    is_member = fields.BooleanField(required=False)
    fee = fields.MoneyField(required=False)
    currency = fields.CurrencyField()
    guests = GuestSerializer(many=True, required=False)


class EchoView(Base):
    @extend_schema(request=ThingSerializer, responses=ThingSerializer)
    def post(self, request: Request) -> Response:
        return Response(ThingSerializer(fields.validated_body(request, ThingSerializer)).data)


class ListQuery(fields.StrictQuerySerializer):
    route = fields.CharField(required=False)
    status = fields.IntegerField(required=False)
    since = fields.AwareDateTimeField(required=False)
    is_new = fields.BooleanField(required=False)
    key = serializers.ListField(child=fields.CharField(), required=False)


class QueryView(Base):
    query_serializer = ListQuery

    @extend_schema(responses=ThingSerializer)
    def get(self, request: Request) -> Response:
        return Response(self.query)


class KeySerializer(serializers.ModelSerializer[IdempotencyKey]):
    class Meta:
        model = IdempotencyKey
        fields = ("route", "key", "status", "created_at")


class ListView(StrictQueryMixin, generics.ListAPIView[IdempotencyKey]):
    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    serializer_class = KeySerializer
    renderer_classes = (OrjsonRenderer,)
    query_serializer: ClassVar[type[fields.StrictQuerySerializer] | None] = ListQuery
    filter_backends = ()
    keyset = ("-created_at", "route", "pk")
    page_size = 10

    def get_queryset(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.all()


class EffectSerializer(fields.StrictSerializer):
    note = fields.CharField(max_length=120)


def create_effect(note: str) -> tuple[int, Any]:
    """A row that stands for what a service would do; found again by its route."""
    row = IdempotencyKey.objects.create(
        principal=uuid4(), route="effect", key=note, body_sha256="", created_at=WHEN
    )
    return 201, {"note": note, "number": row.pk}


class CreateView(Signed):
    idempotent = ("POST",)
    outcome: ClassVar[Exception | None] = None
    status: ClassVar[int] = 201

    @extend_schema(request=EffectSerializer, responses={201: EffectSerializer})
    def post(self, request: Request) -> HttpResponse:
        note = fields.validated_body(request, EffectSerializer)["note"]

        def work() -> tuple[int, Any]:
            _, data = create_effect(note)
            if self.outcome is not None:
                raise self.outcome
            return self.status, data

        return respond_once(request, "tests.create", work)


class UploadView(Signed):
    parser_classes = (MultiPartParser,)
    idempotent = ("POST",)

    @extend_schema(
        request={"multipart/form-data": {"type": "object", "properties": {"file": {"type": "string"}}}},
        responses={201: EffectSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        def work() -> tuple[int, Any]:
            parts: Any = request.data
            return 201, {"size": len(parts["file"].read()), "id": uuid4()}

        return respond_once(request, "tests.upload", work)


class StaticView(ConditionalGetMixin, Signed):
    if_match = ("PATCH",)
    shown: ClassVar[dict[str, Any]] = {"version": 1}

    @extend_schema(responses=EffectSerializer)
    def get(self, request: Request) -> Response:
        return Response(self.shown)

    @extend_schema(request=EffectSerializer, responses=EffectSerializer)
    def patch(self, request: Request) -> Response:
        require_if_match(request, self.shown)
        return Response(self.shown)


class PerAddress(AddressThrottle):
    scope = "per_address"


class PerUser(UserThrottle):
    scope = "per_user"


class PerIdentity(IdentityThrottle):
    scope = "per_identity"
    fails_closed = True


class LimitedView(Base):
    throttle_classes = (PerAddress, PerUser)

    @extend_schema(responses={204: None})
    def get(self, request: Request) -> Response:
        return Response(status=204)


class LoginView(Base):
    throttle_classes = (PerIdentity,)

    @extend_schema(request=EffectSerializer, responses=EffectSerializer)
    def post(self, request: Request) -> Response:
        return Response({"token": "t"})


def _busy_database() -> OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    error = OperationalError("database is locked")
    error.__cause__ = cause
    return error


RAISED: dict[str, Callable[[], Exception]] = {
    "invalid": lambda: errors.InvalidError(errors={"party": [("too_many", "Too many.")]}),
    "sign-in": errors.NotAuthenticatedError,
    "not-allowed": errors.NotAllowedError,
    "missing": errors.NotFoundError,
    "missing-row": lambda: Http404("No Reservation matches the given query."),
    "missing-told": lambda: errors.NotFoundError("Reservation 12 is another member's.", code="foreign"),
    "missing-rest": lambda: exceptions.NotFound("No such reservation."),
    "taken": lambda: errors.ConflictError(code="slot_taken", alternatives=[{"starts_at": WHEN}]),
    "stale": errors.StaleVersionError,
    "rules": lambda: errors.RuleError(
        [
            errors.RuleFailure("quota", "Two a week.", limit=2, current=2, retry_at=WHEN),
            errors.RuleFailure("window", "Too early."),
        ],
        alternatives=[{"starts_at": WHEN}],
    ),
    "limited": lambda: errors.LimitedError(retry_after=7),
    "busy": errors.BusyError,
    "denied": lambda: PermissionDenied("A secret reason."),
    "suspicious": lambda: SuspiciousOperation("A secret reason."),
    "model": lambda: ValidationError({"name": [ValidationError("Not that.", code="bad_name")]}),
    "rest": lambda: exceptions.ValidationError(
        {"guests": [{}, {"name": ["Too long."]}], "other": {"x": ["No."]}}
    ),
    "parse": exceptions.ParseError,
    "throttled": lambda: exceptions.Throttled(wait=1.2),
    "locked": _busy_database,
    "defect": lambda: RuntimeError("The connection string is hunter2."),
}


class RaisingView(Base):
    @extend_schema(responses={204: None})
    def get(self, request: Request, what: str) -> Response:
        error = RAISED[what]()
        raise error


class PageView(View):
    """A plain Django view: what fails in it is not DRF's."""

    def get(self, request: HttpRequest, what: str) -> HttpResponseBase:
        error = RAISED[what]()
        raise error


class CalendarRenderer(BaseRenderer):
    media_type = "text/calendar"
    format = "ics"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        raise AssertionError("A problem never passes the view's own renderer.")


class CalendarView(Base):
    renderer_classes = (CalendarRenderer,)

    @extend_schema(responses={(200, "text/calendar"): str})
    def get(self, request: Request) -> Response:
        raise errors.NotFoundError


urlpatterns = [
    path("api/v1/echo", EchoView.as_view()),
    path("api/v1/query", QueryView.as_view()),
    path("api/v1/keys", ListView.as_view()),
    path("api/v1/effects", CreateView.as_view()),
    path("api/v1/uploads", UploadView.as_view()),
    path("api/v1/static", StaticView.as_view()),
    path("api/v1/limited", LimitedView.as_view()),
    path("api/v1/login", LoginView.as_view()),
    path("api/v1/signed", SignedView.as_view()),
    path("api/v1/calendar", CalendarView.as_view()),
    path("api/v1/raise/<str:what>", RaisingView.as_view()),
    path("api/page/<str:what>", PageView.as_view()),
    path("page/<str:what>", PageView.as_view()),
]
handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
