"""The live sockets as rows: made and deleted by their process, swept up when it was killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Session
from accounts.policies.identity import Identity
from bcc.core import push, transactions
from bcc.core.errors import NotFoundError
from chat.models import ChatProfile, Connection, SocketProcess
from chat.policies.presence import alive_since


@dataclass(frozen=True, slots=True)
class Load:
    """What waits to be written to a socket."""

    frames: int
    bytes: int


@transactions.writes
def begin_process(*, name: str, now: datetime) -> int:
    """The row of this process, by its key."""
    row, _made = SocketProcess.objects.update_or_create(
        name=name, defaults={"started_at": now, "seen_at": now}
    )
    return row.pk


@transactions.writes
def end_process(*, name: str) -> None:
    """It holds no sockets any more."""
    SocketProcess.objects.filter(name=name).delete()


@transactions.writes
def connect(*, process: str, identity: Identity, now: datetime) -> UUID:
    """Note a socket that signed in; its public id. One profile a user, made with the first."""
    row = SocketProcess.objects.filter(name=process).first()
    process_id = begin_process(name=process, now=now) if row is None else row.pk
    session = Session.objects.select_related("device").filter(public_id=identity.session_id).first()
    device = None if session is None else session.device
    connection = Connection.objects.create(
        process_id=process_id,
        user_id=identity.user_id,
        session=identity.session_id,
        device="" if device is None else str(device)[:80],
        platform="web" if device is None else device.platform,
        app_version="" if device is None else device.app_version,
        connected_at=now,
        last_active_at=now,
    )
    profiles = ChatProfile.objects.filter(user=identity.user_id)
    if not profiles.update(last_connected_at=now):
        ChatProfile.objects.get_or_create(user_id=identity.user_id, defaults={"last_connected_at": now})
    return connection.public_id


@transactions.writes
def disconnect(*, gone: Sequence[UUID]) -> None:
    """Forget sockets that have gone."""
    for start in range(0, len(gone), 500):
        Connection.objects.filter(public_id__in=gone[start : start + 500]).delete()


@transactions.writes
def beat(
    *,
    process: str,
    active: Mapping[UUID, tuple[int, datetime]],
    loads: Mapping[UUID, Load],
    now: datetime,
) -> bool:
    """Say that ``process`` lives, who was active since the last time, and which sockets are behind.

    ``active`` is by connection: the user's key and when. Then the rows of processes that died go.
    False where others took it for dead: its sockets must be noted anew.
    """
    was_there = bool(SocketProcess.objects.filter(name=process).update(seen_at=now))
    if not was_there:
        SocketProcess.objects.create(name=process, started_at=now, seen_at=now)
    latest: dict[int, datetime] = {}
    for connection, (user_id, at) in active.items():
        Connection.objects.filter(public_id=connection).update(last_active_at=at)
        latest[user_id] = max(at, latest.get(user_id, at))
    for user_id, at in sorted(latest.items()):
        ChatProfile.objects.filter(user=user_id).update(last_active_at=at)
    behind = Connection.objects.filter(process__name=process, waiting_bytes__gt=0)
    behind.exclude(public_id__in=list(loads)[:500]).update(waiting_bytes=0, waiting_frames=0)
    for connection, load in loads.items():
        Connection.objects.filter(public_id=connection).update(
            waiting_bytes=load.bytes, waiting_frames=load.frames
        )
    SocketProcess.objects.filter(seen_at__lt=alive_since(now)).delete()
    return was_there


def close_connection(*, connection: UUID) -> None:
    """Have a live socket closed by its process, wherever that is. Raises NotFoundError."""
    row = Connection.objects.select_related("user").filter(public_id=connection).first()
    if row is None:
        raise NotFoundError
    _close(row)


@transactions.writes
def _close(row: Connection) -> None:
    push.to_consumer(row.user.public_id, {"type": "connection.closed", "connection": str(row.public_id)})
