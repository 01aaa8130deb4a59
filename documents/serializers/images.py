"""Images as the app reads them, and what it sends."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from bcc.core.rest.fields import CharField, StrictQuerySerializer, StrictSerializer, UUIDField
from documents.imaging.plan import SUFFIXES
from documents.models import Image, ImagePurpose, ImageVariant

# So much of the hash of a variant's bytes stands in its address.
VERSION_LENGTH = 12

EXAMPLE: dict[str, Any] = {
    "id": "4d6f0a52-0e1c-4f7b-9a55-7c1de9f0b6a1",
    "alt": "The eighteenth green at dusk.",
    "width": 4032,
    "height": 3024,
    "placeholder": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    "colour": "#5d7a4e",
    "variants": [
        {
            "name": "small",
            "media_type": "image/webp",
            "width": 400,
            "height": 300,
            "bytes": 21804,
            "url": "/api/v1/images/4d6f0a52-0e1c-4f7b-9a55-7c1de9f0b6a1/small.webp?v=1f0c9a52d3ab",
        }
    ],
}


def version_of(variant: ImageVariant) -> str:
    """What changes with the bytes; an address that has it never changes what it gives."""
    return variant.asset.sha256[:VERSION_LENGTH]


def address_of(image: Image, variant: ImageVariant) -> str:
    """Where the bytes of a variant are, from the root of the server."""
    name = f"{variant.name}.{SUFFIXES[variant.media_type]}"
    path = reverse("image-variant", kwargs={"public_id": image.public_id, "variant": name})
    return f"{path}?v={version_of(variant)}"


class ImageVariantSerializer(serializers.Serializer[ImageVariant]):
    """One form of an image: upright, in sRGB, without anything that the sender's phone wrote into it."""

    name = serializers.CharField(help_text="`thumb` (square), `small`, `medium` or `large`.")
    media_type = serializers.CharField(help_text="`image/webp`, or `image/avif` where that is smaller.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField(source="asset.size")
    url = serializers.SerializerMethodField(
        help_text="From the root of the server. It changes with the bytes, so what it gives can be kept."
    )

    @extend_schema_field(OpenApiTypes.STR)
    def get_url(self, variant: ImageVariant) -> str:
        return address_of(self.context["image"], variant)


@extend_schema_serializer(examples=[OpenApiExample("A picture", EXAMPLE, response_only=True)])
class ImageSerializer(serializers.Serializer[Image]):
    """A picture. Show `colour` or `placeholder` until a variant is there."""

    id = serializers.UUIDField(source="public_id")
    alt = serializers.CharField(help_text="What it shows, for who cannot see it; may be empty.")
    width = serializers.IntegerField(help_text="Of the original, upright.")
    height = serializers.IntegerField()
    placeholder = serializers.CharField(help_text="A BlurHash.")
    colour = serializers.CharField(help_text="The mean colour, as `#rrggbb`.")
    variants = serializers.SerializerMethodField(
        help_text="From small to large. Of a small picture several have the same size; none is enlarged."
    )

    @extend_schema_field(ImageVariantSerializer(many=True))
    def get_variants(self, image: Image) -> Any:
        rows = sorted(image.variants.all(), key=lambda one: (one.width, one.height, one.media_type, one.pk))
        return [ImageVariantSerializer(one, context={"image": image}).data for one in rows]


class ImageUploadSerializer(StrictSerializer):
    """A picture as it is on the phone: JPEG, PNG, WebP, AVIF or HEIC, at most 25 MB."""

    file = serializers.FileField(
        allow_empty_file=True,  # the decoder's refusal says more
        help_text=_("The bytes of the picture. Its name and type are not believed."),
    )
    purpose = serializers.ChoiceField(
        ImagePurpose.choices,
        help_text=_(
            "`member_photo` for `PUT me/photo`; `chat` to attach to a message; `club` for what staff show."
        ),
    )
    alt = CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text=_("What it shows.")
    )


class VariantQuery(StrictQuerySerializer):
    v = CharField(
        required=False,
        max_length=VERSION_LENGTH,
        help_text=_("As in the `url` of the variant: what it gives then may be kept for a year."),
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("One that was sent", {"image": EXAMPLE["id"]}, request_only=True),
    ]
)
class PhotoRequestSerializer(StrictSerializer):
    """Which image is one's photo."""

    image = UUIDField(help_text=_("One that you sent with the purpose `member_photo`."))


class HouseholdPhotoSerializer(serializers.Serializer[Any]):
    """The photo of somebody in the household."""

    member = serializers.UUIDField(source="member.public_id")
    image = ImageSerializer()


_MEMBER = "9a1f6c9e-2a3f-4e6b-8d57-2f60e5a9a0b3"


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One's own, and the household's",
            {"image": EXAMPLE, "household": [{"member": _MEMBER, "image": EXAMPLE}]},
            response_only=True,
        )
    ]
)
class PhotoSerializer(serializers.Serializer[Any]):
    """One's own photo, and those of the household. Photos are seen by the household and by staff."""

    image = ImageSerializer(allow_null=True, help_text="Null without one.")
    household = HouseholdPhotoSerializer(many=True, help_text="Everybody's who has one, oneself too.")
