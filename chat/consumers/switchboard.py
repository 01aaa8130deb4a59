"""A process's one end on the channel layer: what is sent to a user reaches each of the user's sockets here.

A channel of its own costs a socket a queue and three waiting tasks, and its loop a turn for each. One channel
for all of them is what Redis keeps for a process anyway.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from bcc.core.push import group_of

# How long to wait for a layer that is away before it is asked again.
AWAY_SECONDS: Final = 0.5
# A layer forgets who listens after a day: each hour it is told again.
RENEW_SECONDS: Final = 3600.0

log = structlog.get_logger(__name__)


class Line(Protocol):
    """A socket: it does what ``event``'s type says when its turn comes."""

    def ring_with(self, event: dict[str, Any]) -> None: ...


class Switchboard:
    """To be used in its loop alone. ``name`` tells it from those of other processes."""

    def __init__(self, name: str) -> None:
        self._group = f"office.{name}"
        self._layer: Any = get_channel_layer()
        self._loop = asyncio.get_running_loop()
        self._channel = ""
        self._lines: dict[str, set[Line]] = {}
        # Joining and leaving one group must not overtake each other on their way.
        self._guard = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls, self._heard = 0, 0
        self._renewed_at = self._loop.time()

    async def connect(self, line: Line, user: UUID) -> None:
        """Have ``line`` hear what is sent to ``user`` from now on. Raises RedisError and OSError."""
        group = group_of(user)
        async with self._guard:
            if not self._channel:
                channel = await self._layer.new_channel()
                await self._layer.group_add(self._group, channel)
                self._channel = channel
                self._do(self._listen())
            if group not in self._lines:
                await self._layer.group_add(group, self._channel)
            self._lines.setdefault(group, set()).add(line)

    async def disconnect(self, line: Line, user: UUID) -> None:
        """``line`` hears no more."""
        group = group_of(user)
        async with self._guard:
            lines = self._lines.get(group, set())
            lines.discard(line)
            if lines or self._lines.pop(group, None) is None:
                return
            await self._forget(group)

    async def call(self) -> None:
        """Try the way, now and then: whatever was not heard by the next time, the layer may have forgotten
        who listens, as a Redis does that starts anew and is back before anybody missed it."""
        if not self._channel:
            return
        was_heard = self._heard == self._calls
        if not was_heard or self._loop.time() - self._renewed_at > RENEW_SECONDS:
            await self._join_again()
        self._calls += 1
        try:
            await self._layer.group_send(self._group, {"type": "switchboard.call", "number": self._calls})
        except (RedisError, OSError) as error:
            log.warning("switchboard_not_called", reason=type(error).__name__)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._channel:
            await self._forget(self._group)

    async def _listen(self) -> None:
        while True:
            try:
                event = await self._layer.receive(self._channel)
            except (RedisError, OSError) as error:
                # It comes back, without what it knew; what was sent meanwhile is lost, and was a hint.
                log.warning("socket_layer_lost", reason=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)
                self._do(self._join_again())
                continue
            if event["type"] == "switchboard.call":
                self._heard = max(self._heard, event["number"])
                continue
            for line in list(self._lines.get(event["to"], ())):
                line.ring_with(event)

    async def _join_again(self) -> None:
        self._renewed_at = self._loop.time()
        async with self._guard:
            try:
                for group in [self._group, *self._lines]:
                    await self._layer.group_add(group, self._channel)
            except (RedisError, OSError) as error:
                log.warning(
                    "switchboard_not_joined_again", reason=type(error).__name__
                )  # the next call does it

    async def _forget(self, group: str) -> None:
        try:
            await self._layer.group_discard(group, self._channel)
        except (RedisError, OSError) as error:
            # The layer forgets the channel by itself.
            log.warning("socket_not_left", reason=type(error).__name__)

    def _do(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
