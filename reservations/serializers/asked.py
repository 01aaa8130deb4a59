"""What the app sends."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bcc.core.rest.fields import (
    AwareDateTimeField,
    CharField,
    IntegerField,
    StrictDateField,
    StrictQuerySerializer,
    StrictSerializer,
    UUIDField,
)
from reservations.models import Guest
from reservations.policies.states import State
from reservations.services.booking import Companion, Wish

LARGEST_PARTY: Final = 500


class CompanionSerializer(StrictSerializer):
    """One of ``member``, ``guest`` (of the guest list) or ``guest_name`` (somebody new)."""

    member = UUIDField(required=False, help_text="Public id of a member.")
    guest = UUIDField(required=False, help_text="Public id of a guest on the household's list.")
    guest_name = CharField(required=False, max_length=120, help_text="Name of a guest who is new.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                _("Give one of member, guest and guest_name for each person."), code="one_of"
            )
        return attrs


class WishSerializer(StrictSerializer):
    """What to book. ``party`` counts everyone, the member included."""

    facility = UUIDField(help_text="Public id of the facility.")
    starts_at = AwareDateTimeField(help_text="Start, as availability gives it.")
    ends_at = AwareDateTimeField(help_text="End: whole slots, or check-out on the day of departure.")
    party = IntegerField(min_value=1, max_value=LARGEST_PARTY, default=1)
    participants = CompanionSerializer(
        many=True,
        required=False,
        help_text="The others; who is missing is to be named.",
    )
    notes = CharField(required=False, default="", allow_blank=True, max_length=500)

    def wish(self) -> Wish:
        """The validated data as the services take it."""
        data = self.validated_data
        companions = data.get("participants")
        return Wish(
            facility=data["facility"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            party=data["party"],
            companions=None if companions is None else tuple(Companion(**one) for one in companions),
            notes=data["notes"],
        )


class CancelSerializer(StrictSerializer):
    reason = CharField(required=False, default="", allow_blank=True, max_length=300)


class RescheduleSerializer(StrictSerializer):
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()


class CheckInSerializer(StrictSerializer):
    code = CharField(max_length=8, help_text="The code that hangs at the venue today.")


class ParticipantsSerializer(StrictSerializer):
    participants = CompanionSerializer(many=True)


class GuestSerializer(StrictSerializer):
    """A guest to put on the list; the caller is the host."""

    name = CharField(max_length=120)
    guest_class = serializers.ChoiceField(
        choices=Guest.GuestClass.choices, default=Guest.GuestClass.ACCOMPANIED
    )
    valid_from = StrictDateField(required=False, allow_null=True, default=None)
    valid_until = StrictDateField(required=False, allow_null=True, default=None)
    letter_of_introduction = CharField(required=False, default="", allow_blank=True, max_length=120)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs["valid_from"], attrs["valid_until"]
        if first and last and last < first:
            raise serializers.ValidationError(
                {"valid_until": [_("It must not be before the start. Correct one of the two.")]},
                code="not_after_start",
            )
        return attrs


class AvailabilityQuerySerializer(StrictQuerySerializer):
    """``from`` and ``to`` are the club's calendar dates, both inclusive, at most 31 days apart."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a keyword of Python, so the fields cannot be attributes of the class.
        return {
            "from": StrictDateField(required=False, help_text="First day; today unless given."),
            "to": StrictDateField(
                required=False, help_text="Last day; six days after the first unless given."
            ),
            "party": IntegerField(
                required=False,
                min_value=1,
                max_value=LARGEST_PARTY,
                help_text="The policy's smallest unless given.",
            ),
        }


class ReservationQuerySerializer(StrictQuerySerializer):
    when = serializers.ChoiceField(
        choices=["upcoming", "past"],
        required=False,
        help_text="Not ended yet, soonest first; or ended, latest first.",
    )
    state = serializers.ChoiceField(choices=[state.value for state in State], required=False)
