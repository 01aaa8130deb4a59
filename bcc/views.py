"""The few routes of the API that belong to no app."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bcc.core import clock
from bcc.core.rest.throttles import AddressThrottle
from bcc.core.rest.views import StrictQueryMixin
from bcc.serializers import TimeSerializer


class AnonymousThrottle(AddressThrottle):
    """What anybody may read, counted by address."""

    scope = "anonymous"


class TimeView(StrictQueryMixin, APIView):
    """The club's time."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AnonymousThrottle,)

    @extend_schema(operation_id="time", tags=["service"], responses=TimeSerializer, auth=[])
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
