"""The chat on real servers: kills, restarts, stalled receivers, silence and abuse.

The small ones are part of the suite; the same at their full size are ``soak``.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.chat.client import ChatClient
from tests.live.chatting import UNHURRIED, Halls, Made, Room, quantile
from tests.live.engines import scratch_redis
from tests.live.killable import private_redis
from tests.live.server import Server, free_port, migrated, run_json, run_script, serving
from tests.services import redis_command

pytestmark = [pytest.mark.server, pytest.mark.slow]

Prepare = Callable[[int], tuple[Path, Made]]


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    def make(members: int) -> tuple[Path, Made]:
        data_dir = migrated(tmp_path)
        return data_dir, run_json(["tests/live/prepare_chat.py"], data_dir, CHAT_MEMBERS=str(members))

    return make


# ------------------------------------------------------------------------------------ nothing is lost


async def break_everything(halls: Halls, made: Made, *, cycles: int, restarts: int, seconds: float) -> None:
    """Devices drop out and come back, Redis restarts, and one server is killed, while people talk."""
    chance = random.Random(42)
    async with Room(halls.urls, made) as room:

        async def outages() -> None:
            for number in range(restarts):
                await asyncio.sleep(seconds / (restarts + 2))
                await asyncio.to_thread(halls.redis.kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(halls.redis.start)
                if number == 0:
                    await asyncio.to_thread(halls.kill, 1)
                    room.servers[:] = halls.urls[:1]

        pause = seconds / (cycles + 1)
        await asyncio.gather(
            room.speak(seconds, pause=0.25, speakers=min(20, len(room.clients))),
            room.lose_connections(cycles, pause, chance),
            outages(),
        )
        await room.settle(90)
        assert room.faults() == []
        assert len(room.acknowledged()) > 10
        print(f"{len(room.acknowledged())} messages to {len(room.clients)} devices, all there, in order")
        log = halls.servers[0].log.read_text()
        assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]


def live_connections(data_dir: Path) -> Made:
    script = (
        "import json, django; django.setup();"
        "from chat.models import Connection, SocketProcess;"
        "from chat.policies.presence import alive_since; from bcc.core import clock;"
        "print(json.dumps({'processes': SocketProcess.objects.count(),"
        "'alive': Connection.objects.alive(alive_since(clock.now())).count()}))"
    )
    found: Made = json.loads(run_script(["-c", script], data_dir).strip().splitlines()[-1])
    return found


def broken_run(
    prepare: Prepare, tmp_path: Path, *, members: int, presence_too: bool = False, **sizes: Any
) -> None:
    data_dir, made = prepare(members)
    port = free_port()
    redis = private_redis(redis_command(tmp_path, port), port, tmp_path)
    redis.start()
    try:
        with Halls(data_dir, redis, {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}) as halls:
            asyncio.run(break_everything(halls, made, **sizes))
            if presence_too:
                # Everybody has gone: what the killed process left behind counts for nothing in a minute.
                until = time.monotonic() + 60
                while live_connections(data_dir)["alive"] and time.monotonic() < until:
                    time.sleep(2)
                assert live_connections(data_dir)["alive"] == 0
    finally:
        redis.kill()


class TestNothingIsLost:
    def test_when_devices_drop_out_redis_restarts_and_a_server_is_killed(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        broken_run(prepare, tmp_path, members=10, cycles=3, restarts=1, seconds=6)

    @pytest.mark.soak
    def test_at_full_size(self, prepare: Prepare, tmp_path: Path) -> None:
        broken_run(prepare, tmp_path, members=200, presence_too=True, cycles=20, restarts=2, seconds=180)


# ------------------------------------------------------------------------------------ a stalled receiver


@contextmanager
def stalled(server: Server, token: str, room: str) -> Iterator[socket.socket]:
    """A client that joins the room by hand, with hardly a buffer, and then reads nothing."""
    host, port = server.url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(20)
    raw.connect((host, int(port)))
    raw.sendall(
        f"GET /ws/v1 HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101")
    for frame in ({"type": "auth", "token": token}, {"type": "hello", "resume": {room: 0}}):
        raw.sendall(masked(json.dumps(frame).encode()))
    got = b""
    while b'"ready"' not in got:
        got += raw.recv(4096)
    try:
        yield raw
    finally:
        raw.close()


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A client's frame, masked with zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | opcode, 0x80 | length])
    elif length < 65_536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + length.to_bytes(2)
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + length.to_bytes(8)
    return head + b"\0\0\0\0" + payload


def close_code(raw: socket.socket) -> int | None:
    """Read whatever waits; the code of the close frame at its end."""
    got = b""
    raw.settimeout(20)
    while chunk := raw.recv(65_536):
        got += chunk
        if len(got) >= 4 and b"\x88" in got[-64:]:
            at = got.rindex(b"\x88")
            if got[at + 1] < 126 and len(got) >= at + 2 + got[at + 1]:
                return int.from_bytes(got[at + 2 : at + 4])
    return None


async def flood(server: Server, made: Made, number: int, *, with_stalled: bool, size: int) -> list[float]:
    """``number`` messages to the room; seconds from each to each other device. The stalled one is last."""
    people = {**made, "people": made["people"][:-1]}
    async with Room([server.url], people) as room:
        speaker, others = room.clients[0], room.clients[1:]
        sent: dict[str, float] = {}

        async def talk() -> None:
            for turn in range(number):
                client_id = await speaker.say(room.name, f"{turn} ".ljust(size, "x"))
                sent[client_id] = time.perf_counter()
                await asyncio.sleep(0.002)
            await room.settle(120)

        token = made["people"][-1]["token"]
        if with_stalled:
            with stalled(server, token, room.name) as raw:
                await talk()
                assert await asyncio.to_thread(close_code, raw) == 4008
            late = ChatClient([server.url.replace("http", "ws", 1)], token, room._fetcher(token))
            late.start()
            late.kept[room.name].seq = 0
            acked = room.acknowledged()
            await late.until(lambda: acked <= late.kept[room.name].messages.keys(), 60)
            places = late.kept[room.name].places()
            assert places == sorted(places)
            assert len(set(places)) == len(places) >= number
            await late.stop()
        else:
            await talk()
        assert room.faults() == []
        return [
            client.arrived_at[client_id] - at
            for client in others
            for client_id, at in sent.items()
            if client_id in client.arrived_at
        ]


class TestStalledReceiver:
    @pytest.mark.soak
    def test_is_closed_and_gets_everything_when_it_is_back(self, prepare: Prepare) -> None:
        data_dir, made = prepare(4)
        with serving(data_dir, "--no-scheduler", **UNHURRIED) as server:
            took = asyncio.run(flood(server, made, 250, with_stalled=True, size=3_500))
            assert took
            assert "Traceback" not in server.log.read_text()

    @pytest.mark.soak
    def test_holds_up_nobody_else(self, prepare: Prepare) -> None:
        data_dir, made = prepare(12)
        medians: dict[bool, list[float]] = {True: [], False: []}
        tails: dict[bool, list[float]] = {True: [], False: []}
        with serving(data_dir, "--no-scheduler", **UNHURRIED) as server:
            for _round in range(5):
                for with_stalled in (False, True):
                    took = asyncio.run(flood(server, made, 1000, with_stalled=with_stalled, size=1_500))
                    medians[with_stalled].append(statistics.median(took))
                    tails[with_stalled].append(quantile(took, 0.99))
        for name, found in (("median", medians), ("p99", tails)):
            alone, beside = statistics.median(found[False]), statistics.median(found[True])
            print(f"{name}: {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside a stalled one")
            assert beside <= alone * 1.2


# ------------------------------------------------------------------------------------ silence, abuse, servers


async def stay_silent(server: Server, made: Made, seconds: float) -> None:
    """Nothing but the protocol's own pongs, which the client library sends by itself; then a message."""
    async with Room([server.url], made) as room:
        await asyncio.sleep(seconds)
        assert [one.closed_with for one in room.clients] == [[] for _ in room.clients]
        await room.clients[0].say(room.name, "Still there?")
        await room.settle(10)
        assert room.faults() == []


