"""Reservations of the app: translate, one call, one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.downloads import content_disposition
from bcc.core.rest.conditional import ConditionalGetMixin
from bcc.core.rest.fields import NothingSerializer
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.paging import KeysetPagination, Order
from reservations import services
from reservations.models import Reservation
from reservations.selectors.calendar import calendar_of
from reservations.selectors.lists import list_reservations, reservations_seen_by, with_people
from reservations.serializers.asked import (
    CancelSerializer,
    CheckInSerializer,
    ParticipantsSerializer,
    RescheduleSerializer,
    ReservationQuerySerializer,
    WishSerializer,
)
from reservations.serializers.shown import (
    QuoteSerializer,
    ReservationDetailSerializer,
    ReservationEventSerializer,
    ReservationSerializer,
)
from reservations.services.booking import Companion, Wish
from reservations.views import examples
from reservations.views.base import MemberView

TAGS = ["reservations"]


class ReservationView(MemberView):
    def wish(self, request: Request) -> Wish:
        serializer = WishSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.wish()

    def detail(self, reservation: Reservation) -> dict[str, Any]:
        """The whole of a reservation as it stands now."""
        rows = with_people(reservations_seen_by(self.get_member()))
        return ReservationDetailSerializer(rows.get(pk=reservation.pk)).data


def order_of(when: str | None) -> Order:
    """What is to come by what comes first, everything else by what came last."""
    return ("starts_at", "pk") if when == "upcoming" else ("-starts_at", "-pk")


class ReservationListView(ReservationView):
    query_serializer = ReservationQuerySerializer
    pagination_class = KeysetPagination
    idempotent = ("POST",)
    refusals = {"POST": ("404",)}

    @extend_schema(
        operation_id="reservations_list",
        examples=[examples.LINE],
        responses=ReservationSerializer(many=True),
        tags=TAGS,
        summary="The member's reservations, and the household's where the member may see them",
    )
    def get(self, request: Request) -> Response:
        when = self.query.get("when")
        rows = list_reservations(
            member=self.get_member(), when=when, state=self.query.get("state"), now=clock.now()
        )
        paginator = KeysetPagination()
        page = paginator.page(rows, request, order=order_of(when))
        return paginator.get_paginated_response(ReservationSerializer(page, many=True).data)

    @extend_schema(
        operation_id="reservations_create",
        examples=[examples.WISH, examples.BOOKED, examples.HELD],
        request=WishSerializer,
        responses={201: ReservationDetailSerializer},
        tags=TAGS,
        summary="Book: hold or confirm, as the policy says",
    )
    def post(self, request: Request) -> HttpResponse:
        wish, now = self.wish(request), clock.now()

        def book() -> tuple[int, object]:
            booked = services.book(
                wish=wish,
                member_id=self.member_id,
                membership_id=self.membership_id,
                by=self.identity.actor,
                now=now,
            )
            return status.HTTP_201_CREATED, booked.shown()

        with services.offering_alternatives(wish=wish, member_id=self.member_id, now=now):
            return respond_once(request, "reservations.create", book)


class QuoteView(ReservationView):
    refusals = {"POST": ("404",)}

    @extend_schema(
        operation_id="reservations_quote",
        examples=[examples.WISH, examples.QUOTE],
        request=WishSerializer,
        responses=QuoteSerializer,
        tags=TAGS,
        summary="What a booking would be; nothing is held",
    )
    def post(self, request: Request) -> Response:
        found = services.quote(wish=self.wish(request), member_id=self.member_id, now=clock.now())
        return Response(QuoteSerializer(found).data)


class ReservationDetailView(ConditionalGetMixin, ReservationView):
    @extend_schema(
        operation_id="reservations_get",
        examples=[examples.BOOKED],
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="One reservation",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(self.detail(self.get_reservation(public_id)))


class ChangeView(ReservationView):
    """One step on one reservation: a body, a service, the reservation as it stands after."""

    def answer(self, step: Callable[[], Reservation]) -> Response:
        return Response(self.detail(step()))


class ConfirmView(ChangeView):
    @extend_schema(
        operation_id="reservations_confirm",
        examples=[examples.BOOKED],
        request=NothingSerializer,
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="Confirm before the deadline; a confirmed one stays as it is",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        self.body(NothingSerializer)
        own = self.get_own(public_id)
        return self.answer(
            lambda: services.confirm_reservation(reservation=own, by=self.identity.actor, now=clock.now())
        )


class CancelView(ChangeView):
    @extend_schema(
        operation_id="reservations_cancel",
        examples=[examples.REASON, examples.CANCELLED],
        request=CancelSerializer,
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="Give it back; what it costs is in the history",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        data = self.body(CancelSerializer)
        seen = self.get_reservation(public_id)
        return self.answer(
            lambda: services.cancel_reservation(
                reservation=seen, by=self.identity.actor, reason=data["reason"], now=clock.now()
            )
        )


class RescheduleView(ChangeView):
    @extend_schema(
        operation_id="reservations_reschedule",
        examples=[examples.NEW_TIMES, examples.MOVED],
        request=RescheduleSerializer,
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="Move it to another time of the same facility",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        data = self.body(RescheduleSerializer)
        own, now = self.get_own(public_id), clock.now()
        wish = Wish(own.facility.public_id, data["starts_at"], data["ends_at"], party=own.party)
        with services.offering_alternatives(wish=wish, member_id=self.member_id, now=now, moving=own):
            return self.answer(
                lambda: services.reschedule_reservation(
                    reservation=own,
                    starts_at=data["starts_at"],
                    ends_at=data["ends_at"],
                    by=self.identity.actor,
                    now=now,
                )
            )


class CheckInView(ChangeView):
    @extend_schema(
        operation_id="reservations_check_in",
        examples=[examples.VENUE_CODE, examples.CHECKED_IN],
        request=CheckInSerializer,
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="Check in with the code that hangs at the venue",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        data = self.body(CheckInSerializer)
        own = self.get_own(public_id)
        return self.answer(
            lambda: services.check_in(
                reservation=own, by=self.identity.actor, code=data["code"], now=clock.now()
            )
        )


class ParticipantsView(ChangeView):
    @extend_schema(
        operation_id="reservations_participants",
        examples=[examples.COMPANIONS, examples.BOOKED],
        request=ParticipantsSerializer,
        responses=ReservationDetailSerializer,
        tags=TAGS,
        summary="Name the others of the party anew",
    )
    def put(self, request: Request, public_id: UUID) -> Response:
        data = self.body(ParticipantsSerializer)
        own = self.get_own(public_id)
        return self.answer(
            lambda: services.set_participants(
                reservation=own,
                companions=tuple(Companion(**one) for one in data["participants"]),
                by=self.identity.actor,
                now=clock.now(),
            )
        )


class EventsView(MemberView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="reservations_events",
        examples=[examples.EVENT],
        responses=ReservationEventSerializer(many=True),
        tags=TAGS,
        summary="The history, oldest first",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        rows = self.get_reservation(public_id).events.all()
        paginator = KeysetPagination()
        page = paginator.page(rows, request, order=("pk",))
        return paginator.get_paginated_response(ReservationEventSerializer(page, many=True).data)


class CalendarView(MemberView):
    @extend_schema(
        operation_id="reservations_calendar",
        examples=[examples.CALENDAR],
        responses={
            (200, "text/calendar"): OpenApiResponse(OpenApiTypes.STR, "An iCalendar file with one event.")
        },
        tags=TAGS,
        summary="As a calendar entry",
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        reservation = self.get_reservation(public_id)
        response = HttpResponse(
            calendar_of(reservation, now=clock.now()), content_type="text/calendar; charset=utf-8"
        )
        response["Content-Disposition"] = content_disposition(
            f"reservation-{str(reservation.public_id)[:8]}.ics"
        )
        return response
