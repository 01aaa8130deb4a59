"""Facilities: what they are, when they are open, by which rules they are booked, what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.errors import InvalidError, NotFoundError
from bcc.core.rest.paging import KeysetPagination
from facilities import services
from facilities.models import Facility, Rate
from facilities.policies.plain_language import read_quota, read_terms
from facilities.selectors.club import facilities_for, sees_drafts, with_pictures
from facilities.selectors.hours import closures_of, hours_of
from facilities.selectors.policies import (
    category_of,
    quota_of,
    quotas_for,
    rates_for,
    stay_of,
    version_in_force,
)
from facilities.serializers.facility import (
    FacilityPatchSerializer,
    FacilityQuery,
    FacilitySerializer,
    HoursQuery,
    HoursSerializer,
    PolicySerializer,
    RateSerializer,
)
from facilities.views.base import ChangingView, ClubView

MOST_DAYS: Final = 62
TAGS = ["facilities"]


class FacilityListView(ClubView, ListModelMixin, GenericAPIView[Any]):
    """By position, then by name."""

    model = Facility
    serializer_class = FacilitySerializer
    query_serializer = FacilityQuery
    pagination_class = KeysetPagination
    keyset = ("position", "name", "pk")

    @extend_schema(operation_id="facilities_list", tags=TAGS, summary="What can be booked")
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Facility]:
        if getattr(self, "swagger_fake_view", False):
            return Facility.objects.none()
        return with_pictures(facilities_for(self.identity, at=clock.now())).filter(**self.query)


class OneFacilityView(ClubView):
    """A route below a facility. A draft or retired one is not there, but for staff who edit it."""

    model = Facility

    def rows(self) -> QuerySet[Facility]:
        """Those that may be asked for, with what the answer shows of them."""
        return facilities_for(self.identity, at=clock.now())

    def find(self) -> Facility:
        facility = self.rows().filter(public_id=self.kwargs["public_id"]).first()
        if facility is None:
            raise NotFoundError
        return facility


class FacilityView(OneFacilityView, ChangingView):
    if_match = ("PATCH",)

    def rows(self) -> QuerySet[Facility]:
        return with_pictures(super().rows())

    @extend_schema(
        operation_id="facilities_get", responses=FacilitySerializer, tags=TAGS, summary="One facility"
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(self.shown(self.find()))

    @extend_schema(
        operation_id="facilities_change",
        request=FacilityPatchSerializer,
        responses=FacilitySerializer,
        tags=TAGS,
        summary="Staff change what describes a facility",
        description=(
            "Nothing that bookings depend on: hours, policies, quotas, closures and retiring are changed in "
            "the back office, which shows the bookings that a change hits."
        ),
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        serializer = FacilityPatchSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        return self.changed(lambda row: services.describe_facility(facility=row, values=values))

    def shown(self, row: Facility) -> Any:
        return FacilitySerializer(row).data


class HoursView(OneFacilityView):
    query_serializer = HoursQuery

    @extend_schema(
        operation_id="facilities_hours",
        responses=HoursSerializer,
        tags=TAGS,
        summary="Opening hours by date, and closures",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        facility = self.find()
        first = self.query.get("from") or clock.today()
        last = self.query.get("to") or first + timedelta(days=6)
        if not first <= last < first + timedelta(days=MOST_DAYS):
            text = _("Ask for 1 to %(most)d days. Send a date that is not before the first.")
            raise InvalidError(errors={"to": [("out_of_range", text % {"most": MOST_DAYS})]})
        found = {
            "time_zone": settings.TIME_ZONE,
            "days": hours_of(facility, first=first, last=last, zone=clock.zone()),
            "closures": closures_of(facility, first=first, last=last, zone=clock.zone()),
        }
        return Response(HoursSerializer(found).data)


class PolicyView(OneFacilityView):
    @extend_schema(
        operation_id="facilities_policy",
        responses=PolicySerializer,
        tags=TAGS,
        summary="The rules of booking in plain language, for this member today",
        description=(
            "Without a policy for the member, `name` and `version` are null, and a sentence says whom to ask."
        ),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        facility = self.find()
        category_id, today = category_of(self.identity), clock.today()
        version = version_in_force(facility, category_id=category_id, on=today)
        if version is None:
            text = _("This cannot be booked in the app. Ask the front desk.")
            nothing = {"name": None, "version": None, "sentences": [{"topic": "other", "text": text}]}
            return Response(PolicySerializer(nothing).data)
        sentences = read_terms(version.terms, currency=settings.CLUB_CURRENCY, stay=stay_of(facility))
        quotas = quotas_for(facility, category_id=category_id, on=today)
        sentences += [read_quota(quota_of(rule)) for rule in quotas]
        found = {"name": version.policy.name, "version": version.number, "sentences": sentences}
        return Response(PolicySerializer(found).data)


class RatesView(OneFacilityView, ListModelMixin, GenericAPIView[Any]):
    """Shown, and estimated by a quote; no payment is taken."""

    serializer_class = RateSerializer
    pagination_class = KeysetPagination
    keyset = ("guest_class", "prime_time_only", "pk")

    @extend_schema(
        operation_id="facilities_rates",
        tags=TAGS,
        summary="What it costs this member and their guests, today and later",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Rate]:
        if getattr(self, "swagger_fake_view", False):
            return Rate.objects.none()
        return rates_for(
            self.find(),
            category_id=category_of(self.identity),
            everyone=sees_drafts(self.identity, Facility),
            on=clock.today(),
        )
