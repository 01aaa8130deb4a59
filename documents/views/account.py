"""A household's account as Finance gave it, and who of the staff read its papers."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.rest.paging import KeysetPagination
from documents.selectors.reading import entries_of, find_balance, staff_accesses_of
from documents.serializers.reading import (
    AccessSerializer,
    BalanceSerializer,
    EntryQuery,
    EntrySerializer,
)
from documents.views import examples
from documents.views.base import HouseholdView

TAGS: Final = ["account"]


class BalanceView(HouseholdView):
    refusals = {"GET": ("404",)}

    @extend_schema(
        operation_id="account_balance",
        examples=[examples.BALANCE],
        responses=BalanceSerializer,
        tags=TAGS,
        summary="What the household owes as of the last statement",
    )
    def get(self, request: Request) -> Response:
        return Response(BalanceSerializer(find_balance(self.member_id, today=clock.today())).data)


class EntryListView(HouseholdView):
    pagination_class = KeysetPagination
    query_serializer = EntryQuery

    @extend_schema(
        operation_id="account_entries",
        examples=[examples.ENTRY],
        responses=EntrySerializer(many=True),
        tags=TAGS,
        summary="Charges and payments, newest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        rows = entries_of(self.member_id, **self.query)
        page = paginator.page(rows, request, order=("-posted_on", "-pk"))
        return paginator.get_paginated_response(EntrySerializer(page, many=True).data)


class AccessLogView(HouseholdView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="me_access_log",
        examples=[examples.ACCESS],
        responses=AccessSerializer(many=True),
        tags=["me"],
        summary="When staff of the club read the household's documents, newest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        page = paginator.page(staff_accesses_of(self.member_id), request, order=("-pk",))
        return paginator.get_paginated_response(AccessSerializer(page, many=True).data)
