from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer

from bcc.core.layers import ThreadedInMemoryLayer


def from_a_thread(work: Any) -> None:
    """Run the coroutine function ``work`` as plain threads do: with a loop of its own."""
    thread = threading.Thread(target=async_to_sync(work))
    thread.start()
    thread.join()


async def seconds_until_received(layer: InMemoryChannelLayer, count: int = 5) -> float:
    """The longest wait for a message that a plain thread sends to a group."""
    channel = await layer.new_channel()
    await layer.group_add("all", channel)
    waits = []
    for _ in range(count):
        sent: list[float] = []

        def send(sent: list[float] = sent) -> None:
            time.sleep(0.05)  # the receiver sleeps by then, and nothing else wakes its loop
            sent.append(time.perf_counter())
            async_to_sync(layer.group_send)("all", {"type": "push"})

        thread = threading.Thread(target=send)
        thread.start()
        await asyncio.wait_for(layer.receive(channel), 5)
        waits.append(time.perf_counter() - sent[0])
        await asyncio.to_thread(thread.join)
    return max(waits)


class TestGroupSend:
    async def test_wakes_a_receiver_from_a_plain_thread(self) -> None:
        waited = await seconds_until_received(ThreadedInMemoryLayer())
        print(f"woken after {waited * 1000:.1f} ms")
        assert waited < 0.1

    async def test_keeps_the_order_of_one_sender(self) -> None:
        layer = ThreadedInMemoryLayer(capacity=1000)
        channel = await layer.new_channel()
        await layer.group_add("all", channel)
        numbers = list(range(300))

        def send() -> None:
            for number in numbers:
                async_to_sync(layer.group_send)("all", {"type": "n", "n": number})

        thread = threading.Thread(target=send)
        thread.start()
        received = [(await asyncio.wait_for(layer.receive(channel), 5))["n"] for _ in numbers]
        thread.join()
        assert received == numbers

    async def test_loses_nothing_of_many_senders_to_many_receivers(self) -> None:
        layer = ThreadedInMemoryLayer(capacity=10_000)
        channels = [await layer.new_channel() for _ in range(5)]
        for channel in channels:
            await layer.group_add("all", channel)

        def send(sender: int) -> None:
            for number in range(100):
                async_to_sync(layer.group_send)("all", {"type": "n", "n": (sender, number)})

        async def receive(channel: str) -> list[tuple[int, int]]:
            return [(await layer.receive(channel))["n"] for _ in range(800)]

        readers = [asyncio.create_task(receive(channel)) for channel in channels]
        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        everything = await asyncio.wait_for(asyncio.gather(*readers), 30)
        for thread in threads:
            thread.join()
        first = everything[0]
        assert sorted(first) == [(sender, number) for sender in range(8) for number in range(100)]
        assert all(received == first for received in everything), "an order of its own on some socket"

    async def test_drops_what_a_full_channel_cannot_take(self) -> None:
        layer = ThreadedInMemoryLayer(capacity=2)
        channel = await layer.new_channel()
        await layer.group_add("all", channel)
        for number in range(5):
            await layer.group_send("all", {"type": "n", "n": number})
        assert [(await layer.receive(channel))["n"] for _ in range(2)] == [0, 1]

    async def test_reaches_nobody_who_left(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        await layer.group_add("all", channel)
        await layer.group_discard("all", channel)
        await layer.group_send("all", {"type": "push"})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(layer.receive(channel), 0.05)


class TestSend:
    async def test_reaches_a_receiver_from_a_plain_thread(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        receiver = asyncio.create_task(layer.receive(channel))
        await asyncio.sleep(0)
        await asyncio.to_thread(async_to_sync(layer.send), channel, {"type": "push", "n": 1})
        assert await asyncio.wait_for(receiver, 1) == {"type": "push", "n": 1}

    async def test_waits_for_a_receiver_to_come(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        await asyncio.to_thread(async_to_sync(layer.send), channel, {"type": "push"})
        assert await asyncio.wait_for(layer.receive(channel), 1) == {"type": "push"}

    async def test_says_when_a_channel_is_full(self) -> None:
        layer = ThreadedInMemoryLayer(capacity=1)
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "push"})
        await layer.receive(channel)  # from here on the channel has a loop
        await layer.send(channel, {"type": "push"})
        with pytest.raises(ChannelFull):
            await asyncio.to_thread(async_to_sync(layer.send), channel, {"type": "push"})

    async def test_hands_every_receiver_a_copy(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        message: dict[str, Any] = {"type": "push", "list": []}
        await layer.send(channel, message)
        message["list"].append(1)
        assert await layer.receive(channel) == {"type": "push", "list": []}


class TestReceive:
    async def test_leaves_nothing_behind_when_the_socket_goes(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        receiver = asyncio.create_task(layer.receive(channel))
        await asyncio.sleep(0)
        receiver.cancel()
        await asyncio.gather(receiver, return_exceptions=True)
        assert layer.channels == {}
        assert layer._loops == {}

    async def test_drops_what_nobody_fetched_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bcc.core.layers.CLEANING_SECONDS", 0)
        layer = ThreadedInMemoryLayer(expiry=0)
        dead, live = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("all", dead)
        await layer.send(dead, {"type": "push"})
        layer.expiry = 60
        await layer.send(live, {"type": "push"})
        await layer.receive(live)
        assert layer.channels == {}
        assert layer.groups["all"] == {}

    async def test_forgets_everything_when_flushed(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        await layer.group_add("all", channel)
        await layer.send(channel, {"type": "push"})
        await layer.flush()
        assert (layer.channels, layer.groups) == ({}, {})


class TestLoops:
    async def test_a_receiver_whose_loop_has_ended_holds_nobody_up(self) -> None:
        layer = ThreadedInMemoryLayer()
        channel = await layer.new_channel()
        await layer.group_add("all", channel)

        async def listen_a_little() -> None:
            task = asyncio.create_task(layer.receive(channel))
            await asyncio.sleep(0.01)
            # The loop ends under it, as a thread's does.
            layer._loops[channel] = asyncio.get_running_loop()
            task.cancel()

        from_a_thread(listen_a_little)
        await layer.send(channel, {"type": "push"})
        await layer.group_send("all", {"type": "push"})
        assert await asyncio.wait_for(layer.receive(channel), 1) == {"type": "push"}
