"""Sockets for tests, and the description that everything sent on them must agree with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import pytest_asyncio
import yaml
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.models import Member, Session
from accounts.services.tokens import make_tokens
from bcc.asgi import websocket_application
from chat.consumers import club as consumers
from chat.fanout import wires
from tests.bcc.conftest import ROOT
from tests.factories import MemberFactory, make_session

ASYNCAPI = ROOT / "docs" / "asyncapi.yaml"
TO_CLIENT, TO_SERVER = "send", "receive"
# How long a frame may take on a busy machine, in seconds; the library gives up after one.
PATIENCE = 15.0


@cache
def described() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ASYNCAPI.read_text())
    return found


def messages_of(action: str) -> dict[str, dict[str, Any]]:
    """The payload schema of each message by its type: what the server ``send``s or ``receive``s."""
    document = described()
    found = {}
    for operation in document["operations"].values():
        if operation["action"] != action:
            continue
        for reference in operation["messages"]:
            name = reference["$ref"].rsplit("/", 1)[1]
            payload = document["components"]["messages"][name]["payload"]
            schema = document["components"]["schemas"][payload["$ref"].rsplit("/", 1)[1]]
            found[schema["properties"]["type"]["const"]] = schema
    return found


def check_described(frame: dict[str, Any], action: str = TO_CLIENT) -> None:
    """``frame`` is as docs/asyncapi.yaml says. Raises KeyError and jsonschema's ValidationError."""
    schema = messages_of(action)[frame["type"]]
    whole = {**schema, "components": described()["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(frame)


class Socket(WebsocketCommunicator):
    """A client of ``/ws/v1`` that checks each frame it gets against the description."""

    # The library's own patience of a second ends the consumer with the test where a machine is busy.

    async def connect(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's own
        return await super().connect(timeout)

    async def receive_output(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's own
        return await super().receive_output(timeout)

    async def receive_json_from(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's own
        return await super().receive_json_from(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - the library's own
        await super().disconnect(code, timeout)

    async def wait(self, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - the library's own
        await super().wait(timeout)

    async def open(self) -> None:
        accepted, _ = await self.connect()
        assert accepted

    async def say(self, frame: dict[str, Any]) -> None:
        await self.send_to(text_data=json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        frame: dict[str, Any] = await self.receive_json_from()
        check_described(frame)
        return frame

    async def closed_with(self) -> int:
        event = await self.receive_output()
        assert event["type"] == "websocket.close", event
        await self.wait()
        code: int = event["code"]
        return code


@dataclass
class Person:
    """A member, their session, and its access token."""

    member: Member
    session: Session
    token: str


@dataclass
class Sockets:
    """Opens sockets; the fixture closes what a test leaves open."""

    opened: list[Socket] = field(default_factory=list)

    def make(self, query: str = "", headers: list[tuple[bytes, bytes]] | None = None) -> Socket:
        socket = Socket(websocket_application, f"/ws/v1{query}", headers=headers)
        self.opened.append(socket)
        return socket

    async def sign_in(self, person: Person) -> Socket:
        """A socket that has said who it is and was welcomed."""
        socket = self.make()
        await socket.open()
        await socket.say({"type": "auth", "token": person.token})
        assert (await socket.hear())["type"] == "welcome"
        return socket


@pytest_asyncio.fixture
async def sockets() -> AsyncIterator[Sockets]:
    made = Sockets()
    yield made
    for one in made.opened:
        if one.future.done() and not one.future.cancelled():
            one.future.result()  # an error in the consumer is an error of the test
        await one.disconnect()
    assert not consumers._in_process


@pytest_asyncio.fixture
async def in_thread(transactional_db: None) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Run a plain function where the sockets' services run; its connection is closed at the end."""

    async def run(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await database_sync_to_async(work)(*args, **kwargs)

    yield run
    await database_sync_to_async(connections.close_all)()


def make_person() -> Person:
    now = timezone.now()
    member = MemberFactory.create()
    assert member.user is not None
    session = make_session(member.user, now=now)
    return Person(member, session, make_tokens(user=member.user, session=session, now=now).access)


@pytest_asyncio.fixture
async def person(in_thread: Callable[..., Awaitable[Any]]) -> Person:
    found: Person = await in_thread(make_person)
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten seconds for a client of a test."""
    monkeypatch.setattr(wires, "SEND_SECONDS", 1.0)
