"""One's own data: the notice, a copy of it all, and the wish to be forgotten."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import DeletionRequest, Member, NoticeAcceptance, PrivacyNotice, RecordRead
from accounts.permissions import IsMember
from accounts.serializers.privacy import (
    AcceptSerializer,
    DeletionAskSerializer,
    DeletionSerializer,
    ExportSerializer,
    PrivacySerializer,
    RecordReadSerializer,
)
from accounts.services.personal_data import export_of
from accounts.services.privacy import accept_notice, ask_for_deletion, withdraw_deletion
from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle, StepUpThrottle
from bcc.core import clock
from bcc.core.errors import NotFoundError

_NOTICE = {
    "version": "2026-06",
    "title": "Your data at the club",
    "text": "What we keep and why.",
    "published_at": "2026-06-01T00:00:00Z",
}
_REQUEST = {
    "id": "b6a0c1d2-7e6f-4d5c-8b9a-1a2b3c4d5e15",
    "state": "OPEN",
    "reason": "",
    "requested_at": "2026-06-02T00:00:00Z",
    "decided_at": None,
    "answer": "",
}
EXAMPLE = OpenApiExample(
    "Accepted",
    value={
        "notice": _NOTICE,
        "accepted_version": "2026-06",
        "accepted_at": "2026-06-01T01:00:00Z",
        "must_accept": False,
        "deletion_request": None,
    },
    response_only=True,
)
REQUEST_EXAMPLE = OpenApiExample("Asked", value=_REQUEST, response_only=True)


class PrivacyView(SignedInView):
    throttle_classes = (ReadThrottle,)

    @extend_schema(
        operation_id="me_privacy",
        responses=PrivacySerializer,
        examples=[EXAMPLE],
        tags=["me"],
        summary="The privacy notice, and whether one has accepted it",
    )
    def get(self, request: Request) -> Response:
        return Response(self.shown())

    @extend_schema(
        operation_id="me_privacy_accept",
        request=AcceptSerializer,
        responses=PrivacySerializer,
        examples=[
            OpenApiExample("The one that was shown", value={"version": "2026-06"}, request_only=True),
            EXAMPLE,
        ],
        tags=["me"],
        summary="Accept the notice in force; again changes nothing",
    )
    def put(self, request: Request) -> Response:
        version = self.body(AcceptSerializer)["version"]
        accept_notice(user_id=self.identity.user_id, version=version, now=clock.now())
        return Response(self.shown())

    def shown(self) -> dict[str, Any]:
        notice = PrivacyNotice.in_force(clock.now())
        mine = NoticeAcceptance.objects.filter(user_id=self.identity.user_id).select_related("notice")
        latest = mine.order_by("-accepted_at", "-pk").first()
        asked = DeletionRequest.objects.filter(member_id=self.identity.member_id or 0).order_by("-pk").first()
        return PrivacySerializer(
            {
                "notice": notice,
                "accepted_version": latest and latest.notice.version,
                "accepted_at": latest and latest.accepted_at,
                "must_accept": notice is not None and (latest is None or latest.notice_id != notice.pk),
                "deletion_request": asked,
            }
        ).data


class DeletionView(SignedInView):
    permission_classes = (IsMember,)
    throttle_classes = (ReadThrottle,)
    refusals = {"DELETE": ("404",)}

    @extend_schema(
        operation_id="me_deletion_ask",
        request=DeletionAskSerializer,
        responses=DeletionSerializer,
        examples=[OpenApiExample("Without a word", value={}, request_only=True), REQUEST_EXAMPLE],
        tags=["me"],
        summary="Ask to be forgotten; staff decide. Again gives the open request",
    )
    def put(self, request: Request) -> Response:
        reason = self.body(DeletionAskSerializer)["reason"]
        asked = ask_for_deletion(member_id=self._member_id(), reason=reason, now=clock.now())
        return Response(DeletionSerializer(asked).data)

    @extend_schema(
        operation_id="me_deletion_withdraw",
        responses={204: None},
        tags=["me"],
        summary="Take the open request back",
    )
    def delete(self, request: Request) -> Response:
        withdraw_deletion(member_id=self._member_id(), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _member_id(self) -> int:
        if self.identity.member_id is None:
            raise NotFoundError
        return self.identity.member_id


class ExportView(SignedInView):
    permission_classes = (IsMember,)
    throttle_classes = (StepUpThrottle,)
    refusals = {"GET": ("404",)}

    @extend_schema(
        operation_id="me_export",
        responses=ExportSerializer,
        examples=[
            OpenApiExample(
                "A part of it",
                value={
                    "exported_at": "2026-06-01T00:00:00Z",
                    "data": {"member": {"member_no": "D-0014", "first_name": "Demo"}},
                },
                response_only=True,
            )
        ],
        tags=["me"],
        summary="A copy of everything that the club keeps of oneself",
    )
    def get(self, request: Request) -> Response:
        members = Member.objects.select_related("user", "membership__category")
        member = members.filter(pk=self.identity.member_id or 0).first()
        if member is None:
            raise NotFoundError
        return Response(ExportSerializer({"exported_at": clock.now(), "data": export_of(member)}).data)


class RecordReadListView(SignedInView, ListAPIView[Any]):
    queryset = RecordRead.objects.none()  # for the schema; the rows are those of the caller
    permission_classes = (IsMember,)
    throttle_classes = (ReadThrottle,)
    serializer_class = RecordReadSerializer
    keyset = ("-read_at", "-pk")

    def get_queryset(self) -> Any:
        return RecordRead.objects.about(self.identity.member_id or 0)

    @extend_schema(
        operation_id="me_record_reads",
        examples=[
            OpenApiExample(
                "The membership office",
                value={"what": "profile", "reader": "Demo Office", "read_at": "2026-06-01T00:00:00Z"},
                response_only=True,
            )
        ],
        tags=["me"],
        summary="When staff of the club looked at one's record, or at the app as one sees it, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request)
