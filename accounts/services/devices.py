"""The devices that people sign in from."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Device, Session, User
from accounts.policies.identity import Identity
from accounts.selectors.people import find_user
from accounts.services import epoch
from bcc.core import push, transactions
from bcc.core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What an app says of the device it runs on."""

    platform: str = Device.Platform.OTHER
    name: str = ""
    app_version: str = ""


def token_hash(device_token: str) -> str:
    """SHA-256 of a device token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(device_token.encode()).hexdigest()


def find_trusted(*, user: User, device_token: str) -> Device | None:
    """The user's device that ``device_token`` proves, or None."""
    if not device_token:
        return None
    return Device.objects.trusted().filter(user=user, token_hash=token_hash(device_token)).first()


def proven_device_key(*, identifier: str, token: str) -> str | None:
    """A name for the device of ``identifier`` that ``token`` proves; None for any other pair."""
    user = find_user(identifier)
    device = None if user is None else find_trusted(user=user, device_token=token)
    return None if device is None else f"device:{device.public_id}"


@transactions.writes
def remember_untrusted(*, user: User, facts: DeviceFacts, now: datetime) -> Device:
    """A row for a device that has not answered a code yet; the same one again for another try."""
    device = (
        Device.objects.filter(user=user, trusted_at__isnull=True, revoked_at__isnull=True)
        .filter(platform=facts.platform, name=facts.name)
        .order_by("pk")
        .first()
    ) or Device(user=user, platform=facts.platform, name=facts.name)
    device.app_version, device.last_seen_at = facts.app_version, now
    device.save()
    return device


@transactions.writes
def trust(*, device: Device, now: datetime) -> str:
    """Make a device a trusted one; returns the token that proves it, which is shown once."""
    device_token = secrets.token_urlsafe(32)
    device.token_hash = token_hash(device_token)
    device.trusted_at = device.last_seen_at = now
    device.save(update_fields=["token_hash", "trusted_at", "last_seen_at"])
    return device_token


@transactions.writes
def note_seen(*, device: Device, facts: DeviceFacts, now: datetime) -> None:
    """Keep what the app says now of a device known already."""
    device.platform, device.last_seen_at = facts.platform, now
    device.name = facts.name or device.name
    device.app_version = facts.app_version or device.app_version
    device.save(update_fields=["platform", "name", "app_version", "last_seen_at"])


@transactions.writes
def update_current(
    *, identity: Identity, facts: DeviceFacts, push_token: str | None, now: datetime
) -> Device:
    """Keep facts and push token of the device of this session; the token leaves any other device.

    ``None`` leaves the push token as it is, an empty one removes it. Raises NotFoundError when the
    session has ended at this moment.
    """
    session = Session.objects.live(now).select_related("device").filter(public_id=identity.session_id).first()
    if session is None:
        raise NotFoundError
    device = session.device
    note_seen(device=device, facts=facts, now=now)
    if push_token is not None:
        if push_token:
            others = Device.objects.filter(push_token=push_token).exclude(pk=device.pk)
            others.update(push_token="")
        device.push_token = push_token
        device.save(update_fields=["push_token"])
    return device


@transactions.writes
def revoke_device(*, user_id: int, public_id: UUID, now: datetime) -> None:
    """Forget a device: its sessions end, its token and push token are worth nothing. Raises NotFoundError."""
    device = (
        Device.objects.trusted().select_related("user").filter(user_id=user_id, public_id=public_id).first()
    )
    if device is None:
        raise NotFoundError
    device.revoked_at, device.push_token, device.token_hash = now, "", ""
    device.save(update_fields=["revoked_at", "push_token", "token_hash"])
    live = Session.objects.live(now).filter(device=device)
    for session_id in live.values_list("public_id", flat=True):
        push.end_sessions(device.user.public_id, session_id)
    live.update(ended_at=now, end_reason=Session.EndReason.REVOKED)
    epoch.move()
