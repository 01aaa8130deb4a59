"""The chat over the API: what is asked, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bcc.core.rest.fields import (
    INT64_MAX,
    AwareDateTimeField,
    BooleanField,
    CharField,
    IntegerField,
    StrictQuerySerializer,
    StrictSerializer,
    UUIDField,
    WallTimeField,
)
from chat.models import Conversation, Kind, Message, MessageReport, Weekday
from chat.serializers.asked import LARGEST_SEQ, MOST_ATTACHED

MOST_MEMBERS: Final = 500
LONGEST_BODY: Final = 8000
MOST_MESSAGES: Final = 200


class SenderSerializer(serializers.Serializer[Any]):
    """Whose message it is; `id` is of their account."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()


class AttachedSerializer(serializers.Serializer[Any]):
    """A file of a message, to be read at `url`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.CharField()
    size = serializers.IntegerField()
    url = serializers.CharField()


class MessageSerializer(serializers.Serializer[Any]):
    """A message. A deleted one keeps its place and has no text."""

    id = serializers.UUIDField()
    seq = serializers.IntegerField(help_text="Its place.", max_value=INT64_MAX)
    type = serializers.ChoiceField(choices=Message.Type.choices)
    sender = SenderSerializer(allow_null=True, help_text="Null where the desk itself speaks.")
    client_id = serializers.UUIDField()
    body = serializers.CharField()
    reply_to = serializers.UUIDField(allow_null=True)
    attachments = AttachedSerializer(many=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Any) -> Any:
        """It is shown already, by ``chat.selectors.messages``."""
        return instance


class ChangeSerializer(serializers.Serializer[Any]):
    """A message and the number of its last change."""

    seq = serializers.IntegerField(help_text="The number of its last change.", max_value=INT64_MAX)
    message = MessageSerializer()


class MessagePageSerializer(serializers.Serializer[Any]):
    """Messages of one conversation. After a number: in the order of their last changes; else by place."""

    results = ChangeSerializer(many=True)
    last_seq = serializers.IntegerField(help_text="How far the conversation has come.", max_value=INT64_MAX)
    has_more = serializers.BooleanField(help_text="Ask again from the last, or before the first, of these.")


class MessageQuerySerializer(StrictQuerySerializer):
    after_seq = IntegerField(
        required=False, min_value=0, max_value=LARGEST_SEQ, help_text="What changed after this number."
    )
    before_seq = IntegerField(
        required=False, min_value=1, max_value=LARGEST_SEQ, help_text="What stands before this place."
    )
    limit = IntegerField(
        required=False, min_value=1, max_value=MOST_MESSAGES, default=100, help_text="How many at most."
    )

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        if "after_seq" in attrs and "before_seq" in attrs:
            detail = _("Ask for what comes after or before, not both.")
            raise serializers.ValidationError({"before_seq": detail}, code="not_both")
        return attrs


class ChatPersonSerializer(serializers.Serializer[Any]):
    """Somebody in a conversation, and how far they are."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    is_me = serializers.BooleanField()
    last_read_seq = serializers.IntegerField(max_value=INT64_MAX)
    last_delivered_seq = serializers.IntegerField(max_value=INT64_MAX)


class ConversationSerializer(serializers.Serializer[Any]):
    """A conversation, as its reader has it."""

    id = serializers.UUIDField(source="conversation.public_id")
    kind = serializers.ChoiceField(source="conversation.kind", choices=Kind.choices)
    title = serializers.CharField(help_text="The desk, the group, or the others in it.")
    desk = serializers.UUIDField(source="conversation.desk.public_id", allow_null=True, default=None)
    state = serializers.ChoiceField(source="conversation.state", choices=Conversation.State.choices)
    last_seq = serializers.IntegerField(source="conversation.last_seq", max_value=INT64_MAX)
    last_read_seq = serializers.IntegerField(max_value=INT64_MAX)
    unread = serializers.IntegerField(help_text="Messages of others after the one last read.")
    is_muted = serializers.BooleanField()
    active_at = AwareDateTimeField(source="conversation.active_at")
    last_message = MessageSerializer(allow_null=True)
    people = ChatPersonSerializer(many=True, help_text="At most fifty; none of a broadcast.")


