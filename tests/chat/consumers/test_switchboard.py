"""The process's one end on the channel layer."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import get_channel_layer
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from bcc.core import push
from chat.consumers import switchboard as switchboards
from chat.consumers.office import office_here
from chat.consumers.switchboard import Switchboard
from tests.chat.conftest import Person, Sockets
from tests.chat.consumers.people import InThread, another_device, user_of

pytestmark = pytest.mark.django_db(transaction=True)


def joined() -> set[str]:
    """The groups that somebody is in, whatever tests before have left there."""
    return {name for name, members in get_channel_layer().groups.items() if members}


class Nobody:
    def ring_with(self, event: dict[str, Any]) -> None: ...


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)


class TestOneChannel:
    async def test_is_for_all_devices_of_a_user_and_leaves_with_the_last(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        group, groups = push.group_of(user_of(person).public_id), get_channel_layer().groups
        first = await sockets.sign_in(person)
        second = await sockets.sign_in(await in_thread(another_device, person))
        assert len(groups[group]) == 1
        await push.send_to(user_of(person).public_id, {"type": "push", "message": {"type": "x"}})
        for socket in (first, second):
            assert await socket.receive_json_from() == {"type": "x"}
        await first.disconnect()
        assert len(groups[group]) == 1
        await second.disconnect()
        assert not groups.get(group)

    async def test_a_refused_socket_leaves_nothing_behind(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: Any) -> None:
            raise RedisConnectionError("away")

        before = joined()
        with monkeypatch.context() as patch:
            patch.setattr(get_channel_layer(), "group_add", away)
            socket = sockets.make()
            await socket.open()
            await socket.say({"type": "auth", "token": person.token})
            assert (await socket.hear())["code"] == "busy"
            assert await socket.closed_with() == 1013
        await settled()
        assert joined() == before


class TestCall:
    async def test_what_the_layer_forgot_is_joined_again(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        socket = await sockets.sign_in(person)
        board = office_here().switchboard
        await board.call()
        await settled()
        get_channel_layer().groups.clear()
        await board.call()  # which nobody hears
        await settled()
        await board.call()
        await push.send_to(user_of(person).public_id, {"type": "push", "message": {"type": "x"}})
        assert await socket.receive_json_from() == {"type": "x"}

    async def test_joins_nothing_again_while_it_is_heard(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await sockets.sign_in(person)
        board, joined = office_here().switchboard, []
        monkeypatch.setattr(board, "_join_again", lambda: joined.append(1))
        for _ in range(3):
            await board.call()
            await settled()
        assert joined == []

    async def test_is_renewed_before_the_layer_forgets(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await sockets.sign_in(person)
        monkeypatch.setattr(switchboards, "RENEW_SECONDS", -1.0)
        group, layer = push.group_of(user_of(person).public_id), get_channel_layer()
        before = dict(layer.groups[group])
        await asyncio.sleep(0.01)
        await office_here().switchboard.call()
        assert all(layer.groups[group][name] > at for name, at in before.items())


class TestALayerThatIsAway:
    async def test_is_asked_again_and_joined_again(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(switchboards, "AWAY_SECONDS", 0.01)
        layer = get_channel_layer()
        receive = layer.receive
        times: list[int] = []

        async def failing(channel: str) -> Any:
            if not times:
                times.append(1)
                layer.groups.clear()
                raise RedisConnectionError("away")
            return await receive(channel)

        monkeypatch.setattr(layer, "receive", failing)
        with capture_logs() as logs:
            socket = await sockets.sign_in(person)
            await asyncio.sleep(0.1)
        assert "socket_layer_lost" in {one["event"] for one in logs}
        await push.send_to(user_of(person).public_id, {"type": "push", "message": {"type": "x"}})
        assert await socket.receive_json_from() == {"type": "x"}

    async def test_a_call_that_fails_ends_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        board = Switchboard("test")
        await board.call()  # nobody has connected: there is no way to try

        async def away(*_: Any) -> None:
            raise RedisConnectionError("away")

        user, line, before = uuid4(), Nobody(), joined()
        await board.connect(line, user)
        with monkeypatch.context() as patch, capture_logs() as logs:
            patch.setattr(get_channel_layer(), "group_send", away)
            patch.setattr(get_channel_layer(), "group_add", away)
            await board.call()
            await board.call()
        assert {one["event"] for one in logs} == {"switchboard_not_called", "switchboard_not_joined_again"}
        await board.disconnect(line, user)
        await board.close()
        assert joined() == before
