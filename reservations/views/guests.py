from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.paging import KeysetPagination
from reservations.models import Guest
from reservations.serializers.asked import GuestSerializer
from reservations.serializers.shown import ShownGuestSerializer
from reservations.views import examples
from reservations.views.base import MemberView


class GuestListView(MemberView):
    """The household's guests: who may come, by whose word."""

    pagination_class = KeysetPagination
    keyset = ("-pk",)
    idempotent = ("POST",)

    def get_queryset(self) -> QuerySet[Guest]:
        return Guest.objects.filter(host__membership_id=self.membership_id).select_related("host")

    @extend_schema(
        operation_id="guests_list",
        examples=[examples.GUEST],
        responses=ShownGuestSerializer(many=True),
        tags=["guests"],
        summary="The household's guests, newest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        page = paginator.page(self.get_queryset(), request, order=self.keyset)
        return paginator.get_paginated_response(ShownGuestSerializer(page, many=True).data)

    @extend_schema(
        operation_id="guests_create",
        examples=[examples.NEW_GUEST, examples.GUEST],
        request=GuestSerializer,
        responses={201: ShownGuestSerializer},
        tags=["guests"],
        summary="Put a guest on the list",
    )
    def post(self, request: Request) -> HttpResponse:
        data = self.body(GuestSerializer)

        def create() -> tuple[int, object]:
            guest = Guest.objects.create(host_id=self.member_id, **data)
            return status.HTTP_201_CREATED, ShownGuestSerializer(self.get_queryset().get(pk=guest.pk)).data

        return respond_once(request, "guests.create", create)