class NewConversationSerializer(StrictSerializer):
    """What to begin: `desk` with a desk's id; `direct` with one member number; `group` with several and a
    title; `broadcast` with a title, for staff who may."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    desk = UUIDField(required=False)
    members = serializers.ListField(
        child=CharField(max_length=32), required=False, min_length=1, max_length=MOST_MEMBERS
    )
    title = CharField(required=False, max_length=120)

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = {
            Kind.DESK: {"desk"},
            Kind.DIRECT: {"members"},
            Kind.GROUP: {"members", "title"},
            Kind.BROADCAST: {"title"},
        }[attrs["kind"]]
        errors = {name: _("This is needed for this kind.") for name in wanted - attrs.keys()}
        errors |= {
            name: _("This is of another kind. Leave it out.") for name in attrs.keys() - wanted - {"kind"}
        }
        if not errors and attrs["kind"] == Kind.DIRECT and len(attrs["members"]) != 1:
            errors["members"] = _("Name one member.")
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class NewMessageSerializer(StrictSerializer):
    """What to say, under an id that the app makes: sent again under the same one it is not said again."""

    client_id = UUIDField()
    body = CharField(max_length=LONGEST_BODY, trim_whitespace=False, allow_blank=True)
    reply_to = UUIDField(required=False)
    attachments = serializers.ListField(
        child=UUIDField(),
        required=False,
        max_length=MOST_ATTACHED,
        help_text="Pictures that one uploaded with `POST images` for the chat.",
    )


class SentSerializer(serializers.Serializer[Any]):
    """It stands; or it is held for a moderator, and has neither id nor number yet."""

    client_id = serializers.UUIDField()
    id = serializers.UUIDField(allow_null=True)
    seq = serializers.IntegerField(allow_null=True, max_value=INT64_MAX)
    held = serializers.BooleanField(source="is_held")


class ChangedBodySerializer(StrictSerializer):
    """The new text of one's own message."""

    body = CharField(max_length=LONGEST_BODY, trim_whitespace=False)


class ReadSerializer(StrictSerializer):
    """Read until this number. It only goes forward."""

    seq = IntegerField(min_value=0, max_value=LARGEST_SEQ)


class MuteSerializer(StrictSerializer):
    """Whether to be told of it while away."""

    is_muted = BooleanField()


class ReportSerializer(StrictSerializer):
    """What is wrong with a message."""

    reason = serializers.ChoiceField(choices=MessageReport.Reason.choices)
    note = CharField(max_length=500, allow_blank=True, default="")


class ReportedSerializer(serializers.Serializer[Any]):
    """A report, as its maker sees it."""

    id = serializers.UUIDField(source="public_id")
    message = serializers.UUIDField(source="reported_id")
    reason = serializers.ChoiceField(choices=MessageReport.Reason.choices)
    state = serializers.ChoiceField(choices=MessageReport.State.choices)
    created_at = AwareDateTimeField()


class NewBlockSerializer(StrictSerializer):
    """Whom: the id of an account, as in `sender`."""

    user = UUIDField()


class BlockSerializer(serializers.Serializer[Any]):
    """Somebody one wants to hear nothing from."""

    id = serializers.UUIDField(source="blocked.public_id", help_text="Of their account.")
    name = serializers.CharField(source="blocked.display_name")
    created_at = AwareDateTimeField()


class DeskSpanSerializer(serializers.Serializer[Any]):
    """Hours of one weekday; 0 is Monday."""

    weekday = serializers.ChoiceField(choices=Weekday.choices)
    opens = WallTimeField()
    closes = WallTimeField()


class DeskSerializer(serializers.Serializer[Any]):
    """A desk that members write to."""

    id = serializers.UUIDField(source="desk.public_id")
    code = serializers.CharField(source="desk.code")
    name = serializers.CharField(source="desk.name")
    department = serializers.CharField(source="desk.department")
    description = serializers.CharField(source="desk.description")
    is_open = serializers.BooleanField(help_text="Whether somebody sits there now.")
    opens_at = AwareDateTimeField(allow_null=True, help_text="When it opens next.")
    hours = DeskSpanSerializer(many=True)


class ChatPreferencesSerializer(serializers.Serializer[Any]):
    """What one allows others, and what the club allows at all."""

    accepts_direct = serializers.BooleanField()
    accepts_groups = serializers.BooleanField()
    shows_presence = serializers.BooleanField()
    club_allows_direct = serializers.BooleanField()
    club_allows_groups = serializers.BooleanField()


class ChatPreferencesPatchSerializer(StrictSerializer):
    """What to change."""

    accepts_direct = BooleanField(required=False)
    accepts_groups = BooleanField(required=False)
    shows_presence = BooleanField(required=False)


class ConnectionSerializer(serializers.Serializer[Any]):
    """A live socket, for the staff who look after the server."""

    id = serializers.UUIDField(source="public_id")
    user = serializers.UUIDField(source="user.public_id")
    name = serializers.CharField(source="user.display_name")
    device = serializers.CharField()
    platform = serializers.CharField()
    app_version = serializers.CharField()
    process = serializers.CharField(source="process.name")
    connected_at = AwareDateTimeField()
    last_active_at = AwareDateTimeField()
    waiting_frames = serializers.IntegerField()
    waiting_bytes = serializers.IntegerField()
