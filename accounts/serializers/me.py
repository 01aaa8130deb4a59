"""One's own account, as the app reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Channel, Device, Member, Notification, Relation, Standing
from accounts.services.messages import find_kind, render
from bcc.core.rest.fields import (
    AwareDateTimeField,
    BooleanField,
    CharField,
    StrictQuerySerializer,
    StrictSerializer,
)


class CategorySerializer(serializers.Serializer[Any]):
    """A membership category."""

    code = serializers.CharField()
    name = serializers.CharField()


class MembershipSerializer(serializers.Serializer[Any]):
    """A household, as its people see it."""

    id = serializers.UUIDField(source="public_id")
    account_no = serializers.CharField()
    category = CategorySerializer()
    standing = serializers.ChoiceField(choices=Standing.choices)
    valid_to = serializers.DateField(allow_null=True, help_text="The last day, if there is one.")


class HouseholdMemberSerializer(serializers.Serializer[Member]):
    """A member of a household."""

    id = serializers.UUIDField(source="public_id")
    member_no = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    relation = serializers.ChoiceField(choices=Relation.choices)
    birth_date = serializers.DateField(allow_null=True)
    can_book = serializers.BooleanField()
    can_view_statements = serializers.BooleanField()


class PreferenceSerializer(serializers.Serializer[Any]):
    """Whether one kind of message goes by one channel."""

    kind = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # a declared field; the property stays
        help_text="For a person to read."
    )
    channel = serializers.ChoiceField(choices=Channel.choices)
    is_wanted = serializers.BooleanField()
    may_change = serializers.BooleanField(help_text="False for security notices and the list in the app.")


class MeSerializer(serializers.Serializer[Any]):
    """Who is signed in. `member` is null for staff who are no member."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    email = serializers.CharField(help_text="Empty if the club has none.")
    mobile = serializers.CharField(help_text="E.164; empty if the club has none.")
    is_staff = serializers.BooleanField()
    permissions = serializers.ListField(child=serializers.CharField(), help_text="Of staff; else empty.")
    member = HouseholdMemberSerializer(allow_null=True)
    membership = MembershipSerializer(allow_null=True)
    channel_preferences = PreferenceSerializer(many=True)


class HouseholdSerializer(serializers.Serializer[Any]):
    """A membership and those of its people whom the caller sees."""

    membership = MembershipSerializer()
    members = HouseholdMemberSerializer(many=True)


class ChoiceSerializer(StrictSerializer):
    """One choice of a member. An entry of `channel_preferences` with `is_wanted` as it shall be."""

    kind = CharField(max_length=64)
    channel = serializers.ChoiceField(choices=Channel.choices)
    is_wanted = BooleanField()

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            known = find_kind(attrs["kind"]).may_choose(Channel(attrs["channel"]))
        except KeyError:
            known = False
        if not known:
            detail = _("This cannot be chosen. Choose among those with may_change.")
            raise serializers.ValidationError({"kind": detail}, code="not_yours_to_choose")
        return attrs


class MePatchSerializer(StrictSerializer):
    """What one may change of one's account here: which messages come by which channel."""

    channel_preferences = serializers.ListField(child=ChoiceSerializer(), required=False, max_length=100)


class DeviceSerializer(serializers.Serializer[Device]):
    """A device that is signed in or was, and is trusted."""

    id = serializers.UUIDField(source="public_id")
    platform = serializers.ChoiceField(choices=Device.Platform.choices)
    name = serializers.CharField()
    app_version = serializers.CharField()
    trusted_at = AwareDateTimeField()
    last_seen_at = AwareDateTimeField()
    is_current = serializers.BooleanField(help_text="Whether this request comes from it.")


class CurrentDeviceSerializer(StrictSerializer):
    """What the app says of its device now. A push token leaves any other device that had it."""

    platform = serializers.ChoiceField(choices=Device.Platform.choices)
    name = CharField(max_length=80, allow_blank=True, default="")
    app_version = CharField(max_length=32, allow_blank=True, default="")
    push_token = CharField(
        max_length=255, allow_blank=True, required=False, help_text="Empty to stop; left out to leave it."
    )


class NotificationQuerySerializer(StrictQuerySerializer):
    """Which notifications."""

    unread = BooleanField(required=False, help_text="`true` for those not read yet.")


class NotificationSerializer(serializers.Serializer[Notification]):
    """A message in the app."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    link = serializers.CharField(help_text="Where in the app it leads; may be empty.")
    created_at = AwareDateTimeField(source="sent_at")
    read_at = AwareDateTimeField(allow_null=True)

    def to_representation(self, instance: Notification) -> dict[str, Any]:
        title, body = _words(instance)
        return {
            "id": str(instance.public_id),
            "kind": instance.kind,
            "title": title,
            "body": body,
            "link": instance.link,
            "created_at": instance.sent_at,
            "read_at": instance.read_at,
        }


def _words(row: Notification) -> tuple[str, str]:
    """The text of now; empty for a kind that went with its app."""
    try:
        kind = find_kind(row.kind)
    except KeyError:
        return "", ""
    return render(kind, Channel.IN_APP, row.context)
