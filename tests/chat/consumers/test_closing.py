"""How sockets end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from accounts.models import Session
from accounts.services import epoch
from accounts.services.passwords import change_password
from accounts.services.sessions import end_all_sessions, log_out
from bcc.core import push
from chat.consumers import club as consumers
from chat.consumers import office
from chat.fanout import wires
from tests.chat.conftest import Person, Sockets
from tests.chat.consumers.people import (
    InThread,
    another_device,
    gauge,
    identity_of,
    sampled,
    set_password,
    ticket_of,
    user_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def recheck_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(office, "RECHECK_SECONDS", 0.1)


class TestSessionEnd:
    async def ended(self, socket: Any) -> None:
        assert await socket.hear() == {"type": "bye", "reason": "session_ended"}
        assert await socket.closed_with() == 4009

    async def test_closes_at_logout_and_leaves_the_users_other_devices(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        other = await sockets.sign_in(await in_thread(another_device, person))
        socket = await sockets.sign_in(person)
        await in_thread(log_out, identity=await in_thread(identity_of, person), now=timezone.now())
        await self.ended(socket)
        await other.say({"type": "ping"})
        assert (await other.hear())["type"] == "pong"

    async def test_closes_all_at_logout_everywhere_and_deactivation(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        both = [await sockets.sign_in(person), await sockets.sign_in(await in_thread(another_device, person))]
        await in_thread(
            end_all_sessions, user=user_of(person), reason=Session.EndReason.REVOKED, now=timezone.now()
        )
        for socket in both:
            await self.ended(socket)

    async def test_closes_the_others_when_the_password_changes(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        await in_thread(set_password, user_of(person), "an old one of fifteen")
        changer = await in_thread(another_device, person)
        kept, other = await sockets.sign_in(changer), await sockets.sign_in(person)
        await in_thread(
            change_password,
            user_id=user_of(person).pk,
            session_id=changer.session.public_id,
            current="an old one of fifteen",
            new="a new one of fifteen",
            now=timezone.now(),
        )
        await self.ended(other)
        assert (await kept.hear())["kind"] == "password_changed"

    async def test_is_noticed_soon_where_the_push_was_lost(
        self, sockets: Sockets, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recheck_often(monkeypatch)
        socket = await sockets.sign_in(person)
        monkeypatch.setattr("accounts.services.sessions.push.end_sessions", lambda *_: None)
        await in_thread(log_out, identity=await in_thread(identity_of, person), now=timezone.now())
        await self.ended(socket)

    async def test_is_not_seen_where_somebody_elses_session_ended(
        self, sockets: Sockets, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recheck_often(monkeypatch)
        socket = await sockets.sign_in(person)
        await in_thread(epoch.move)
        assert await socket.receive_nothing(0.5)

    async def test_is_asked_for_again_where_the_database_was_away(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: asyncio.Queue[None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def away(**_: Any) -> None:
            loop.call_soon_threadsafe(asked.put_nowait, None)
            raise OperationalError("away")

        recheck_often(monkeypatch)
        socket = await sockets.sign_in(person)
        monkeypatch.setattr(consumers, "confirm", away)
        monkeypatch.setattr(
            office, "in_doubt", lambda *, admissions, now: {one.session for one in admissions}
        )
        with capture_logs() as logs:
            for _ in range(2):
                await asyncio.wait_for(asked.get(), 15)
        assert "socket_not_rechecked" in {one["event"] for one in logs}
        await socket.say({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"


class TestGoodbye:
    async def test_tells_every_socket_and_closes_it(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        signed_in = await sockets.sign_in(person)
        waiting = sockets.make()
        await waiting.open()
        await consumers.say_goodbye()
        for socket in (signed_in, waiting):
            assert await socket.hear() == {"type": "bye", "reason": "restarting"}
            assert await socket.closed_with() == 1012

    async def test_waits_only_a_moment_for_who_does_not_read(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "GOODBYE_SECONDS", 0.1)
        monkeypatch.setattr(wires, "SEND_SECONDS", 0.3)
        monkeypatch.setattr(consumers, "LAST_WORD_SECONDS", 0.1)
        coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        accepted = asyncio.Event()

        async def send(event: dict[str, Any]) -> None:
            if accepted.is_set():
                await asyncio.Event().wait()
            accepted.set()

        socket = asyncio.create_task(consumers.ClubSocket()({"query_string": b""}, coming.get, send))
        coming.put_nowait({"type": "websocket.connect"})
        await accepted.wait()
        with capture_logs() as logs:
            await consumers.say_goodbye()
        assert [one["count"] for one in logs if one["event"] == "sockets_still_open"] == [1]
        await asyncio.wait_for(socket, 15)

    async def test_waits_for_nobody_where_nobody_is(self) -> None:
        await asyncio.wait_for(consumers.say_goodbye(), 0.5)


class TestAfterwards:
    async def test_counts_the_open_ones_and_how_they_ended(self, sockets: Sockets, person: Person) -> None:
        def closed() -> float:
            return sampled(consumers.CLOSED.labels("client"))

        before = closed()
        socket = await sockets.sign_in(person)
        assert gauge() == 1
        await socket.disconnect()
        assert gauge() == 0
        assert closed() == before + 1

    async def test_leaves_the_group_that_it_was_in(self, sockets: Sockets, person: Person) -> None:
        group = push.group_of(user_of(person).public_id)
        socket = await sockets.sign_in(person)
        assert len(get_channel_layer().groups[group]) == 1
        await socket.disconnect()
        assert not get_channel_layer().groups.get(group)

    async def test_ends_in_order_although_the_channel_layer_is_away(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: Any) -> None:
            raise RedisConnectionError("away")

        socket = await sockets.sign_in(person)
        monkeypatch.setattr(get_channel_layer(), "group_discard", away)
        with capture_logs() as logs:
            await socket.disconnect()
        assert {"socket_not_left", "socket_closed"} <= {one["event"] for one in logs}
        assert gauge() == 0

    async def test_logs_neither_token_nor_ticket(
        self, sockets: Sockets, person: Person, in_thread: InThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        ticket = await in_thread(ticket_of, person)
        with capture_logs() as logs, caplog.at_level(logging.DEBUG):
            for query in (f"?ticket={ticket}", f"?ticket={ticket}"):
                socket = sockets.make(query)
                await socket.open()
                await socket.hear()
            token = await sockets.sign_in(person)
            await token.disconnect()
        said = repr(logs) + caplog.text
        assert {"socket_opened", "socket_closed"} <= {one["event"] for one in logs}
        assert ticket not in said
        assert person.token not in said
