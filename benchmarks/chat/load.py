"""The load: a thousand sockets in one process, read without a library between.

Each client is an ``asyncio.Protocol`` that counts frames by the bytes of their heads; only a few of them look
inside, to time deliveries, and the speakers, to send when an acknowledgement is there. So the load takes a
small part of what a server takes for the same frames. The peer's packets are read in the same way.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import orjson

BODY: Final = "The pool opens at nine, and the small one at ten. See you there!"
# One in so many clients looks into what it gets.
WATCH_EVERY: Final = 20


def masked(payload: bytes) -> bytes:
    length = len(payload)
    head = bytes([0x81, 0x80 | length]) if length < 126 else b"\x81\xfe" + length.to_bytes(2)
    return head + b"\0\0\0\0" + payload


class Device(asyncio.Protocol):
    """One socket. ``on_text`` is called with each text for those who look inside."""

    def __init__(self, dialect: Dialect, host: str, on_text: Callable[[Device, bytes], None] | None) -> None:
        self.dialect = dialect
        self.host = host
        self.on_text = on_text
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.delivered = 0
        self.lost = False
        self.transport: asyncio.Transport
        self._buffer = bytearray()
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of TCP
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.dialect.path} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.is_ready.done():
            self.is_ready.set_exception(ConnectionError("closed before it was ready"))

    def say(self, text: str) -> None:
        self.transport.write(masked(text.encode()))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._is_open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(buffer[:200]))
            del buffer[: end + 4]
            self._is_open = True
            self.dialect.opened(self)
        at, size = 0, len(buffer)
        while size - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, start = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if size - start < length:
                break
            opcode = buffer[at] & 0x0F
            if opcode == 1:
                self._text(buffer, start, length)
            elif opcode == 9:
                self.transport.write(
                    b"\x8a\x80\0\0\0\0"
                    if not length
                    else b"\x8a" + bytes([0x80 | length]) + b"\0\0\0\0" + buffer[start : start + length]
                )
            at = start + length
        del buffer[:at]

    def _text(self, buffer: bytearray, start: int, length: int) -> None:
        if buffer.startswith(self.dialect.new, start):
            self.delivered += 1
            if self.on_text is not None:
                self.on_text(self, bytes(buffer[start : start + length]))
            return
        self.dialect.other(self, bytes(buffer[start : start + length]))


class Dialect:
    """What differs between the two servers in what is said."""

    path: str
    new: bytes

    def opened(self, device: Device) -> None:
        raise NotImplementedError

    def other(self, device: Device, text: bytes) -> None:
        raise NotImplementedError

    def message(self, room: str, client_id: str) -> str:
        raise NotImplementedError

    def client_id_in(self, text: bytes) -> str:
        raise NotImplementedError


@dataclass
class Ours(Dialect):
    tokens: list[str]
    acked: Callable[[Device, str], None] = field(default=lambda device, client_id: None)
    path: str = "/ws/v1"
    new: bytes = b'{"type":"message.new"'

    def opened(self, device: Device) -> None:
        device.say(json.dumps({"type": "auth", "token": self.tokens.pop()}))

    def other(self, device: Device, text: bytes) -> None:
        frame = orjson.loads(text)
        match frame["type"]:
            case "welcome":
                device.say('{"type":"hello"}')
            case "ready":
                device.is_ready.set_result(None)
            case "ack":
                self.acked(device, frame["client_id"])
            case "error":
                raise RuntimeError(frame)

    def message(self, room: str, client_id: str) -> str:
        return json.dumps(
            {"type": "message.send", "conversation": room, "client_id": client_id, "body": BODY}
        )

    def client_id_in(self, text: bytes) -> str:
        return str(orjson.loads(text)["message"]["client_id"])


@dataclass
class SocketIo(Dialect):
    """Engine.IO 4 and Socket.IO 5 in text: 0 open, 2 and 3 ping and pong, 40 connect, 42 event, 43 ack."""

    tokens: list[str]
    acked: Callable[[Device, str], None] = field(default=lambda device, client_id: None)
    path: str = "/socket.io/?EIO=4&transport=websocket"
    new: bytes = b'42["message.new"'
    number: int = 0

    def opened(self, device: Device) -> None:
        """Its server speaks first."""

    def other(self, device: Device, text: bytes) -> None:
        if text.startswith(b"0"):
            device.say("40" + json.dumps({"token": self.tokens.pop()}))
        elif text.startswith(b"2"):
            device.say("3")
        elif text.startswith(b"40"):
            device.is_ready.set_result(None)
        elif text.startswith(b"43"):
            self.acked(device, orjson.loads(text[text.index(b"[") :])[0]["client_id"])
        elif text.startswith(b"44"):
            raise RuntimeError(text)

    def message(self, room: str, client_id: str) -> str:
        self.number += 1
        sent = {"client_id": client_id, "body": BODY}
        return f"42{self.number}" + json.dumps(["message.send", sent])

    def client_id_in(self, text: bytes) -> str:
        return str(orjson.loads(text[2:])[1]["message"]["client_id"])


@dataclass
class Result:
    """What one run was: rates are of deliveries, times in milliseconds."""

    clients: int
    sent: int
    delivered: int
    seconds: float
    p50: float
    p99: float
    load_cpu: float

    @property
    def undelivered(self) -> int:
        return self.sent * self.clients - self.delivered


async def drive(
    dialect: Any, ports: list[int], *, room: str, clients: int, window: int, seconds: float, speakers: int,
    begin: Callable[[], None], end: Callable[[], None],
) -> Result:  # fmt: skip
    """Connect ``clients``, have ``speakers`` keep ``window`` messages on their way for a while, and count."""
    loop = asyncio.get_running_loop()
    sent_at: dict[str, float] = {}
    took: list[float] = []

    def watch(device: Device, text: bytes) -> None:
        at = sent_at.get(dialect.client_id_in(text))
        if at is not None:
            took.append(time.perf_counter() - at)

    devices: list[Device] = []
    for number in range(clients):
        port = ports[number % len(ports)]
        looks = watch if number % WATCH_EVERY == 0 else None
        device = Device(dialect, f"127.0.0.1:{port}", looks)
        await loop.create_connection(lambda device=device: device, "127.0.0.1", port)  # type: ignore[misc]  # bound now
        devices.append(device)
        if number % 50 == 49:
            await asyncio.gather(*(one.is_ready for one in devices[-50:]))
    await asyncio.gather(*(one.is_ready for one in devices))
    talks = True

    def say(device: Device) -> None:
        client_id = str(uuid4())
        sent_at[client_id] = time.perf_counter()
        device.say(dialect.message(room, client_id))

    acks = 0

    def acked(device: Device, client_id: str) -> None:
        nonlocal acks
        acks += 1
        if talks:
            say(device)

    dialect.acked = acked

    async def talk(for_seconds: float) -> None:
        nonlocal talks
        talks = True
        for device in devices[:speakers]:
            for _ in range(window):
                say(device)
        await asyncio.sleep(for_seconds)
        talks = False
        await _settled(lambda: acks == len(sent_at), 30)
        await _settled(lambda: sum(one.delivered for one in devices) >= len(sent_at) * clients, 30)

    await talk(2.0)  # warm
    sent_at.clear()
    took.clear()
    acks = 0
    before = sum(one.delivered for one in devices)
    for one in devices:
        one.delivered = 0
    assert before >= 0
    begin()
    began, cpu = time.perf_counter(), time.process_time()
    await talk(seconds)
    lasted, load_cpu = time.perf_counter() - began, time.process_time() - cpu
    end()
    took.sort()
    for one in devices:
        one.transport.abort()
    return Result(
        clients=clients,
        sent=len(sent_at),
        delivered=sum(one.delivered for one in devices),
        seconds=lasted,
        p50=took[len(took) // 2] * 1000 if took else 0.0,
        p99=took[int(len(took) * 0.99)] * 1000 if took else 0.0,
        load_cpu=load_cpu,
    )


async def _settled(holds: Callable[[], bool], seconds: float) -> None:
    for _ in range(int(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
