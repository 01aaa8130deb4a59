"""Club content, the same shape for reading and for staff who write it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from bcc.core.rest.fields import BooleanField, StrictModelSerializer, StrictQuerySerializer
from documents.serializers.images import EXAMPLE as IMAGE_EXAMPLE
from facilities.models import Announcement, ClubRule, Contact, Event, Faq, Outlet, Promo, Publishing
from facilities.serializers.fields import CategoriesField, ClubImageField, FacilityField

_COMMON = (
    "id",
    "title",
    "body",
    "state",
    "publish_from",
    "publish_until",
    "audience",
    "categories",
    "position",
    "updated_at",
)
_EXAMPLE: dict[str, Any] = {
    "id": "5f0c9a52-6d0e-4f0e-9d2a-3c2f2a1d7b10",
    "state": "published",
    "publish_from": "2026-11-20T00:00:00Z",
    "publish_until": None,
    "audience": "members",
    "categories": [],
    "position": 100,
    "updated_at": "2026-11-19T08:30:00Z",
}
_READ_ONLY = ("id", "updated_at")


def _example(*, image: dict[str, Any] | None = None, **fields: Any) -> list[OpenApiExample]:
    """One as it is read, and the same as staff write it."""
    shown = {**_EXAMPLE, **fields}
    written = {name: value for name, value in shown.items() if name not in _READ_ONLY}
    if image is not None:
        shown["image"], written["image"] = image, image["id"]
    return [
        OpenApiExample("As read", shown, response_only=True),
        OpenApiExample("As written", written, request_only=True),
    ]


class ContentSerializer(StrictModelSerializer):
    """What every piece of content has."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    categories = CategoriesField(
        required=False, help_text="Codes of the categories that see it, if `audience` is `categories`."
    )


class IllustratedSerializer(ContentSerializer):
    """And of what has a picture."""

    image = ClubImageField(
        allow_null=True,
        required=False,
        help_text="Written as the id of an image with the purpose `club`, read as the image.",
    )


class _Meta:
    fields: ClassVar[tuple[str, ...]] = _COMMON
    read_only_fields = ("updated_at",)
    validators: ClassVar[list[Any]] = []


@extend_schema_serializer(
    examples=_example(
        title="Course closed on Monday", body="The greens are cored.", is_pinned=True, image=IMAGE_EXAMPLE
    )
)
class AnnouncementSerializer(IllustratedSerializer):
    class Meta(_Meta):
        model = Announcement
        fields = (*_COMMON, "is_pinned", "image")


@extend_schema_serializer(
    examples=_example(
        image=IMAGE_EXAMPLE,
        title="Family day",
        body="Games on the lawn, lunch at noon.",
        starts_at="2026-12-05T01:00:00Z",
        ends_at="2026-12-05T08:00:00Z",
        location="Main lawn",
        facility=None,
    )
)
class EventSerializer(IllustratedSerializer):
    facility = FacilityField(allow_null=True, required=False)

    class Meta(_Meta):
        model = Event
        fields = (*_COMMON, "starts_at", "ends_at", "location", "facility", "image")


@extend_schema_serializer(
    examples=_example(
        title="Front desk",
        body="",
        department="Member services",
        phone="+63 2 5550 0100",
        email="desk@club.example",
        hours="Daily 06:00–21:00",
    )
)
class ContactSerializer(ContentSerializer):
    class Meta(_Meta):
        model = Contact
        fields = (*_COMMON, "department", "phone", "email", "hours")


@extend_schema_serializer(
    examples=_example(
        title="May I bring a guest?", body="Yes, see the terms of each facility.", topic="Guests"
    )
)
class FaqSerializer(ContentSerializer):
    class Meta(_Meta):
        model = Faq
        fields = (*_COMMON, "topic")


@extend_schema_serializer(
    examples=_example(title="Dress", body="Collared shirts on the course.", section="Golf")
)
class ClubRuleSerializer(ContentSerializer):
    class Meta(_Meta):
        model = ClubRule
        fields = (*_COMMON, "section")


@extend_schema_serializer(
    examples=_example(
        image=IMAGE_EXAMPLE,
        title="Terrace",
        body="Overlooks the eighteenth.",
        hours="Daily 07:00–22:00",
        phone="+63 2 5550 0120",
        menu="Breakfast until 10:30.",
        facility=None,
    )
)
class OutletSerializer(IllustratedSerializer):
    facility = FacilityField(allow_null=True, required=False)

    class Meta(_Meta):
        model = Outlet
        fields = (*_COMMON, "hours", "phone", "menu", "facility", "image")


@extend_schema_serializer(
    examples=_example(
        title="Weekday range balls", body="Two buckets for one.", code="RANGE2", image=IMAGE_EXAMPLE
    )
)
class PromoSerializer(IllustratedSerializer):
    class Meta(_Meta):
        model = Promo
        fields = (*_COMMON, "code", "image")


class ContentQuery(StrictQuerySerializer):
    """What every list of content can be asked for."""

    state = serializers.ChoiceField(
        Publishing.choices,
        required=False,
        help_text=_("Only those in this state; members see published ones."),
    )


class AnnouncementQuery(ContentQuery):
    is_pinned = BooleanField(required=False, help_text=_("Only pinned ones, or others."))


class EventQuery(ContentQuery):
    when = serializers.ChoiceField(
        ("upcoming", "past"), required=False, help_text=_("Those not over yet, or those that are.")
    )
    facility = serializers.UUIDField(required=False, help_text=_("Only those at this facility."))


class ContactQuery(ContentQuery):
    department = serializers.CharField(max_length=80, required=False, help_text=_("Only of this department."))


class FaqQuery(ContentQuery):
    topic = serializers.CharField(max_length=80, required=False, help_text=_("Only on this topic."))


class ClubRuleQuery(ContentQuery):
    section = serializers.CharField(max_length=80, required=False, help_text=_("Only of this section."))
