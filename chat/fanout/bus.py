"""How an event gets to every process that has somebody who listens: by hand in one, by Redis to others.

Whoever publishes does it after commit and forgets it: an event that is lost is found in the database by
the hubs, which know by its number that it is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Any, Final, Protocol

import orjson
import redis
import redis.asyncio
import structlog
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from bcc.core import nudges
from bcc.core.errors import BusyError

log = structlog.get_logger(__name__)

# (number of the change, or 0 for what has none; the JSON text)
Event = tuple[int, bytes]

PREFIX: Final = "bcc-chat:"
# Nobody publishes to it: a subscription must be to something.
IDLE_TOPIC: Final = "-"
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
SUBSCRIBE_SECONDS: Final = 5.0


class Listener(Protocol):
    """A hub: lives in a loop, and hears there what is published."""

    loop: asyncio.AbstractEventLoop
    bus: Bus

    def hear(self, topic: str, events: Sequence[Event]) -> None: ...


class Bus(Protocol):
    """What a hub asks of the world outside of its process."""

    async def subscribe(self, topics: Iterable[str]) -> None: ...
    def unsubscribe(self, topic: str) -> None: ...
    def send(self, topic: str, events: Sequence[Event]) -> None: ...
    async def close(self) -> None: ...


_listeners: list[Listener] = []
_guard = threading.Lock()
_client: redis.Redis | None = None


def add_listener(hub: Listener) -> None:
    with _guard:
        _listeners.append(hub)


def remove_listener(hub: Listener) -> None:
    with _guard:
        if hub in _listeners:
            _listeners.remove(hub)


def publish(topic: str, events: Sequence[Event]) -> None:
    """Give ``events`` to every hub of this process and, with Redis, to those of others. From any thread."""
    with _guard:
        here = list(_listeners)
    sent = False
    # A context of their own: one that a thread of asgiref's made forbids whatever grows from it to ask the
    # database from another thread.
    own = Context()
    for hub in here:
        # A loop that has just ended takes nothing; its sockets are gone.
        with contextlib.suppress(RuntimeError):
            hub.loop.call_soon_threadsafe(hub.hear, topic, events, context=own)
            if not sent:
                hub.loop.call_soon_threadsafe(hub.bus.send, topic, events, context=own)
                sent = True
    if not sent and settings.CHAT_REDIS_URL:
        nudges.push(lambda: _publish_now(topic, events), inline=lambda: _publish_now(topic, events))


def _publish_now(topic: str, events: Sequence[Event]) -> None:
    """From a process without sockets, in the thread of pushes."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.CHAT_REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        _client.publish(PREFIX + topic, packed("", events))
    except (RedisError, OSError) as error:
        log.warning("chat_not_published", topic=topic, reason=repr(error))


def packed(origin: str, events: Sequence[Event]) -> bytes:
    """One blob of several events; ``origin`` is the process that has given them out by hand already."""
    return orjson.dumps([origin, [[seq, text.decode()] for seq, text in events]])


def unpacked(blob: bytes) -> tuple[str, list[Event]]:
    origin, events = orjson.loads(blob)
    return origin, [(seq, text.encode()) for seq, text in events]


class LocalBus:
    """There is one process: nothing to do."""

    async def subscribe(self, topics: Iterable[str]) -> None:
        pass

    def unsubscribe(self, topic: str) -> None:
        pass

    def send(self, topic: str, events: Sequence[Event]) -> None:
        pass

    async def close(self) -> None:
        pass


