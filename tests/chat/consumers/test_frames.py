"""What a socket hears and says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from accounts.services import notifications
from bcc.core import push
from chat.consumers import club as consumers
from chat.fanout import wires
from chat.serializers.asked import FRAME_LIMIT
from tests.chat.conftest import Person, Sockets, check_described, make_person
from tests.chat.consumers.people import (
    InThread,
    another_device,
    gauge,
    user_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


class TestFrames:
    async def test_answers_a_ping(self, sockets: Sockets, person: Person) -> None:
        socket = await sockets.sign_in(person)
        for frame in ({"type": "ping"}, {"type": "ping", "active": True}):
            await socket.say(frame)
            assert (await socket.hear())["type"] == "pong"

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"text_data": "{"}, "not_json"),
            ({"text_data": '{"type": "shout"}'}, "unknown_type"),
            ({"text_data": '{"type": "ping", "active": 1}'}, "invalid"),
            ({"text_data": "x" * (FRAME_LIMIT + 1)}, "frame_too_long"),
            ({"bytes_data": b"{}"}, "not_text"),
            ({"text_data": '{"type": "auth", "token": "x"}'}, "already_authenticated"),
        ],
        ids=["not JSON", "unknown", "invalid", "too long", "binary", "auth again"],
    )
    async def test_says_what_is_wrong_and_goes_on(
        self, sockets: Sockets, person: Person, sent: dict[str, Any], code: str
    ) -> None:
        socket = await sockets.sign_in(person)
        await socket.send_to(**sent)
        assert (await socket.hear())["code"] == code
        await socket.say({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"

    async def test_loses_patience_with_frame_after_frame_that_is_refused(
        self, sockets: Sockets, person: Person
    ) -> None:
        socket = await sockets.sign_in(person)
        for _ in range(6):
            await socket.say({"type": "shout"})
        refusals = [await socket.hear() for _ in range(6)]
        assert {one["code"] for one in refusals} == {"unknown_type"}
        assert ["retry_after" in one for one in refusals] == [False] * 5 + [True]
        assert await socket.closed_with() == 4029

    async def test_closes_who_is_too_fast(self, sockets: Sockets, person: Person, settings: Any) -> None:
        settings.SOCKET_FRAMES_AT_ONCE = 4
        settings.SOCKET_FRAMES_PER_SECOND = 1
        socket = await sockets.sign_in(person)  # its first frame
        for _ in range(4):
            await socket.say({"type": "ping"})
        heard = [await socket.hear() for _ in range(4)]
        assert [one["type"] for one in heard] == ["pong"] * 3 + ["error"]
        assert (heard[-1]["code"], heard[-1]["retry_after"]) == ("too_many_frames", 1)
        assert await socket.closed_with() == 4029


class TestPush:
    async def test_forwards_what_is_pushed_to_its_user_unread(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        socket = await sockets.sign_in(person)
        message = {"type": "anything.at.all", "nested": [{"ä": 1}], "none": None}
        await in_thread(push.to_user, user_of(person).public_id, message)
        assert await socket.receive_json_from() == message

    async def test_brings_a_notification_as_it_is_described(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        socket = await sockets.sign_in(person)
        await in_thread(
            notifications.notify,
            user_id=user_of(person).pk,
            kind="password_changed",
            context={"at": "now"},
            dedupe="one",
            now=timezone.now(),
        )
        frame = await socket.hear()
        assert (frame["type"], frame["kind"]) == ("notification", "password_changed")

    async def test_reaches_every_device_of_the_user_and_nobody_else(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        other = await in_thread(another_device, person)
        stranger = await in_thread(make_person)
        first, second = await sockets.sign_in(person), await sockets.sign_in(other)
        foreign = await sockets.sign_in(stranger)
        await in_thread(push.to_user, user_of(person).public_id, {"type": "x"})
        assert await first.receive_json_from() == await second.receive_json_from() == {"type": "x"}
        assert await foreign.receive_nothing()

    async def test_does_not_reach_a_socket_that_has_not_signed_in(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        socket = sockets.make()
        await socket.open()
        await in_thread(push.to_user, user_of(person).public_id, {"type": "x"})
        assert await socket.receive_nothing()


class TestSlowClient:
    async def test_is_closed_and_forgotten(
        self, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wires, "SEND_SECONDS", 0.1)
        monkeypatch.setattr(consumers, "LAST_WORD_SECONDS", 0.1)
        coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        reads = asyncio.Event()
        reads.set()

        async def send(event: dict[str, Any]) -> None:
            await reads.wait()
            sent.put_nowait(event)

        socket = asyncio.create_task(consumers.ClubSocket()({"query_string": b""}, coming.get, send))
        coming.put_nowait({"type": "websocket.connect"})
        coming.put_nowait(
            {"type": "websocket.receive", "text": json.dumps({"type": "auth", "token": person.token})}
        )
        assert (await sent.get())["type"] == "websocket.accept"
        assert "welcome" in (await sent.get())["text"]
        assert gauge() == 1
        reads.clear()
        with capture_logs() as logs:
            await in_thread(push.to_user, user_of(person).public_id, {"type": "x"})
            await asyncio.wait_for(socket, 15)
        assert [one["by"] for one in logs if one["event"] == "socket_closed"] == ["4008"]
        assert gauge() == 0


class TestDescription:
    @pytest.mark.parametrize("frame", [{"type": "welcome"}, {"type": "bye", "reason": "because"}], ids=repr)
    def test_check_notices_what_is_not_described(self, frame: dict[str, Any]) -> None:
        with pytest.raises(Exception, match=r"required property|is not one of"):
            check_described(frame)
