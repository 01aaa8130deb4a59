"""The channel layer on a real Redis: whoever listens hears it, and for nobody it asks once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection

from bcc.core.redislayer import QuietRedisLayer
from tests.live.engines import scratch_redis


@pytest.fixture
def url() -> Iterator[str]:
    with scratch_redis() as made:
        yield made


class TestGroupSend:
    def test_reaches_each_who_listens_and_nobody_who_left(self, url: str) -> None:
        async def go() -> list[str]:
            layer = QuietRedisLayer(hosts=[url])
            here, left = await layer.new_channel(), await layer.new_channel()
            for channel in (here, left):
                await layer.group_add("user.one", channel)
            await layer.group_discard("user.one", left)
            for word in ("first", "second"):
                await layer.group_send("user.one", {"type": "push", "word": word})
            return [(await asyncio.wait_for(layer.receive(here), 10))["word"] for _word in range(2)]

        assert asyncio.run(go()) == ["first", "second"]

    def test_asks_once_where_nobody_listens(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[Any] = []
        real: Any = AbstractConnection.send_packed_command

        async def noted(self: Any, command: Any, *rest: Any, **more: Any) -> Any:
            sent.append(command)
            return await real(self, command, *rest, **more)

        async def go() -> None:
            layer = QuietRedisLayer(hosts=[url])
            await layer.group_send("user.nobody", {"type": "push"})  # which connects
            monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)
            for _time in range(5):
                await layer.group_send("user.nobody", {"type": "push"})
            await layer.close_pools()

        asyncio.run(go())
        assert len(sent) == 5

    def test_refuses_a_name_that_is_none(self, url: str) -> None:
        with pytest.raises(TypeError):
            asyncio.run(QuietRedisLayer(hosts=[url]).group_send("no name", {"type": "push"}))
