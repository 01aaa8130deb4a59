"""The way to one socket: raw bytes where the server lets us, else the ASGI server's own send.

This is the one seam for writing. Frames are made once for all who get them: a ``Batch`` holds the texts,
and the bytes of their WebSocket frames once somebody asks for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

# What may wait to be written to one socket. More, and it is closed as too slow.
WRITE_LIMIT: Final = 256 * 1024
# How long a frame may wait for a server whose send waits for the client.
SEND_SECONDS: Final = 10.0
# How long a socket that was closed as too slow may take to read what waits, the close frame last.
LINGER_SECONDS: Final = 30.0

# Where the server's protocol puts itself, for raw access.
EXTENSION: Final = "bcc.wire"
_SHORT, _MEDIUM = 126, 65_536


class Batch:
    """Text frames that are written together, in order."""

    __slots__ = ("_framed", "texts")

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = texts
        self._framed: bytes | None = None

    @property
    def framed(self) -> bytes:
        """The bytes on the wire: unfragmented, unmasked text frames (RFC 6455, 5.2)."""
        if self._framed is None:
            self._framed = b"".join(part for text in self.texts for part in (_head(len(text)), text))
        return self._framed


def _head(length: int) -> bytes:
    if length < _SHORT:
        return bytes((0x81, length))
    if length < _MEDIUM:
        return b"\x81\x7e" + length.to_bytes(2)
    return b"\x81\x7f" + length.to_bytes(8)


class Wire(Protocol):
    """``write`` never waits; ``on_slow`` is called, once, when too much waits or for too long."""

    def write(self, batch: Batch) -> None: ...
    def waiting(self) -> tuple[int, int]: ...
    async def drained(self) -> None: ...
    def end(self) -> None: ...


class RawWire:
    """Writes into the transport of the server's protocol (``bcc.protocol``)."""

    __slots__ = ("_is_slow", "_on_slow", "_protocol")

    def __init__(self, protocol: Any, on_slow: Callable[[], None]) -> None:
        self._protocol = protocol
        self._on_slow = on_slow
        self._is_slow = False

    def write(self, batch: Batch) -> None:
        protocol = self._protocol
        transport = protocol.transport
        # A write on a closed uvloop transport raises.
        if self._is_slow or protocol.close_sent or transport.is_closing():
            return
        transport.write(batch.framed)
        if transport.get_write_buffer_size() > WRITE_LIMIT:
            self._is_slow = True
            self._on_slow()

    def waiting(self) -> tuple[int, int]:
        """(frames, bytes); frames are not told apart once they are bytes, so at most one is counted."""
        if self._protocol.transport.is_closing():
            return 0, 0
        size = self._protocol.transport.get_write_buffer_size()
        return (1 if size else 0), size

    async def drained(self) -> None:
        """What was written is in the transport already."""

    def close_slow(self, code: int, reason: str) -> None:
        """The close frame after whatever waits; then as long as it takes to read, but not for ever."""
        protocol = self._protocol
        if protocol.close_sent or protocol.transport.is_closing():
            return
        protocol.conn.send_close(code, reason)
        protocol.transport.write(b"".join(protocol.conn.data_to_send()))
        protocol.close_sent = True
        if protocol.read_paused:
            protocol.read_paused = False
            protocol.transport.resume_reading()
        # The protocol's own timer: the echo of the close frame cancels it and closes at once.
        protocol.close_timer = protocol.loop.call_later(LINGER_SECONDS, protocol.transport.abort)

    def end(self) -> None:
        """Nothing is kept here."""


class AsgiWire:
    """Writes through the ASGI send, in a task of its own: correct on any server, and slower."""

    def __init__(self, send: Callable[[Any], Awaitable[None]], on_slow: Callable[[], None]) -> None:
        self._send = send
        self._on_slow = on_slow
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._is_slow = False
        self._pump: asyncio.Task[None] | None = None

    def write(self, batch: Batch) -> None:
        if self._is_slow:
            return
        self._queue.extend(batch.texts)
        self._bytes += sum(map(len, batch.texts))
        if self._bytes > WRITE_LIMIT:
            self._slow()
        elif self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._write_out())

    def waiting(self) -> tuple[int, int]:
        return len(self._queue), self._bytes

    async def drained(self) -> None:
        """Wait until what waits is written, or given up."""
        if self._pump is not None:
            await asyncio.wait([self._pump])

    def end(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        self._queue.clear()
        self._bytes = 0

    async def _write_out(self) -> None:
        while self._queue and not self._is_slow:
            text = self._queue[0]
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send({"type": "websocket.send", "text": text.decode()})
            except TimeoutError:
                self._slow()
                return
            except OSError:
                return  # the client is gone; the consumer hears of it by itself
            self._queue.popleft()
            self._bytes -= len(text)

    def _slow(self) -> None:
        self._is_slow = True
        self._queue.clear()
        self._bytes = 0
        self._on_slow()
