"""What a signed-in person reads of themselves, each in as few queries as the question has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, QuerySet, Value, When

from accounts.models import (
    ChannelPreference,
    Device,
    Member,
    Membership,
    Notification,
    Session,
    User,
)
from accounts.policies.identity import Identity
from bcc.core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Profile:
    """A user with the member and membership behind them, which staff do not have."""

    user: User
    member: Member | None

    @property
    def membership(self) -> Membership | None:
        return None if self.member is None else self.member.membership


def get_profile(identity: Identity) -> Profile:
    """One query. Raises NotFoundError when the user is gone since the token was checked."""
    user = User.objects.select_related("member__membership__category").filter(pk=identity.user_id).first()
    if user is None:
        raise NotFoundError
    return Profile(user, getattr(user, "member", None))


def choices_of(user_id: int) -> dict[tuple[str, str], bool]:
    """(kind, channel) → what the user chose; one query."""
    rows = ChannelPreference.objects.filter(user_id=user_id).values_list("kind", "channel", "is_wanted")
    return {(kind, channel): is_wanted for kind, channel, is_wanted in rows}


def devices_of(identity: Identity) -> QuerySet[Device, Any]:
    """The user's trusted devices, each knowing whether this session is on it."""
    here = Session.objects.filter(public_id=identity.session_id).values("device_id")
    is_current = Case(When(pk__in=here, then=Value(True)), default=Value(False), output_field=BooleanField())
    return Device.objects.trusted().filter(user_id=identity.user_id).annotate(is_current=is_current)


def notifications_of(user_id: int, *, unread: bool | None = None) -> QuerySet[Notification, Any]:
    """What the user sees in the app."""
    shown = Notification.objects.shown_to(user_id)
    return shown if unread is None else shown.filter(read_at__isnull=unread)


def find_device(identity: Identity, public_id: UUID) -> Device:
    """One of the user's trusted devices. Raises NotFoundError."""
    device: Device | None = devices_of(identity).filter(public_id=public_id).first()
    if device is None:
        raise NotFoundError
    return device
