"""Privacy, as the app reads it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import DeletionRequest, RecordRead
from bcc.core.rest.fields import AwareDateTimeField, CharField, StrictSerializer


class NoticeSerializer(serializers.Serializer[Any]):
    """What members are told of their data."""

    version = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    published_at = AwareDateTimeField()


class DeletionSerializer(serializers.Serializer[DeletionRequest]):
    """A request to be forgotten, and what became of it."""

    id = serializers.UUIDField(source="public_id")
    state = serializers.ChoiceField(choices=DeletionRequest.State.choices)
    reason = serializers.CharField()
    requested_at = AwareDateTimeField()
    decided_at = AwareDateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="Why not, where it was declined.")


class PrivacySerializer(serializers.Serializer[Any]):
    """The notice in force, what the caller accepted, and the latest request to be forgotten."""

    notice = NoticeSerializer(allow_null=True)
    accepted_version = serializers.CharField(allow_null=True, help_text="Of the latest notice accepted.")
    accepted_at = AwareDateTimeField(allow_null=True)
    must_accept = serializers.BooleanField(help_text="Whether the notice in force was not accepted yet.")
    deletion_request = DeletionSerializer(allow_null=True)


class RecordReadSerializer(serializers.Serializer[RecordRead]):
    """That somebody of the staff looked at the caller's record."""

    what = serializers.ChoiceField(choices=RecordRead.What.choices)
    reader = serializers.CharField(source="reader_name")
    read_at = AwareDateTimeField()


class AcceptSerializer(StrictSerializer):
    """The version that was shown and accepted."""

    version = CharField(max_length=50)


class DeletionAskSerializer(StrictSerializer):
    """Why, if one wants to say."""

    reason = CharField(max_length=300, allow_blank=True, default="")


class ExportSerializer(serializers.Serializer[Any]):
    """Everything the club keeps of the caller, by its kind."""

    exported_at = AwareDateTimeField()
    data = serializers.DictField(  # type: ignore[assignment]  # a declared field; the property stays
        child=serializers.JSONField()
    )
