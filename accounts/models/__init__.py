from accounts.models.credentials import Device, OneTimePassword, RefreshTokenUse, Session
from accounts.models.holds import PrivilegeHold
from accounts.models.membership import Member, Membership, MembershipCategory, Relation, Standing
from accounts.models.notifications import Channel, ChannelPreference, MessageTemplate, Notification
from accounts.models.user import RevocationEpoch, User

__all__ = [
    "Channel",
    "ChannelPreference",
    "Device",
    "Member",
    "Membership",
    "MembershipCategory",
    "MessageTemplate",
    "Notification",
    "OneTimePassword",
    "PrivilegeHold",
    "RefreshTokenUse",
    "Relation",
    "RevocationEpoch",
    "Session",
    "Standing",
    "User",
]
