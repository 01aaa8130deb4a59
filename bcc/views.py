"""The few routes of the API that belong to no app."""

from __future__ import annotations

import threading
from typing import Any, ClassVar, cast

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.policies.identity import Identity
from accounts.views.throttles import ReadThrottle
from bcc.bootstrap import get_bootstrap
from bcc.core import clock
from bcc.core.rest.conditional import ConditionalGetMixin
from bcc.core.rest.problems import PROBLEM_JSON
from bcc.core.rest.schema import ProblemSerializer
from bcc.core.rest.throttles import AddressThrottle
from bcc.core.rest.views import StrictQueryMixin
from bcc.maintenance import current_maintenance
from bcc.serializers import BootstrapQuery, BootstrapSerializer, TimeSerializer


class AnonymousThrottle(AddressThrottle):
    """What anybody may read, counted by address."""

    scope = "anonymous"


class OnceGenerator(SchemaGenerator):
    """Makes the document once a process and language: it takes a second, and is the same for everybody.

    One at a time: two first requests would import the generator's extensions into each other's arms.
    """

    _making: ClassVar[threading.Lock] = threading.Lock()
    _made: ClassVar[dict[str | None, Any]] = {}

    def get_schema(self, request: Request | None = None, public: bool = False) -> Any:
        language = get_language()
        with self._making:
            if language not in self._made:
                self._made[language] = super().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
            return self._made[language]


class SchemaView(SpectacularAPIView):
    """The OpenAPI document."""

    throttle_classes = (AnonymousThrottle,)
    generator_class = OnceGenerator


class StrangerThrottle(AnonymousThrottle):
    """The same limit for who is not signed in; members in one club house are one address."""

    def key(self, request: Request, view: APIView) -> str | None:
        return None if request.user.is_authenticated else super().key(request, view)


class TimeView(StrictQueryMixin, APIView):
    """The club's time."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AnonymousThrottle,)

    @extend_schema(
        operation_id="time",
        tags=["service"],
        responses=TimeSerializer,
        auth=[],
        summary="What time it is at the club",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The club's time and zone, for an app that must not trust its own clock."""
        now = clock.now()
        return Response(
            TimeSerializer(
                {
                    "server_time": now,
                    "local_time": now.astimezone(clock.zone()).isoformat(timespec="seconds"),
                    "time_zone": settings.TIME_ZONE,
                }
            ).data
        )


class BootstrapView(ConditionalGetMixin, StrictQueryMixin, APIView):
    """What the app needs at start."""

    permission_classes = (AllowAny,)
    throttle_classes = (StrangerThrottle, ReadThrottle)
    query_serializer = BootstrapQuery

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Nobody is asked who they are in maintenance: it might ask a database that is away."""
        return [] if current_maintenance() else super().get_authenticators()

    @extend_schema(
        operation_id="bootstrap",
        tags=["club"],
        responses={
            200: BootstrapSerializer,
            (401, PROBLEM_JSON): OpenApiResponse(ProblemSerializer, "A dead credential; ask without one."),
        },
        summary="What the app needs at start, signed in or not",
        description=(
            "Open to everyone, in maintenance and for apps that are too old as well. Who is not signed in "
            "gets the club and what it tells everyone; a member also gets the facilities that they are "
            "shown, with the terms in short. `version` moves with every change of the club's data, when "
            "something begins or ends to be shown, and with the reader's category; with `since` equal to it "
            "`data` is left out, and in maintenance as well. The `ETag` is of everything but `server_time`, "
            "which a 304 does not give: ask `time`."
        ),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        identity = cast(Identity, request.user) if request.user.is_authenticated else None
        found = get_bootstrap(identity=identity, since=self.query.get("since", ""), now=clock.now())
        return Response(BootstrapSerializer(found).data, headers={"ETag": found.etag})