@contextmanager
def daphne(data_dir: Path, **env: Any) -> Iterator[Server]:
    """Sockets by daphne, and the API beside it by the usual server, on one database."""
    program = [sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "bcc.asgi:application"]
    with serving(data_dir, program=program, **env, **UNHURRIED) as live:
        yield live


class TestSilence:
    @pytest.mark.soak
    @pytest.mark.parametrize("layer", ["in process", "redis", "daphne"])
    def test_of_150_seconds_is_survived(self, prepare: Prepare, layer: str) -> None:
        data_dir, made = prepare(2)
        if layer == "in process":
            with serving(data_dir, "--no-scheduler") as server:
                asyncio.run(stay_silent(server, made, 150))
            return
        with scratch_redis() as url:
            if layer == "redis":
                with serving(data_dir, "--no-scheduler", REDIS_URL=url) as server:
                    asyncio.run(stay_silent(server, made, 150))
            else:
                with daphne(data_dir, REDIS_URL=url) as server:
                    asyncio.run(stay_silent(server, made, 150))


async def talk_and_come_back(server: Server, made: Made) -> None:
    async with Room([server.url], made) as room:
        await asyncio.gather(
            room.speak(2, pause=0.1, speakers=3), room.lose_connections(2, 0.7, random.Random(7))
        )
        await room.settle(30)
        assert room.faults() == []
        assert len(room.acknowledged()) > 10


