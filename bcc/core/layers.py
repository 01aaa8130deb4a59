"""The channel layer of the embedded default: in this process, and quick from any thread.

Channels' own in-memory layer puts a message into an ``asyncio.Queue`` from whatever thread sends
it. The receiver's loop is not told, and sees it when something else wakes it, about a third of a
second later; and the queue is not made for threads. Here each channel remembers the loop that
receives from it, and a message from another thread is handed over to that loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from copy import deepcopy
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer

HANDOVER_SECONDS = 5.0
CLEANING_SECONDS = 10.0

Message = dict[str, Any]


class ThreadedInMemoryLayer(InMemoryChannelLayer):
    """Channels' in-memory layer, for a server whose senders are plain threads.

    A channel's queue is touched by its receiver's loop alone, once there is one; before that by
    whoever sends, under the guard. Like every channel layer it is at-most-once.
    """

    channels: dict[str, asyncio.Queue[tuple[float, Message]]]
    groups: dict[str, dict[str, float]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loops: dict[str, asyncio.AbstractEventLoop] = {}
        self._guard = threading.RLock()
        self._cleaned_at = time.monotonic()

    async def send(self, channel: str, message: Message) -> None:
        """Put ``message`` on ``channel``. Raises ChannelFull when its receiver is too slow."""
        self.require_valid_channel_name(channel)
        here = asyncio.get_running_loop()
        with self._guard:
            loop = self._loops.get(channel)
            if loop is None or loop is here or loop.is_closed():
                self._put(channel, message)
                return
        handover = asyncio.run_coroutine_threadsafe(self._put_there(channel, message), loop)
        await asyncio.wait_for(asyncio.wrap_future(handover), HANDOVER_SECONDS)

    async def group_send(self, group: str, message: Message) -> None:
        """Put ``message`` on every channel of ``group``; a full one misses it.

        Returns when the receivers' loops have been told, without waiting for them.
        """
        self.require_valid_group_name(group)
        here = asyncio.get_running_loop()
        elsewhere: dict[asyncio.AbstractEventLoop, list[str]] = defaultdict(list)
        with self._guard:
            for channel in self.groups.get(group, ()):
                loop = self._loops.get(channel)
                if loop is None or loop is here or loop.is_closed():
                    self._put_or_drop(channel, message)
                else:
                    elsewhere[loop].append(channel)
            for loop, channels in elsewhere.items():
                # Under the guard, so that two senders' messages arrive everywhere in one order.
                loop.call_soon_threadsafe(self._put_all, channels, message)

    async def receive(self, channel: str) -> Message:
        """The next message on ``channel``, in order; waits until there is one."""
        self.require_valid_channel_name(channel)
        with self._guard:
            self._loops[channel] = asyncio.get_running_loop()
            self._clean_expired()
            queue = self._queue(channel)
        try:
            _, message = await queue.get()
        except asyncio.CancelledError:
            # The socket is gone, or will ask again; either way nobody waits on this loop now.
            with self._guard:
                self._loops.pop(channel, None)
            raise
        finally:
            with self._guard:
                if queue.empty() and self.channels.get(channel) is queue:
                    del self.channels[channel]
        return message

    async def group_add(self, group: str, channel: str) -> None:
        with self._guard:
            await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        with self._guard:
            await super().group_discard(group, channel)

    async def flush(self) -> None:
        with self._guard:
            await super().flush()
            self._loops.clear()

    def _queue(self, channel: str) -> asyncio.Queue[tuple[float, Message]]:
        queue = self.channels.get(channel)
        if queue is None:
            queue = self.channels[channel] = asyncio.Queue(maxsize=self.get_capacity(channel))
        return queue

    def _put(self, channel: str, message: Message) -> None:
        with self._guard:
            try:
                self._queue(channel).put_nowait((time.time() + self.expiry, deepcopy(message)))
            except asyncio.QueueFull:
                raise ChannelFull(channel) from None

    async def _put_there(self, channel: str, message: Message) -> None:
        self._put(channel, message)

    def _put_or_drop(self, channel: str, message: Message) -> None:
        try:
            self._put(channel, message)
        except ChannelFull:
            return

    def _put_all(self, channels: list[str], message: Message) -> None:
        for channel in channels:
            self._put_or_drop(channel, message)

    def _clean_expired(self) -> None:
        """Drop what nobody fetched in time, seldom, and only where no other loop is reading."""
        if time.monotonic() - self._cleaned_at < CLEANING_SECONDS:
            return
        self._cleaned_at = time.monotonic()
        here = asyncio.get_running_loop()
        others = {name for name, loop in self._loops.items() if loop is not here}
        held = {name: self.channels.pop(name) for name in others if name in self.channels}
        try:
            super()._clean_expired()
        finally:
            self.channels.update(held)
