"""A member's papers: found, described, handed over, and linked to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.rest.conditional import ConditionalGetMixin
from bcc.core.rest.paging import KeysetPagination
from documents.authentication import BearerOrLinkAuthentication
from documents.models import AccessKind
from documents.selectors.reading import documents_of, find_statement, statements_of, with_sums
from documents.serializers.reading import (
    ContentQuery,
    DocumentQuery,
    DocumentSerializer,
    LinkRequestSerializer,
    LinkSerializer,
    StatementSerializer,
)
from documents.services.content import find_content
from documents.services.links import make_link
from documents.services.reading import note_access
from documents.views import examples
from documents.views.base import HouseholdView, named
from documents.views.files import file_response, gives_bytes

TAGS: Final = ["documents"]
NEWEST_FIRST: Final = ("-period", "-pk")


class StatementListView(HouseholdView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="statements_list",
        examples=[examples.STATEMENT],
        responses=StatementSerializer(many=True),
        tags=TAGS,
        summary="The household's statements of account, newest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        page = paginator.page(statements_of(self.member_id), request, order=NEWEST_FIRST)
        shown = StatementSerializer(with_sums(page), many=True, context=named(page))
        return paginator.get_paginated_response(shown.data)


class StatementView(ConditionalGetMixin, HouseholdView):
    @extend_schema(
        operation_id="statements_get",
        examples=[examples.STATEMENT],
        responses=StatementSerializer,
        tags=TAGS,
        summary="The statement of one month",
        parameters=[
            OpenApiParameter("period", str, OpenApiParameter.PATH, description="A month, as `2026-10`.")
        ],
    )
    def get(self, request: Request, period: str) -> Response:
        statement = find_statement(self.member_id, period)
        papers = [] if statement.document is None else [statement.document]
        return Response(StatementSerializer(statement, context=named(papers)).data)


class DocumentListView(HouseholdView):
    pagination_class = KeysetPagination
    query_serializer = DocumentQuery

    @extend_schema(
        operation_id="documents_list",
        examples=[examples.DOCUMENT],
        responses=DocumentSerializer(many=True),
        tags=TAGS,
        summary="The household's statements, receipts and notices, newest first",
    )
    def get(self, request: Request) -> Response:
        paginator = KeysetPagination()
        rows = documents_of(self.member_id, kind=self.query.get("kind"), period=self.query.get("period"))
        page = paginator.page(rows, request, order=NEWEST_FIRST)
        return paginator.get_paginated_response(DocumentSerializer(page, many=True, context=named(page)).data)


class DocumentView(ConditionalGetMixin, HouseholdView):
    @extend_schema(
        operation_id="documents_get",
        examples=[examples.DOCUMENT],
        responses=DocumentSerializer,
        tags=TAGS,
        summary="One document: what it is, without its bytes",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        document = self.get_document(public_id)
        return Response(DocumentSerializer(document, context=named([document])).data)


class _AnyType(BaseContentNegotiation):
    """A viewer asks for what it likes to show; the bytes are what they are, and refusals are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = renderers[0]
        return renderer, renderer.media_type


def _header(name: str, description: str, *codes: int) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=description,
        response=list(codes) or False,
    )


_PDF: Final = OpenApiResponse(OpenApiTypes.BINARY, "The bytes of the file.")


class DocumentContentView(HouseholdView):
    authentication_classes = (BearerOrLinkAuthentication,)
    content_negotiation_class = _AnyType
    query_serializer = ContentQuery

    @extend_schema(
        operation_id="documents_content",
        auth=[{"bearer": []}],  # type: ignore[list-item]  # as the document writes it; typed as names
        examples=[examples.BYTES],
        responses={
            (200, "application/pdf"): _PDF,
            (206, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "The part that was asked for."),
            304: OpenApiResponse(description="The client has it."),
        },
        parameters=[
            _header("Range", "One range of bytes, such as `bytes=0-65535`."),
            _header("If-Range", "The ETag of what was begun: a part of it, or all of the new version."),
            _header("If-None-Match", "An ETag that the client has."),
            _header("ETag", "The hash of the bytes.", 200, 206, 304),
            _header("Content-Disposition", "The name to save it as, in any script.", 200, 206),
            _header("Content-Range", "Which part it is.", 206),
        ],
        tags=TAGS,
        summary="The bytes of a document; each reading is kept in the access log",
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponseBase:
        content = find_content(member_id=self.member_id, public_id=public_id)
        response = file_response(request, content.asset, name=content.name)
        if request.method == "GET" and gives_bytes(response):
            note_access(
                document_id=content.document_id,
                user_id=self.identity.user_id,
                is_staff=self.identity.is_staff,
                kind=AccessKind.DOWNLOAD,
                now=clock.now(),
            )
        return response


class DocumentLinkView(HouseholdView):
    @extend_schema(
        operation_id="documents_link",
        examples=[examples.LINK_REQUEST, examples.LINK],
        request=LinkRequestSerializer,
        responses=LinkSerializer,
        tags=TAGS,
        summary="A signed link for a viewer that cannot send a header",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        seconds = self.body(LinkRequestSerializer)["seconds"]
        link = make_link(
            document=self.get_document(public_id),
            identity=self.identity,
            lifetime=timedelta(seconds=seconds),
            content_path=reverse("document-content", args=(public_id,)),
            now=clock.now(),
        )
        shown = {
            "url": request.build_absolute_uri(link.path),
            "expires_at": link.expires_at,
            "checked_by": link.checked_by,
        }
        return Response(LinkSerializer(shown).data)
