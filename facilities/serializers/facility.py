"""Facilities, their hours, rules and rates, as the app reads them; and what staff change of them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from bcc.core.rest.fields import (
    AwareDateTimeField,
    CharField,
    CurrencyField,
    MoneyField,
    StrictDateField,
    StrictModelSerializer,
    StrictQuerySerializer,
    WallTimeField,
)
from documents.serializers.images import EXAMPLE as IMAGE_EXAMPLE
from documents.serializers.images import ImageSerializer
from facilities.models import Facility, Kind, Publishing, Rate, Takes
from facilities.policies.plain_language import TOPICS
from facilities.selectors.policies import stay_of
from facilities.services.club import DESCRIBES

_FACILITY: dict[str, Any] = {
    "id": "0f4a7c1e-6f0f-4f1f-8a63-0d8f3a0b7c21",
    "code": "tennis-1",
    "name": "Tennis Court 1",
    "kind": "court",
    "takes": "booking",
    "area": "Sports",
    "description": "Hard court, lit until closing.",
    "terms": "Non-marking shoes.",
    "location": "Behind the club house",
    "position": 10,
    "state": "published",
    "publish_from": None,
    "publish_until": None,
    "stay": None,
    "images": [IMAGE_EXAMPLE],
}


class StaySerializer(serializers.Serializer[Any]):
    """The wall times of a night."""

    check_in = WallTimeField(help_text="In from then on.")
    check_out = WallTimeField(help_text="Out until then.")


@extend_schema_serializer(examples=[OpenApiExample("A court", _FACILITY, response_only=True)])
class FacilitySerializer(serializers.Serializer[Any]):
    """What can be booked."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField(help_text="Stable, for people and deep links.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    takes = serializers.ChoiceField(Takes.choices)
    area = serializers.CharField(help_text="The heading that it stands under.")
    description = serializers.CharField()
    terms = serializers.CharField(help_text="What the club says beside the rules of booking.")
    location = serializers.CharField()
    position = serializers.IntegerField(help_text="Lower stands first.")
    state = serializers.ChoiceField(Publishing.choices)
    publish_from = AwareDateTimeField(allow_null=True)
    publish_until = AwareDateTimeField(allow_null=True)
    stay = serializers.SerializerMethodField(help_text="Null for what is not booked by the night.")
    images = serializers.SerializerMethodField(help_text="The first stands for it in lists.")

    @extend_schema_field(StaySerializer(allow_null=True))
    def get_stay(self, facility: Facility) -> Any:
        stay = stay_of(facility)
        return None if stay is None else StaySerializer(stay).data

    @extend_schema_field(ImageSerializer(many=True))
    def get_images(self, facility: Facility) -> Any:
        return [ImageSerializer(row.image).data for row in facility.facility_images.all()]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new text",
            {"description": "Hard court, resurfaced.", "location": "Behind the club house"},
            request_only=True,
        )
    ]
)
class FacilityPatchSerializer(StrictModelSerializer):
    """What describes a facility; a field that is left out stays."""

    class Meta:
        model = Facility
        fields = tuple(sorted(DESCRIBES))
        validators: list[Any] = []


class IntervalSerializer(serializers.Serializer[Any]):
    """Half-open: the end is no longer in it."""

    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()


class DayHoursSerializer(serializers.Serializer[Any]):
    """Open by hours that begin on `date`; the last may end on the next day."""

    date = serializers.DateField(source="on")
    holiday = serializers.CharField(allow_null=True, help_text="The name of a confirmed holiday.")
    open = IntervalSerializer(many=True, source="intervals")


class ClosureSerializer(serializers.Serializer[Any]):
    """Not to be had, whatever the hours say."""

    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    reason = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two days",
            {
                "time_zone": "Asia/Manila",
                "days": [
                    {
                        "date": "2026-12-24",
                        "holiday": None,
                        "open": [{"starts_at": "2026-12-23T22:00:00Z", "ends_at": "2026-12-24T14:00:00Z"}],
                    },
                    {"date": "2026-12-25", "holiday": "Christmas Day", "open": []},
                ],
                "closures": [],
            },
            response_only=True,
        )
    ]
)
class HoursSerializer(serializers.Serializer[Any]):
    """Hours of each date asked for; closures are not taken out of them."""

    time_zone = serializers.CharField(help_text="The club's, in which the dates are counted.")
    days = DayHoursSerializer(many=True)
    closures = ClosureSerializer(many=True)


class SentenceSerializer(serializers.Serializer[Any]):
    """One sentence, under the heading of its topic."""

    topic = serializers.ChoiceField(TOPICS)
    text = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Tennis",
            {
                "name": "Tennis",
                "version": 3,
                "sentences": [
                    {"topic": "window", "text": "You may book up to 7 days ahead; a day opens at 07:00."},
                    {"topic": "length", "text": "A booking takes 1 hour."},
                ],
            },
            response_only=True,
        )
    ]
)
class PolicySerializer(serializers.Serializer[Any]):
    """The terms in plain language. `version` is what a booking made now would keep."""

    name = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    sentences = SentenceSerializer(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "For members in prime time",
            {
                "id": "a3f0a5e2-91a4-4f68-8d1a-5d2c0f6f9b44",
                "applies_to": "member",
                "category": None,
                "prime_time_only": True,
                "unit": "slot",
                "amount": "450.00",
                "currency": "PHP",
                "valid_from": None,
                "valid_until": None,
            },
            response_only=True,
        )
    ]
)
class RateSerializer(serializers.Serializer[Any]):
    """A price, shown only."""

    id = serializers.UUIDField(source="public_id")
    applies_to = serializers.ChoiceField(
        Rate.GuestClass.choices, source="guest_class", help_text="The member, or which guests of theirs."
    )
    category = serializers.CharField(
        source="category.code",
        allow_null=True,
        default=None,
        help_text="The code of the membership category that it is for; null for all.",
    )
    prime_time_only = serializers.BooleanField()
    unit = serializers.ChoiceField(Rate.Unit.choices)
    amount = MoneyField()
    currency = CurrencyField()
    valid_from = StrictDateField(allow_null=True)
    valid_until = StrictDateField(allow_null=True)


class FacilityQuery(StrictQuerySerializer):
    kind = serializers.ChoiceField(Kind.choices, required=False, help_text=_("Only of this kind."))
    area = CharField(required=False, max_length=80, help_text=_("Only under this heading."))


class HoursQuery(StrictQuerySerializer):
    """Both dates inclusive, at most 62 days."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a keyword of Python, so the fields cannot be attributes of the class.
        return {
            "from": StrictDateField(required=False, help_text=_("First day; today unless given.")),
            "to": StrictDateField(required=False, help_text=_("Last day; six days later unless given.")),
        }
