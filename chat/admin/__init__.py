from chat.admin.connections import ConnectionAdmin
from chat.admin.console import ConsoleAdmin
from chat.admin.desks import (
    CannedReplyAdmin,
    ChatSettingsAdmin,
    DeskAdmin,
    HeldWordAdmin,
    RetentionRuleAdmin,
)
from chat.admin.moderation import HeldMessageAdmin, MessageReportAdmin, StaffReadingAdmin

__all__ = [
    "CannedReplyAdmin",
    "ChatSettingsAdmin",
    "ConnectionAdmin",
    "ConsoleAdmin",
    "DeskAdmin",
    "HeldMessageAdmin",
    "HeldWordAdmin",
    "MessageReportAdmin",
    "RetentionRuleAdmin",
    "StaffReadingAdmin",
]
