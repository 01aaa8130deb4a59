"""Conversations and messages, for apps without a socket and for what a socket missed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.errors import NotFoundError
from bcc.core.rest.fields import NothingSerializer
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.paging import KeysetPagination
from chat.models import Conversation, Kind, StaffReading
from chat.policies import rights
from chat.selectors.attachments import find_attachment
from chat.selectors.conversations import conversations_of, find_conversation, line_of, lines_of
from chat.selectors.messages import messages_after, messages_before, shown
from chat.serializers.conversations import (
    ChangedBodySerializer,
    ChangeSerializer,
    ConversationSerializer,
    MessagePageSerializer,
    MessageQuerySerializer,
    MuteSerializer,
    NewConversationSerializer,
    NewMessageSerializer,
    ReadSerializer,
    SentSerializer,
)
from chat.services import opening
from chat.services.change import delete_message, edit_message
from chat.services.moderation import note_reading
from chat.services.pointers import Pointer, move_pointers
from chat.services.send import Outgoing, send_message
from chat.views import examples
from chat.views.base import TAGS, ChatView
from documents.services.assets import read_asset


class ConversationListView(ChatView):
    pagination_class = KeysetPagination
    keyset = ("-active_at", "-pk")
    idempotent = ("POST",)
    refusals = {"POST": ("404",)}

    @extend_schema(
        operation_id="chat_conversations",
        responses=ConversationSerializer(many=True),
        examples=[examples.CONVERSATION],
        tags=TAGS,
        summary="One's conversations, the liveliest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        page = paginator.page(conversations_of(self.identity.user_id), request, order=self.keyset)
        lines = lines_of(page, self.identity.user_id)
        return paginator.get_paginated_response(ConversationSerializer(lines, many=True).data)

    @extend_schema(
        operation_id="chat_conversation_open",
        request=NewConversationSerializer,
        responses={201: ConversationSerializer},
        examples=[examples.NEW_CONVERSATION, examples.CONVERSATION],
        tags=TAGS,
        summary="Begin a conversation, or open the one that there is",
        description=(
            "A member has one thread with each desk and one with each other member. Members reach each other "
            "only where the club and both of them allow it; whom one cannot reach and who does not exist "
            "look the same."
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        data = self.body(NewConversationSerializer)
        now, by = clock.now(), self.identity

        def open_it() -> tuple[int, object]:
            conversation: Conversation
            match data["kind"]:
                case Kind.DESK:
                    conversation = opening.open_desk(desk=data["desk"], by=by, now=now)
                case Kind.DIRECT:
                    conversation = opening.open_direct(member_no=data["members"][0], by=by, now=now)
                case Kind.GROUP:
                    conversation = opening.open_group(
                        title=data["title"], members=data["members"], by=by, now=now
                    )
                case _:
                    conversation = opening.open_broadcast(title=data["title"], by=by, now=now)
            return status.HTTP_201_CREATED, ConversationSerializer(line_of(conversation, by.user_id)).data

        return respond_once(request, "chat.open", open_it)


class ConversationDetailView(ChatView):
    @extend_schema(
        operation_id="chat_conversation",
        responses=ConversationSerializer,
        examples=[examples.CONVERSATION],
        tags=TAGS,
        summary="One conversation",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        line = line_of(self.get_conversation(public_id), self.identity.user_id)
        return Response(ConversationSerializer(line).data)


class MessageListView(ChatView):
    query_serializer = MessageQuerySerializer
    idempotent = ("POST",)

    @extend_schema(
        operation_id="chat_messages",
        responses=MessagePageSerializer,
        examples=[examples.MESSAGES],
        tags=TAGS,
        summary="The messages of a conversation",
        description=(
            "With `after_seq`: what is new or was changed after that number, in the order of the changes; "
            "this is the truth that a socket only hints at. With `before_seq`: what stands before that "
            "place. With neither: the latest."
        ),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        conversation = self.get_conversation(public_id)
        if conversation.owner_id != self.identity.user_id and self.identity.has_perm(rights.SERVE_DESKS):
            note_reading(
                conversation_id=conversation.pk,
                staff_id=self.identity.user_id,
                place=StaffReading.Place.CONSOLE,
                now=clock.now(),
            )
        most: int = self.query["limit"]
        if "after_seq" in self.query:
            rows = messages_after(conversation.pk, self.query["after_seq"], most + 1)
            has_more, rows = len(rows) > most, rows[:most]
        else:
            rows = messages_before(conversation.pk, self.query.get("before_seq"), most + 1)
            has_more, rows = len(rows) > most, rows[-most:]
        return Response(
            {
                "results": ChangeSerializer(
                    [{"seq": row["change_seq"], "message": shown(row)} for row in rows], many=True
                ).data,
                "last_seq": conversation.last_seq,
                "has_more": has_more,
            }
        )

    @extend_schema(
        operation_id="chat_message_send",
        request=NewMessageSerializer,
        responses={201: SentSerializer},
        examples=[examples.NEW_MESSAGE, examples.SENT],
        tags=TAGS,
        summary="Say something",
    )
    def post(self, request: Request, public_id: UUID) -> HttpResponse:
        data = self.body(NewMessageSerializer)
        self.get_conversation(public_id)
        pictures = tuple(data.pop("attachments", ()))
        ask = Outgoing(sender=self.identity, conversation=public_id, attachments=pictures, **data)

        def send() -> tuple[int, object]:
            return status.HTTP_201_CREATED, SentSerializer(send_message(ask=ask, now=clock.now())).data

        return respond_once(request, "chat.send", send)


class AttachmentView(ChatView):
    @extend_schema(
        operation_id="chat_attachment",
        responses={
            (200, "image/webp"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
        },
        examples=examples.PICTURES,
        tags=TAGS,
        summary="A picture of a message that one may read",
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        row = find_attachment(public_id)
        if row is None or find_conversation(self.identity, row.message.conversation.public_id) is None:
            raise NotFoundError
        return HttpResponse(
            read_asset(row.asset),
            content_type=row.asset.media_type,
            headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
        )


class ReadView(ChatView):
    @extend_schema(
        operation_id="chat_read",
        request=ReadSerializer,
        responses={204: None},
        examples=[examples.READ],
        tags=TAGS,
        summary="Read until there; it only goes forward",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        data = self.body(ReadSerializer)
        conversation = self.get_conversation(public_id)
        pointer = Pointer(
            user_id=self.identity.user_id,
            user=self.identity.public_id,
            conversation=conversation.public_id,
            read=data["seq"],
            may_join=self.identity.has_perm(rights.SERVE_DESKS),
        )
        move_pointers(pointers=[pointer], now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class MuteView(ChatView):
    @extend_schema(
        operation_id="chat_mute",
        request=MuteSerializer,
        responses=ConversationSerializer,
        examples=[examples.MUTE, examples.CONVERSATION],
        tags=TAGS,
        summary="Whether to be told of it while away",
    )
    def put(self, request: Request, public_id: UUID) -> Response:
        data = self.body(MuteSerializer)
        conversation = self.get_conversation(public_id)
        opening.mute(conversation=conversation, by=self.identity, is_muted=data["is_muted"], now=clock.now())
        return Response(ConversationSerializer(line_of(conversation, self.identity.user_id)).data)


class LeaveView(ChatView):
    @extend_schema(
        operation_id="chat_leave",
        request=NothingSerializer,
        responses={204: None},
        tags=TAGS,
        summary="Be in a group no more",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        self.body(NothingSerializer)
        opening.leave_group(conversation=self.get_conversation(public_id), by=self.identity, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class MessageView(ChatView):
    @extend_schema(
        operation_id="chat_message_edit",
        request=ChangedBodySerializer,
        responses={204: None},
        examples=[examples.CHANGED_BODY],
        tags=TAGS,
        summary="Give one's own message another text, for a while after it was sent",
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        data: dict[str, Any] = self.body(ChangedBodySerializer)
        edit_message(message=public_id, body=data["body"], by=self.identity, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="chat_message_delete",
        request=None,
        responses={204: None},
        tags=TAGS,
        summary="Take one's own message away; its place stays",
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        delete_message(message=public_id, by=self.identity, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
