"""What the app is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bcc.core.rest.fields import AwareDateTimeField, CurrencyField, MoneyField
from reservations.models import Guest, Participant, Reservation, ReservationEvent, Type
from reservations.policies.states import State

STATES = [(state.value, state.value) for state in State]
SLOT_STATES = [(state, state) for state in ("free", "taken", "closed", "refused")]


class FacilityNameSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    kind = serializers.CharField()


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    member_no = serializers.CharField()
    name = serializers.CharField(source="full_name")


class ParticipantSerializer(serializers.Serializer[Any]):
    """``id`` is of the member or the guest; null for a place still to be named."""

    kind = serializers.ChoiceField(choices=Participant.Kind.choices)
    id = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_id(self, row: Participant) -> str | None:
        person = row.member or row.guest
        return str(person.public_id) if person else None

    def get_name(self, row: Participant) -> str:
        if row.member:
            return row.member.full_name
        return row.guest.name if row.guest else ""


class ReservationSerializer(serializers.Serializer[Any]):
    """One line of a list. ``expires_at`` is the deadline of the present state, if it has one."""

    id = serializers.UUIDField(source="public_id")
    reference = serializers.SerializerMethodField()
    facility = FacilityNameSerializer()
    member = PersonSerializer(allow_null=True)
    type = serializers.ChoiceField(choices=Type.choices)
    state = serializers.ChoiceField(choices=STATES)
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    expires_at = AwareDateTimeField(allow_null=True)
    party = serializers.IntegerField()
    guests = serializers.IntegerField(source="guest_count")
    nights = serializers.IntegerField()
    room_no = serializers.CharField()
    notes = serializers.CharField()
    reschedules = serializers.IntegerField()
    version = serializers.IntegerField()
    created_at = AwareDateTimeField()

    def get_reference(self, row: Reservation) -> str:
        return str(row.public_id)[:8]


class ReservationDetailSerializer(ReservationSerializer):
    """The whole: with its people, and until when it can be given back without cost."""

    participants = ParticipantSerializer(many=True)
    cancel_free_until = serializers.SerializerMethodField()

    @extend_schema_field(AwareDateTimeField(allow_null=True))
    def get_cancel_free_until(self, row: Reservation) -> str | None:
        version = row.policy_version
        if version is None or not row.occupies:
            return None
        cutoff = timedelta(minutes=version.cancellation_cutoff_minutes)
        return AwareDateTimeField().to_representation(row.starts_at - cutoff)


class ReservationEventSerializer(serializers.Serializer[Any]):
    """One line of the history."""

    action = serializers.ChoiceField(choices=ReservationEvent.Action.choices)
    from_state = serializers.CharField()
    to_state = serializers.ChoiceField(choices=STATES)
    actor = serializers.CharField(source="actor_name")
    actor_kind = serializers.ChoiceField(choices=["member", "staff", "system"])
    reason = serializers.CharField()
    at = AwareDateTimeField()


class RuleFailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    limit = serializers.IntegerField(allow_null=True)
    current = serializers.IntegerField(allow_null=True)
    retry_at = AwareDateTimeField(allow_null=True)


class SlotSerializer(serializers.Serializer[Any]):
    """``left`` is how many more bookings fit (people, where each takes a place)."""

    starts_at = AwareDateTimeField(source="interval.starts_at")
    ends_at = AwareDateTimeField(source="interval.ends_at")
    state = serializers.ChoiceField(choices=SLOT_STATES)
    left = serializers.IntegerField()
    reasons = RuleFailureSerializer(many=True)


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField(source="on")
    slots = SlotSerializer(many=True)


class AvailabilitySerializer(serializers.Serializer[Any]):
    """``rulebook`` is the number of the club's rules that this was judged by."""

    facility = FacilityNameSerializer()
    rulebook = serializers.IntegerField()
    days = DaySerializer(many=True)


class QuoteSerializer(serializers.Serializer[Any]):
    """What a booking would be. ``expires_at`` is the first deadline it would have."""

    facility = FacilityNameSerializer()
    starts_at = AwareDateTimeField(source="interval.starts_at")
    ends_at = AwareDateTimeField(source="interval.ends_at")
    party = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    expires_at = AwareDateTimeField(allow_null=True)
    estimate = MoneyField(
        max_digits=14, allow_null=True, help_text="By the club's rates; nothing is charged here."
    )
    currency = CurrencyField()
    terms = serializers.ListField(child=serializers.CharField(), help_text="The policy in plain language.")


class ShownGuestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    guest_class = serializers.ChoiceField(choices=Guest.GuestClass.choices)
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    letter_of_introduction = serializers.CharField()
    host = PersonSerializer()


class HoldSerializer(serializers.Serializer[Any]):
    scope = serializers.CharField()
    cause = serializers.CharField(source="source", help_text="delinquency, strikes or manual.")
    reason = serializers.CharField()
    until = AwareDateTimeField()


class StrikeSerializer(serializers.Serializer[Any]):
    reservation = serializers.UUIDField(source="reservation.public_id")
    reason = serializers.CharField()
    at = AwareDateTimeField()


class QuotaLeftSerializer(serializers.Serializer[Any]):
    """``limit``, ``used`` and ``left`` in the unit of ``measure``; ``until`` ends the period."""

    name = serializers.CharField(source="quota.name")
    measure = serializers.CharField(source="quota.measure")
    period = serializers.CharField(source="quota.period")
    per = serializers.SerializerMethodField()
    limit = serializers.IntegerField(source="quota.limit")
    used = serializers.IntegerField()
    left = serializers.IntegerField()
    until = serializers.DateField(allow_null=True)

    @extend_schema_field({"type": "string", "enum": ["member", "household"]})
    def get_per(self, row: Any) -> str:
        return "household" if row.quota.per_household else "member"


class PrivilegesSerializer(serializers.Serializer[Any]):
    standing = serializers.CharField()
    can_book = serializers.BooleanField()
    holds = HoldSerializer(many=True)
    strikes = StrikeSerializer(many=True)
    quotas = QuotaLeftSerializer(many=True)
