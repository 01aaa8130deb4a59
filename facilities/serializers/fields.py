"""Other rows by the names that the app knows them by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import MembershipCategory
from bcc.core.rest.fields import CharField
from documents.models import Image, ImagePurpose
from documents.serializers.images import ImageSerializer
from facilities.models import Facility

MOST_CATEGORIES = 50


class CategoriesField(serializers.ListField):
    """Membership categories by their codes; one query however many are named."""

    child = CharField(max_length=50)
    default_error_messages = {"unknown_category": _("There is no category “{code}”. See the codes in use.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_CATEGORIES, **kwargs)

    def to_internal_value(self, data: Any) -> list[MembershipCategory]:
        codes = set(super().to_internal_value(data))
        found = {row.code: row for row in MembershipCategory.objects.filter(code__in=codes)}
        for code in sorted(codes - found.keys()):
            self.fail("unknown_category", code=code)
        return [found[code] for code in sorted(codes)]

    def to_representation(self, data: Any) -> list[str]:
        return [category.code for category in data.all()]


class ClubImageField(serializers.UUIDField):
    """A picture of the club: its public id when it is written, all that the app needs when it is read."""

    default_error_messages = {
        "unknown_image": _("There is no such picture of the club. Send it with POST images, or leave it out.")
    }

    def to_internal_value(self, data: Any) -> Image:  # type: ignore[override]  # the row for its id
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        public_id: UUID = super().to_internal_value(data)
        image = Image.objects.filter(public_id=public_id, purpose=ImagePurpose.CLUB).first()
        if image is None:
            self.fail("unknown_image")
        return image

    def to_representation(self, value: Any) -> Any:
        return ImageSerializer(value).data


class ClubImageFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # no types
    """Says in the document that the two directions differ."""

    target_class = ClubImageField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        if direction == "request":
            return {"type": "string", "format": "uuid"}
        return auto_schema.resolve_serializer(ImageSerializer, direction).ref


@extend_schema_field(serializers.UUIDField(allow_null=True))
class FacilityField(serializers.UUIDField):
    """A facility by its public id."""

    default_error_messages = {"unknown_facility": _("There is no such facility. Leave it out or correct it.")}

    def to_internal_value(self, data: Any) -> Facility:  # type: ignore[override]  # the row for its id
        public_id: UUID = super().to_internal_value(data)
        facility = Facility.objects.filter(public_id=public_id).first()
        if facility is None:
            self.fail("unknown_facility")
        return facility

    def to_representation(self, value: Any) -> str:
        return str(value.public_id)
