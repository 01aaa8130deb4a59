"""Tell every socket of a user something, after commit. A hint: the API is the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from bcc.core import nudges, transactions

log = structlog.get_logger(__name__)


def group_of(public_id: UUID) -> str:
    """The channel-layer group that all sockets of a user join."""
    return f"user.{public_id.hex}"


def to_user(public_id: UUID, message: Mapping[str, Any]) -> None:
    """Push ``message`` (JSON, with its ``type``) to the user's sockets once committed."""
    to_each([(public_id, message)])


def to_each(messages: Iterable[tuple[UUID, Mapping[str, Any]]]) -> None:
    """Push several, each to its user, in one go: what is slow is to begin, not to send."""
    _send_after_commit([(group_of(user), {"type": "push", "message": dict(one)}) for user, one in messages])


def end_sessions(public_id: UUID, session: UUID | None = None) -> None:
    """Close the user's sockets with 4009 once committed; only those of ``session`` if given."""
    event = {"type": "session.ended", "session": None if session is None else str(session)}
    _send_after_commit([(group_of(public_id), event)])


def to_consumer(public_id: UUID, event: Mapping[str, Any]) -> None:
    """Have each of the user's sockets do something by itself, once committed: ``event``'s type says what."""
    _send_after_commit([(group_of(public_id), dict(event))])


async def send_to(public_id: UUID, event: Mapping[str, Any]) -> None:
    """The same at once, from the loop of the sockets. Raises RedisError and OSError."""
    group, layer = group_of(public_id), get_channel_layer()
    if layer is not None:
        await layer.group_send(group, {**event, "to": group})


def _send_after_commit(events: Sequence[tuple[str, dict[str, Any]]]) -> None:
    async def send() -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            for group, event in events:
                # A process has one channel for all of its sockets: the event says whose it is.
                await layer.group_send(group, {**event, "to": group})
        except (RedisError, OSError) as error:
            log.warning("push_failed", events=len(events), kind=events[0][1]["type"], reason=repr(error))

    if events:
        transactions.after_commit(lambda: nudges.push(send, inline=async_to_sync(send)))
