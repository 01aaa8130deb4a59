from accounts.models.credentials import Device, Grant, OneTimePassword, RefreshTokenUse, Session
from accounts.models.holds import PrivilegeHold
from accounts.models.issuing import AccountImport, AccountImportRow
from accounts.models.membership import Member, Membership, MembershipCategory, Relation, Standing
from accounts.models.notifications import Channel, ChannelPreference, MessageTemplate, Notification
from accounts.models.privacy import (
    DeletionRequest,
    MemberView,
    NoticeAcceptance,
    PrivacyNotice,
    RecordRead,
)
from accounts.models.staff_messages import StaffMessage
from accounts.models.texts import SmsUse
from accounts.models.user import RevocationEpoch, User

__all__ = [
    "AccountImport",
    "AccountImportRow",
    "Channel",
    "ChannelPreference",
    "DeletionRequest",
    "Device",
    "Grant",
    "Member",
    "MemberView",
    "Membership",
    "MembershipCategory",
    "MessageTemplate",
    "NoticeAcceptance",
    "Notification",
    "OneTimePassword",
    "PrivacyNotice",
    "PrivilegeHold",
    "RecordRead",
    "RefreshTokenUse",
    "Relation",
    "RevocationEpoch",
    "Session",
    "SmsUse",
    "StaffMessage",
    "Standing",
    "User",
]