class RedisBus:
    """Redis pub/sub: one connection that listens, under supervision, and one that publishes.

    When Redis comes back everything is subscribed anew, and then ``on_restored`` is awaited: what was
    published meanwhile is asked of the database.
    """

    def __init__(
        self,
        url: str,
        hear: Callable[[str, Sequence[Event]], None],
        on_restored: Callable[[], Awaitable[None]],
    ) -> None:
        self._hear = hear
        self._on_restored = on_restored
        self._origin = secrets.token_hex(8)
        self._listening = redis.asyncio.Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=2, socket_keepalive=True
        )
        self._publishing = redis.asyncio.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._pubsub: Any = None
        self._topics: set[str] = set()
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        self._outgoing: list[tuple[str, bytes]] = []
        self._sender: asyncio.Task[None] | None = None
        self._restoring: asyncio.Task[None] | None = None
        self._has_begun = False
        self._loop = asyncio.get_running_loop()
        self._reader = self._loop.create_task(self._supervised())

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Listen to ``topics``; returns once Redis has said so. While it is away, at once: it is
        subscribed and caught up with as soon as it is back."""
        topics = list(topics)
        new = [topic for topic in topics if topic not in self._topics]
        self._topics.update(new)
        for topic in new:
            self._confirmed[topic] = self._loop.create_future()
        # Others may be waiting for some of them already; whoever is not the first waits as well.
        waited = [one for topic in topics if not (one := self._confirmed[topic]).done()]
        pubsub = self._pubsub
        if pubsub is None or not waited:
            return
        try:
            if new:
                await pubsub.subscribe(*(PREFIX + topic for topic in new))
            await asyncio.wait(waited, timeout=SUBSCRIBE_SECONDS)
        except (RedisError, OSError) as error:
            log.warning("chat_not_subscribed", reason=repr(error))  # the reader notices and begins anew

    def unsubscribe(self, topic: str) -> None:
        self._topics.discard(topic)
        self._confirmed.pop(topic, None)
        if self._pubsub is not None:
            self._outgoing.append((topic, b""))
            self._flush_soon()

    def send(self, topic: str, events: Sequence[Event]) -> None:
        self._outgoing.append((topic, packed(self._origin, events)))
        self._flush_soon()

    async def close(self) -> None:
        for task in (self._reader, self._sender, self._restoring):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        for one in self._confirmed.values():
            one.cancel()
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.aclose()
        for client in (self._listening, self._publishing):
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()

    def _flush_soon(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = self._loop.create_task(self._flush())

    async def _flush(self) -> None:
        """Publish what has gathered, a pipeline at a time; what comes meanwhile goes with the next."""
        while self._outgoing:
            batch, self._outgoing = self._outgoing, []
            try:
                pipeline = self._publishing.pipeline(transaction=False)
                is_worth_it = False
                for topic, blob in batch:
                    if blob:
                        pipeline.publish(PREFIX + topic, blob)
                        is_worth_it = True
                    elif self._pubsub is not None and topic not in self._topics:
                        await self._pubsub.unsubscribe(PREFIX + topic)
                if is_worth_it:
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                # The rows are committed: the other processes find them when they look.
                log.warning("chat_not_published", blobs=len(batch), reason=repr(error))

    async def _supervised(self) -> None:
        """Read for ever; after whatever goes wrong, begin anew."""
        wait = FIRST_WAIT
        while True:
            try:
                async with self._listening.pubsub() as pubsub:
                    await pubsub.subscribe(PREFIX + IDLE_TOPIC, *(PREFIX + one for one in self._topics))
                    self._pubsub, wait = pubsub, FIRST_WAIT
                    await self._read(pubsub)
            except (RedisError, OSError) as error:
                log.warning("chat_bus_lost", reason=repr(error))
            except Exception:
                # A fault of ours must not leave the process deaf; it is logged with its trace.
                log.exception("chat_bus_failed")
            finally:
                self._pubsub = None
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _read(self, pubsub: Any) -> None:
        while True:
            message = await pubsub.get_message(timeout=None)
            if message is None:
                continue
            topic = message["channel"].decode().removeprefix(PREFIX)
            if message["type"] == "subscribe":
                self._note_subscribed(topic)
            elif message["type"] == "message":
                origin, events = unpacked(message["data"])
                if origin != self._origin:
                    self._hear(topic, events)

    def _note_subscribed(self, topic: str) -> None:
        confirmed = self._confirmed.get(topic)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)
        if topic != IDLE_TOPIC:
            return
        if self._has_begun:
            # The client may have come back by itself; either way something may have been missed. What
            # comes meanwhile is read on: the hub puts it in order.
            log.info("chat_bus_restored", topics=len(self._topics))
            self._restoring = self._loop.create_task(_restored(self._on_restored))
        self._has_begun = True


async def _restored(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except (BusyError, DatabaseError) as error:
        # The database is away as well; the next sweep looks again.
        log.warning("chat_not_caught_up", reason=repr(error)[:200])
