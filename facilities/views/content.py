"""Club content: seven kinds of one shape, read by members and written by staff."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from bcc.core import clock
from bcc.core.errors import NotFoundError
from bcc.core.rest.paging import KeysetPagination
from facilities import services
from facilities.models import Announcement, ClubRule, Contact, Content, Event, Faq, Outlet, Promo
from facilities.selectors.club import content_for
from facilities.serializers import content as shapes
from facilities.views.base import ChangingView, ClubView, created


class ContentListView(ClubView, ListModelMixin, GenericAPIView[Any]):
    """What the member may read now; staff who edit it see drafts too."""

    model: ClassVar[type[Content]]
    keyset: ClassVar[tuple[str, ...]] = ("position", "pk")
    query_serializer = shapes.ContentQuery
    pagination_class = KeysetPagination
    idempotent = ("POST",)

    def get(self, request: Request) -> Response:
        return self.list(request)

    def post(self, request: Request) -> Any:
        def make() -> Any:
            serializer = self.get_serializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            row = services.save_content(instance=self.model(), values=serializer.validated_data)
            return self.get_serializer(row)

        return created(self, f"facilities.{self.model._meta.model_name}.create", make)

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        rows = content_for(self.identity, self.model, at=clock.now())
        return self.narrowed(rows, **self.query)

    def narrowed(self, rows: QuerySet[Any], **query: Any) -> QuerySet[Any]:
        """``rows`` by the parameters of the query; here each is a column."""
        return rows.filter(**query)


class ContentDetailView(ChangingView, GenericAPIView[Any]):
    """One piece of content."""

    model: ClassVar[type[Content]]
    lookup_field = "public_id"
    if_match = ("PATCH", "DELETE")

    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(self.shown(self.find()))

    def patch(self, request: Request, public_id: UUID) -> Response:
        def change(row: Content) -> None:
            serializer = self.get_serializer(row, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            services.save_content(instance=row, values=serializer.validated_data)

        return self.changed(change)

    def delete(self, request: Request, public_id: UUID) -> Response:
        return self.deleted()

    def find(self) -> Content:
        row = self.get_queryset().filter(public_id=self.kwargs["public_id"]).first()
        if row is None:
            raise NotFoundError
        found: Content = row
        return found

    def shown(self, row: Content) -> Any:
        return self.get_serializer(row).data

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return content_for(self.identity, self.model, at=clock.now())


def _list(name: str, one: str) -> Any:
    def described(view: type[ContentListView]) -> Any:
        return extend_schema_view(
            get=extend_schema(operation_id=f"{name}_list", tags=["club"], summary=f"The club's {name}"),
            post=extend_schema(
                operation_id=f"{name}_create",
                tags=["club"],
                summary=f"Staff add {one}",
                responses={status.HTTP_201_CREATED: view.serializer_class},
            ),
        )(view)

    return described


def _detail(name: str, one: str) -> Any:
    return extend_schema_view(
        get=extend_schema(operation_id=f"{name}_get", tags=["club"], summary=f"Read {one}"),
        patch=extend_schema(operation_id=f"{name}_change", tags=["club"], summary=f"Staff change {one}"),
        delete=extend_schema(
            operation_id=f"{name}_delete",
            tags=["club"],
            summary=f"Staff delete {one}",
            responses={status.HTTP_204_NO_CONTENT: OpenApiResponse(description="It is gone.")},
        ),
    )


@_list("announcements", "an announcement")
class AnnouncementListView(ContentListView):
    """Announcements: the pinned first, then the newest."""

    model = Announcement
    serializer_class = shapes.AnnouncementSerializer
    query_serializer = shapes.AnnouncementQuery
    keyset = ("-is_pinned", "-pk")


@_detail("announcements", "an announcement")
class AnnouncementView(ContentDetailView):
    """An announcement."""

    model = Announcement
    serializer_class = shapes.AnnouncementSerializer


@_list("events", "an event")
class EventListView(ContentListView):
    """Events by their start."""

    model = Event
    serializer_class = shapes.EventSerializer
    query_serializer = shapes.EventQuery
    keyset = ("starts_at", "pk")

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("facility")

    def narrowed(
        self, rows: QuerySet[Any], *, when: str | None = None, facility: UUID | None = None, **query: Any
    ) -> QuerySet[Any]:
        if when == "upcoming":
            rows = rows.filter(ends_at__gt=clock.now())
        elif when == "past":
            rows = rows.filter(ends_at__lte=clock.now())
        if facility is not None:
            rows = rows.filter(facility__public_id=facility)
        return super().narrowed(rows, **query)


@_detail("events", "an event")
class EventView(ContentDetailView):
    """An event."""

    model = Event
    serializer_class = shapes.EventSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("facility")


@_list("contacts", "a contact")
class ContactListView(ContentListView):
    """Departments and people to call or write to, by position."""

    model = Contact
    serializer_class = shapes.ContactSerializer
    query_serializer = shapes.ContactQuery


@_detail("contacts", "a contact")
class ContactView(ContentDetailView):
    """A contact."""

    model = Contact
    serializer_class = shapes.ContactSerializer


@_list("faqs", "a question and its answer")
class FaqListView(ContentListView):
    """Questions that are often asked, and their answers, by position."""

    model = Faq
    serializer_class = shapes.FaqSerializer
    query_serializer = shapes.FaqQuery


@_detail("faqs", "a question and its answer")
class FaqView(ContentDetailView):
    """A question and its answer."""

    model = Faq
    serializer_class = shapes.FaqSerializer


@_list("rules", "a rule of the club")
class ClubRuleListView(ContentListView):
    """The rules of the club, by position."""

    model = ClubRule
    serializer_class = shapes.ClubRuleSerializer
    query_serializer = shapes.ClubRuleQuery


@_detail("rules", "a rule of the club")
class ClubRuleView(ContentDetailView):
    """A rule of the club."""

    model = ClubRule
    serializer_class = shapes.ClubRuleSerializer


@_list("outlets", "a dining outlet")
class OutletListView(ContentListView):
    """Where to eat and drink, by position."""

    model = Outlet
    serializer_class = shapes.OutletSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("facility")


@_detail("outlets", "a dining outlet")
class OutletView(ContentDetailView):
    """A dining outlet and its menu."""

    model = Outlet
    serializer_class = shapes.OutletSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("facility")


@_list("promos", "a promo")
class PromoListView(ContentListView):
    """What is offered for a while, by position."""

    model = Promo
    serializer_class = shapes.PromoSerializer


@_detail("promos", "a promo")
class PromoView(ContentDetailView):
    """A promo."""

    model = Promo
    serializer_class = shapes.PromoSerializer
