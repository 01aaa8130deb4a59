"""A small client of the chat that does it right: what an app has to do, and no more.

It keeps the last number that it has of each conversation, resumes from it, passes over what it has by id,
fetches what a socket does not bring, and sends again, under the same client id, what has no ack yet.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

Fetch = Callable[[str, int], Awaitable[Mapping[str, Any]]]
FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0


@dataclass
class Kept:
    """What a device has of one conversation: messages by id, in the order in which they came."""

    seq: int = 0
    order: list[str] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def places(self) -> list[int]:
        return [self.messages[one]["seq"] for one in self.order]


class ChatClient:
    """One device. ``addresses`` are tried in turn; ``fetch(conversation, after_seq)`` asks the API."""

    def __init__(self, addresses: Sequence[str], token: str, fetch: Fetch | None = None) -> None:
        self._addresses = list(addresses)
        self._token = token
        self._fetch = fetch
        self.kept: dict[str, Kept] = defaultdict(Kept)
        self.acks: dict[str, dict[str, Any]] = {}
        self.refusals: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        # What an app would pass over: counted by the tests.
        self.again = 0
        self.gaps = 0
        self.closed_with: list[int | None] = []
        self.arrived_at: dict[str, float] = {}
        self._pending: dict[str, dict[str, Any]] = {}
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Event()
        self._is_ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = 0

    # ------------------------------------------------------------------------------ being there

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Go away for good, with what was kept."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = None

    async def drop(self) -> None:
        """Lose the connection as a phone does: without a word. It comes back by itself."""
        self._is_ready.clear()
        if self._socket is not None:
            self._socket.transport.abort()
        await asyncio.sleep(0)

    async def ready(self, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            await self._is_ready.wait()

    async def until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until ``holds``, looked at after each frame. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                if holds():
                    return
                await self._changed.wait()

    async def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            address = self._addresses[self._turn % len(self._addresses)]
            try:
                async with connect(
                    f"{address}/ws/v1", max_size=None, compression=None, open_timeout=5, close_timeout=1
                ) as socket:
                    self._socket = socket
                    await self._listen(socket)
            except ConnectionClosed as closed:
                self.closed_with.append(None if closed.rcvd is None else closed.rcvd.code)
                if self._is_ready.is_set():
                    wait = FIRST_WAIT
            except (OSError, WebSocketException, TimeoutError):
                pass  # nobody there: the next address
            self._socket = None
            self._is_ready.clear()
            self._turn += 1
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _listen(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "auth", "token": self._token}))
        async for text in socket:
            frame: dict[str, Any] = json.loads(text)
            await self._take(socket, frame)
            self._changed.set()

    # ------------------------------------------------------------------------------ what comes

    async def _take(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "welcome":
            resume = {name: one.seq for name, one in self.kept.items()}
            await socket.send(json.dumps({"type": "hello", "resume": resume}))
        elif kind == "ready":
            self._is_ready.set()
            for pending in list(self._pending.values()):
                await socket.send(json.dumps(pending))
        elif kind in ("message.new", "message.updated", "message.deleted"):
            kept = self.kept[frame["conversation"]]
            if frame["seq"] > kept.seq + 1 and self._fetch is not None:
                # The server closes such holes by itself; should one be seen, the API has the truth.
                self.gaps += kept.seq > 0
                await self._catch_up(frame["conversation"])
            self._keep(frame["conversation"], frame["seq"], frame["message"])
        elif kind == "resync_required":
            await self._catch_up(frame["conversation"])
        elif kind == "ack":
            self.acks[frame["client_id"]] = frame
            self._pending.pop(frame["client_id"], None)
        elif kind == "error":
            await self._take_error(socket, frame)
        else:
            self.others.append(frame)

    async def _take_error(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        pending = self._pending.get(frame.get("client_id", ""))
        if pending is not None and frame["code"] in ("busy", "slow_down"):
            await asyncio.sleep(0.05)
            await socket.send(json.dumps(pending))
            return
        if frame["code"] == "busy":
            return  # of the socket itself: it is closed, and another is opened in a moment
        self._pending.pop(frame.get("client_id", ""), None)
        self.refusals.append(frame)

    def _keep(self, conversation: str, seq: int, message: dict[str, Any]) -> None:
        kept = self.kept[conversation]
        known = message["id"] in kept.messages
        if seq <= kept.seq and known:
            self.again += 1
            return
        if not known:
            kept.order.append(message["id"])
            self.arrived_at[message["client_id"]] = time.perf_counter()
        kept.messages[message["id"]] = message
        kept.seq = max(kept.seq, seq)

    async def _catch_up(self, conversation: str) -> None:
        if self._fetch is None:
            raise AssertionError("Something is to be fetched, and this client cannot.")
        while True:
            page = await self._fetch(conversation, self.kept[conversation].seq)
            for one in page["results"]:
                self._keep(conversation, one["seq"], one["message"])
            if not page["has_more"]:
                return

    # ------------------------------------------------------------------------------ what is said

    async def say(self, conversation: str, body: str) -> str:
        """Say something; its client id. It is sent until it has its ack, whatever happens meanwhile."""
        frame = {
            "type": "message.send",
            "conversation": conversation,
            "client_id": str(uuid4()),
            "body": body,
        }
        self._pending[frame["client_id"]] = frame
        await self.tell(frame)
        return frame["client_id"]

    async def tell(self, frame: Mapping[str, Any]) -> None:
        """Send a frame if there is a socket that listens."""
        if self._socket is not None and self._is_ready.is_set():
            with suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame))

    @property
    def waiting(self) -> int:
        """How many messages have no ack yet."""
        return len(self._pending)
