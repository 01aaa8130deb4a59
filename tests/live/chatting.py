"""Rooms full of devices against live servers, and what must hold of them whatever breaks."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chat.client import ChatClient
from tests.live.killable import Outside
from tests.live.server import Server, serving

Made = dict[str, Any]
# Nobody is slowed down: what is asked is what is lost, not how fast one may speak.
UNHURRIED: Any = {
    "SOCKET_FRAMES_PER_SECOND": "100000",
    "SOCKET_FRAMES_AT_ONCE": "100000",
    "CHAT_MESSAGES_PER_SECOND": "100000",
    "CHAT_MESSAGES_AT_ONCE": "100000",
}


@dataclass
class Room:
    """All the devices of a room. ``fetch`` asks the API of any server that answers."""

    servers: list[str]
    made: Made
    clients: list[ChatClient] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.made["room"])

    async def __aenter__(self) -> Room:
        self.http = httpx.AsyncClient(timeout=10)
        for number, person in enumerate(self.made["people"]):
            turned = self.servers[number % len(self.servers) :] + self.servers[: number % len(self.servers)]
            addresses = [one.replace("http", "ws", 1) for one in turned]
            client = ChatClient(addresses, person["token"], self._fetcher(person["token"]))
            client.kept[self.name].seq = 0
            self.clients.append(client)
            client.start()
        await asyncio.gather(*(one.ready(120) for one in self.clients))
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(one.stop() for one in self.clients))
        await self.http.aclose()

    def _fetcher(self, token: str) -> Any:
        turns = itertools.count()

        async def fetch(conversation: str, after: int) -> Any:
            for _attempt in range(100):
                server = self.servers[next(turns) % len(self.servers)]
                try:
                    reply = await self.http.get(
                        f"{server}/api/v1/chat/conversations/{conversation}/messages",
                        params={"after_seq": after, "limit": 200},
                        headers={"Authorization": f"Bearer {token}"},
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if reply.status_code == httpx.codes.OK:
                    return reply.json()
                await asyncio.sleep(0.1)
            raise AssertionError("No server answers.")

        return fetch

    async def speak(self, seconds: float, pause: float, speakers: int) -> None:
        """Some of them say something again and again for a while."""
        until = time.monotonic() + seconds

        async def one(client: ChatClient, number: int) -> None:
            for turn in itertools.count():
                if time.monotonic() > until:
                    return
                await client.say(self.name, f"{number}/{turn}")
                await asyncio.sleep(pause)

        await asyncio.gather(*(one(client, n) for n, client in enumerate(self.clients[:speakers])))

    async def lose_connections(self, cycles: int, pause: float, chance: random.Random) -> None:
        """Each device loses its connection so many times, at moments of its own."""

        async def one(client: ChatClient) -> None:
            for _ in range(cycles):
                await asyncio.sleep(pause * (0.5 + chance.random()))
                await client.drop()
                await client.ready(120)

        await asyncio.gather(*(one(client) for client in self.clients))

    async def settle(self, seconds: float = 60) -> None:
        """Until everything said has its ack, and every device has everything that was acknowledged."""
        await asyncio.gather(*(one.until(lambda one=one: not one.waiting, seconds) for one in self.clients))  # type: ignore[misc]  # bound now
        acked = self.acknowledged()
        # A word from each as the last one, so that nobody waits for what is not to come.
        await asyncio.gather(
            *(
                one.until(lambda one=one: acked <= one.kept[self.name].messages.keys(), seconds)  # type: ignore[misc]  # bound now
                for one in self.clients
            )
        )

    def acknowledged(self) -> set[str]:
        return {ack["id"] for one in self.clients for ack in one.acks.values()}

    def faults(self) -> list[str]:
        """What must not be; empty if everything reached everyone once and in order."""
        found = []
        client_ids = [client_id for one in self.clients for client_id in one.acks]
        acked = self.acknowledged()
        if len(acked) != len(client_ids):
            found.append(f"{len(client_ids)} client ids, {len(acked)} messages")
        for number, one in enumerate(self.clients):
            kept = one.kept[self.name]
            places = kept.places()
            if places != sorted(places):
                found.append(f"device {number} got them out of order")
            if len(places) != len(set(places)):
                found.append(f"device {number} got one twice under two ids")
            if missing := acked - kept.messages.keys():
                found.append(f"device {number} misses {len(missing)}")
            if one.refusals:
                found.append(f"device {number} was refused: {one.refusals[:2]}")
        return found


@dataclass
class Halls:
    """Two server processes on one database and one Redis, each of which can be killed and started again."""

    data_dir: Path
    redis: Outside
    env: dict[str, Any]
    servers: list[Server] = field(default_factory=list)
    stacks: list[ExitStack] = field(default_factory=list)

    def __enter__(self) -> Halls:
        for number in range(2):
            self.open(number)
        return self

    def __exit__(self, *_: object) -> None:
        for stack in self.stacks:
            stack.close()

    def open(self, number: int) -> None:
        options = ["--no-scheduler"] + (["--no-worker"] if number else [])
        stack = ExitStack()
        server = stack.enter_context(serving(self.data_dir, *options, **self.env, **UNHURRIED))
        self.servers[number : number + 1] = [server]
        self.stacks[number : number + 1] = [stack]

    def kill(self, number: int) -> None:
        """kill -9, without a word to anybody."""
        process = self.servers[number].process
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    @property
    def urls(self) -> list[str]:
        return [one.url for one in self.servers]


def quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
