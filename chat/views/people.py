"""Desks, blocks, reports, one's own preferences, and the live connections for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bcc.core import clock
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.paging import KeysetPagination
from chat.models import Block, ChatProfile, Connection
from chat.policies.presence import alive_since
from chat.selectors.desks import desks_at
from chat.serializers.conversations import (
    BlockSerializer,
    ChatPreferencesPatchSerializer,
    ChatPreferencesSerializer,
    ConnectionSerializer,
    DeskSerializer,
    NewBlockSerializer,
    ReportedSerializer,
    ReportSerializer,
)
from chat.services.connections import close_connection
from chat.services.moderation import block, report_message, unblock
from chat.services.profiles import change_preferences
from chat.services.rules import current_rules
from chat.views import examples
from chat.views.base import TAGS, ChatView


class DeskListView(ChatView):
    @extend_schema(
        operation_id="chat_desks",
        responses=DeskSerializer(many=True),
        examples=[examples.DESK],
        tags=TAGS,
        summary="The desks, and whether somebody sits there",
    )
    def get(self, request: Request) -> Response:
        return Response(DeskSerializer(desks_at(clock.now()), many=True).data)


class PreferencesView(ChatView):
    @extend_schema(
        operation_id="chat_preferences",
        responses=ChatPreferencesSerializer,
        examples=[examples.PREFERENCES],
        tags=TAGS,
        summary="What one allows others",
    )
    def get(self, request: Request) -> Response:
        return Response(self._shown())

    @extend_schema(
        operation_id="chat_preferences_change",
        request=ChatPreferencesPatchSerializer,
        responses=ChatPreferencesSerializer,
        examples=[examples.PREFERENCES_PATCH, examples.PREFERENCES],
        tags=TAGS,
        summary="Allow others to write, or to see whether one is there",
    )
    def patch(self, request: Request) -> Response:
        change_preferences(user_id=self.identity.user_id, **self.body(ChatPreferencesPatchSerializer))
        return Response(self._shown())

    def _shown(self) -> dict[str, Any]:
        profile = ChatProfile.objects.filter(user=self.identity.user_id).first() or ChatProfile()
        club = current_rules().settings
        return {
            "accepts_direct": profile.accepts_direct,
            "accepts_groups": profile.accepts_groups,
            "shows_presence": profile.shows_presence,
            "club_allows_direct": club.allows_direct,
            "club_allows_groups": club.allows_groups,
        }


class ReportView(ChatView):
    idempotent = ("POST",)

    @extend_schema(
        operation_id="chat_report",
        request=ReportSerializer,
        responses={201: ReportedSerializer},
        examples=[examples.REPORT, examples.REPORTED],
        tags=TAGS,
        summary="Complain about a message; a moderator looks at it",
    )
    def post(self, request: Request, public_id: UUID) -> HttpResponse:
        data = self.body(ReportSerializer)

        def report() -> tuple[int, object]:
            row = report_message(message=public_id, by=self.identity, now=clock.now(), **data)
            return status.HTTP_201_CREATED, ReportedSerializer(row).data

        return respond_once(request, "chat.report", report)


class BlockListView(ChatView):
    pagination_class = KeysetPagination
    keyset = ("-pk",)
    idempotent = ("POST",)
    refusals = {"POST": ("404",)}

    @extend_schema(
        operation_id="chat_blocks",
        responses=BlockSerializer(many=True),
        examples=[examples.BLOCK],
        tags=TAGS,
        summary="Whom one wants to hear nothing from",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        rows = Block.objects.filter(blocker=self.identity.user_id).select_related("blocked")
        page = paginator.page(rows, request, order=self.keyset)
        return paginator.get_paginated_response(BlockSerializer(page, many=True).data)

    @extend_schema(
        operation_id="chat_block",
        request=NewBlockSerializer,
        responses={201: BlockSerializer},
        examples=[examples.NEW_BLOCK, examples.BLOCK],
        tags=TAGS,
        summary="Hear nothing more from somebody one has a conversation with",
    )
    def post(self, request: Request) -> HttpResponse:
        data = self.body(NewBlockSerializer)

        def do() -> tuple[int, object]:
            row = block(user=data["user"], by=self.identity, now=clock.now())
            return status.HTTP_201_CREATED, BlockSerializer(row).data

        return respond_once(request, "chat.block", do)


class BlockDetailView(ChatView):
    @extend_schema(
        operation_id="chat_unblock",
        request=None,
        responses={204: None},
        tags=TAGS,
        summary="Hear from somebody again; by the id of their account",
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        unblock(user=public_id, by=self.identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SeesConnections(BasePermission):
    """Staff who look after the server."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.user.is_authenticated and not hasattr(view, str(request.method).lower()):
            return True  # a 405 to anybody, as elsewhere
        wanted = "chat.delete_connection" if request.method == "DELETE" else "chat.view_connection"
        return bool(request.user.is_authenticated and request.user.has_perm(wanted))


class ConnectionListView(ChatView):
    permission_classes = (SeesConnections,)
    pagination_class = KeysetPagination
    keyset = ("-connected_at", "-pk")

    @extend_schema(
        operation_id="chat_connections",
        responses=ConnectionSerializer(many=True),
        examples=[examples.CONNECTION],
        tags=TAGS,
        summary="Live sockets: who, on what, since when, and what waits for them",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        rows = Connection.objects.alive(alive_since(clock.now())).select_related("user", "process")
        page = paginator.page(rows, request, order=self.keyset)
        return paginator.get_paginated_response(ConnectionSerializer(page, many=True).data)


class ConnectionDetailView(ChatView):
    permission_classes = (SeesConnections,)

    @extend_schema(
        operation_id="chat_connection_close",
        request=None,
        responses={204: None},
        tags=TAGS,
        summary="Close a live socket; its app may connect again",
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        close_connection(connection=public_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
