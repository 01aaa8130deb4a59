"""What the composition root's own routes answer."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.serializers.me import CategorySerializer
from bcc.core.rest.fields import AwareDateTimeField, CharField, StrictQuerySerializer, WallTimeField
from facilities.models import Facility
from facilities.serializers.content import AnnouncementSerializer
from facilities.serializers.facility import FacilitySerializer


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Eight in the morning",
            {
                "server_time": "2026-06-01T00:00:00Z",
                "local_time": "2026-06-01T08:00:00+08:00",
                "time_zone": "Asia/Manila",
            },
            response_only=True,
        )
    ]
)
class TimeSerializer(serializers.Serializer[Any]):
    """The club's time."""

    server_time = AwareDateTimeField(help_text="Now, in UTC.")
    local_time = serializers.CharField(help_text="Now at the club, ISO 8601 with the offset.")
    time_zone = serializers.CharField(help_text="The club's zone, by its IANA name.")


class BootstrapQuery(StrictQuerySerializer):
    since = CharField(
        required=False, max_length=64, help_text=_("The version that the app has; it then gets no data.")
    )


class ClubSerializer(serializers.Serializer[Any]):
    """Who the club is."""

    name = serializers.CharField()
    colour = serializers.CharField(help_text="Its first colour, as `#rrggbb`.")
    currency = serializers.CharField(help_text="ISO 4217; all amounts are in it.")
    time_zone = serializers.CharField(help_text="The zone of its calendar, by its IANA name.")
    week_start = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday.")
    email = serializers.CharField(help_text="Where members write to.")
    phone_region = serializers.CharField(help_text="Where a telephone number without a country is.")


class MaintenanceSerializer(serializers.Serializer[Any]):
    """Closed for a while: every other route answers 503 `maintenance`, but for `time`."""

    message = serializers.CharField(help_text="For members to read.")
    until = AwareDateTimeField(allow_null=True, help_text="When it should be over, if somebody said.")


class KindSerializer(serializers.Serializer[Any]):
    """A kind of facility that the club has."""

    code = serializers.CharField(help_text="As in `kind` of a facility.")
    name = serializers.CharField(help_text="For a person to read.")


class BookingTermsSerializer(serializers.Serializer[Any]):
    """The terms in short, for this reader today; `facilities/{id}/policy` says all in sentences."""

    policy = serializers.CharField(source="name")
    open_days_ahead = serializers.IntegerField(help_text="How far ahead a day can be booked.")
    release_time = WallTimeField(help_text="When a day opens, at the club.")
    slot_minutes = serializers.IntegerField()
    min_slots = serializers.IntegerField()
    max_slots = serializers.IntegerField(help_text="Slots, or nights, in one booking.")
    party_min = serializers.IntegerField()
    party_max = serializers.IntegerField()
    guests_max = serializers.IntegerField(allow_null=True, help_text="Null: as many as the party holds.")
    approval_required = serializers.BooleanField()


class StartFacilitySerializer(FacilitySerializer):
    """A facility as in the list, and how it is booked; the context has the ``terms`` by its key."""

    booking = serializers.SerializerMethodField(
        help_text="Null for what this reader cannot book in the app today."
    )

    @extend_schema_field(BookingTermsSerializer(allow_null=True))
    def get_booking(self, facility: Facility) -> Any:
        terms = self.context["terms"].get(facility.pk)
        return None if terms is None else BookingTermsSerializer(terms).data


class BootstrapDataSerializer(serializers.Serializer[Any]):
    """What the app keeps. Without a sign-in: the club, and what it tells everyone."""

    club = ClubSerializer()
    announcements = AnnouncementSerializer(
        many=True, read_only=True, help_text="At most twenty, the pinned first, then the newest."
    )
    kinds = KindSerializer(many=True, help_text="Those of `facilities`, in their order.")
    areas = serializers.ListField(
        child=serializers.CharField(), help_text="The headings of `facilities`, in their order."
    )
    facilities = StartFacilitySerializer(many=True, help_text="All that this reader is shown, in order.")
    categories = CategorySerializer(many=True, help_text="Membership categories by rank.")


_ANSWER: dict[str, Any] = {
    "server_time": "2026-11-25T04:30:00Z",
    "minimum_app_version": "1.0.0",
    "maintenance": None,
    "version": "9b1c6f0d1e5a4c7f8a2b3c4d5e6f7081",
}
_CLUB: dict[str, Any] = {
    "name": "Example Country Club",
    "colour": "#1f5c3f",
    "currency": "PHP",
    "time_zone": "Asia/Manila",
    "week_start": 0,
    "email": "club@example.com",
    "phone_region": "PH",
}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Before sign-in",
            {
                **_ANSWER,
                "data": {
                    "club": _CLUB,
                    "announcements": [],
                    "kinds": [],
                    "areas": [],
                    "facilities": [],
                    "categories": [],
                },
            },
            response_only=True,
        ),
        OpenApiExample("Nothing new since that version", _ANSWER, response_only=True),
    ]
)
class BootstrapSerializer(serializers.Serializer[Any]):
    """What the app needs at start."""

    server_time = AwareDateTimeField(help_text="Now, in UTC.")
    minimum_app_version = serializers.CharField(
        help_text="An app below it gets 426 `app_too_old` everywhere else."
    )
    maintenance = MaintenanceSerializer(allow_null=True, help_text="Null while the club is open.")
    version = serializers.CharField(
        allow_null=True, help_text="Of `data`, for this reader; send it as `since`. Null in maintenance."
    )
    data = BootstrapDataSerializer(  # type: ignore[assignment]  # a declared field; the property stays
        required=False, help_text="Left out when `since` is the present version, and in maintenance."
    )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """``instance`` is a ``Bootstrap``, whose data are shown already: the version is of them."""
        head = ("server_time", "minimum_app_version", "maintenance", "version")
        shown = {}
        for name in head:
            value = getattr(instance, name)
            shown[name] = None if value is None else self.fields[name].to_representation(value)
        if instance.data is not None:
            shown["data"] = instance.data
        return shown
