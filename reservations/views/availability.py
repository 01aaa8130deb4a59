from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.errors import InvalidError
from bcc.core.rest.conditional import ConditionalGetMixin
from reservations.selectors.availability import MOST_DAYS, get_availability
from reservations.selectors.standing import get_privileges
from reservations.serializers.asked import AvailabilityQuerySerializer
from reservations.serializers.shown import AvailabilitySerializer, PrivilegesSerializer
from reservations.views import examples
from reservations.views.base import MemberView

# What is shown unless a last day is asked for, the first day aside.
WEEK = timedelta(days=6)


class AvailabilityView(ConditionalGetMixin, MemberView):
    query_serializer = AvailabilityQuerySerializer

    @extend_schema(
        operation_id="facilities_availability",
        examples=[examples.AVAILABILITY],
        responses=AvailabilitySerializer,
        tags=["facilities"],
        summary="What is free, with the reasons why this member cannot have a slot",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        now = clock.now()
        first = self.query.get("from") or clock.local_date(now)
        last = self.query.get("to") or first + WEEK
        if not first <= last < first + timedelta(days=MOST_DAYS):
            text = _("Ask for 1 to %(most)d days. Send a date that is not before from.") % {"most": MOST_DAYS}
            raise InvalidError(errors={"to": [("out_of_range", text)]})
        found = get_availability(
            facility_id=public_id,
            member_id=self.member_id,
            first=first,
            last=last,
            party=self.query.get("party"),
            now=now,
        )
        return Response(AvailabilitySerializer(found).data)


class PrivilegesView(MemberView):
    @extend_schema(
        operation_id="me_privileges",
        examples=[examples.PRIVILEGES],
        responses=PrivilegesSerializer,
        tags=["me"],
        summary="Holds, strikes and what is left of each quota",
    )
    def get(self, request: Request) -> Response:
        return Response(PrivilegesSerializer(get_privileges(member_id=self.member_id, now=clock.now())).data)
