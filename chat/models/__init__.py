from chat.models.console import Console
from chat.models.conversations import Conversation, ConversationEvent, Kind, Participant, topic_of
from chat.models.desks import CannedReply, Desk, DeskSpan, Weekday
from chat.models.messages import Attachment, HeldMessage, Message
from chat.models.moderation import (
    Block,
    ChatSettings,
    HeldWord,
    MessageReport,
    RetentionRule,
    StaffReading,
)
from chat.models.presence import ChatProfile, Connection, SocketProcess

__all__ = [
    "Attachment",
    "Block",
    "CannedReply",
    "ChatProfile",
    "ChatSettings",
    "Connection",
    "Console",
    "Conversation",
    "ConversationEvent",
    "Desk",
    "DeskSpan",
    "HeldMessage",
    "HeldWord",
    "Kind",
    "Message",
    "MessageReport",
    "Participant",
    "RetentionRule",
    "SocketProcess",
    "StaffReading",
    "Weekday",
    "topic_of",
]