@pytest.mark.soak
class TestOnDaphne:
    def test_the_same_holds_without_raw_writes(self, prepare: Prepare) -> None:
        data_dir, made = prepare(5)
        with scratch_redis() as url, daphne(data_dir, REDIS_URL=url) as server:
            asyncio.run(talk_and_come_back(server, made))
            assert "Traceback" not in server.log.read_text()


async def abuse(server: Server, made: Made) -> None:
    address = server.url.replace("http", "ws", 1) + "/ws/v1"
    token, room = made["people"][0]["token"], made["room"]
    quiet = {**made, "people": made["people"][1:]}

    async def signed_in() -> Any:
        found = await connect(address, max_size=None, compression=None)
        await found.send(json.dumps({"type": "auth", "token": token}))
        assert json.loads(await found.recv())["type"] == "welcome"
        return found

    async def code_after(*frames: str | bytes) -> int | None:
        client = await signed_in()
        try:
            for frame in frames:
                await client.send(frame)
            while True:
                await asyncio.wait_for(client.recv(), 10)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        finally:
            await client.close()

    async def errors_of(*frames: str | bytes) -> list[str]:
        client = await signed_in()
        for frame in frames:
            await client.send(frame)
        await client.send('{"type":"ping"}')
        codes = []
        while (heard := json.loads(await asyncio.wait_for(client.recv(), 10)))["type"] != "pong":
            codes.append(heard.get("code", heard["type"]))
        await client.close()
        return codes

    async with Room([server.url], quiet) as others:
        assert await code_after("x" * 1_000_000) == 1009
        assert await errors_of("x" * 20_000) == ["frame_too_long"]
        assert await errors_of(b"\x00\x01") == ["not_text"]
        assert await errors_of("[" * 10_000, '{"a":' * 3_000) == ["not_json", "not_json"]
        spoofed = {
            "type": "message.send",
            "conversation": room,
            "client_id": room,
            "body": "x",
            "sender": "y",
        }
        assert await errors_of(json.dumps(spoofed)) == ["invalid"]
        assert await code_after(*['{"type":"ping"}'] * 500) == 4029
        for payload, opcode in ((b"\xff\xfe", 1), (b"", 5)):
            with stalled(server, token, room) as raw:
                raw.sendall(masked(payload, opcode))
                assert await asyncio.to_thread(close_code, raw) in (1002, 1007)
        await others.clients[0].say(others.name, "All quiet here.")
        await others.settle(10)
        assert others.faults() == []
        assert [one.closed_with for one in others.clients] == [[] for _ in others.clients]


class TestAbuse:
    def test_ends_in_an_error_a_limit_or_a_code_and_disturbs_nobody(self, prepare: Prepare) -> None:
        data_dir, made = prepare(3)
        with serving(data_dir, "--no-scheduler") as server:
            asyncio.run(abuse(server, made))
            log = server.log.read_text()
        assert "Traceback" not in log
        assert not [one["token"] for one in made["people"] if one["token"] in log]

    @pytest.mark.soak
    def test_a_dead_tokens_socket_closes(self, prepare: Prepare) -> None:
        data_dir, made = prepare(1)
        with serving(data_dir, "--no-scheduler") as server:
            headers = {"Authorization": f"Bearer {made['people'][0]['token']}"}
            with httpx.Client(base_url=f"{server.url}/api/v1/", headers=headers) as http:
                ticket = http.post("chat/socket-ticket", json={}).json()["ticket"]

            async def use(ticket: str) -> int | None:
                address = server.url.replace("http", "ws", 1)
                async with connect(f"{address}/ws/v1?ticket={ticket}") as client:
                    first = json.loads(await client.recv())
                    if first["type"] == "welcome":
                        return None
                    with pytest.raises(ConnectionClosed):
                        await client.recv()
                    return client.close_code

            assert asyncio.run(use(ticket)) is None
            assert asyncio.run(use(ticket)) == 4001
            assert ticket not in server.log.read_text()
