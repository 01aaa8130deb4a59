"""The hub: each socket hears everything once and in order, whatever comes early, twice or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from chat.fanout import bus, hub
from chat.fanout.bus import LocalBus
from chat.fanout.hub import Hub
from chat.fanout.wires import Batch
from chat.selectors.messages import Replay

TOPIC = "c.room"


def text(seq: int) -> bytes:
    return str(seq).encode()


@dataclass
class Truth:
    """What is in the database; ``opens`` holds up whoever asks."""

    last: int = 0
    opens: asyncio.Event = field(default_factory=asyncio.Event)
    most: int = 1000
    asked: int = 0

    async def missed(self, after: Mapping[str, int | None]) -> Mapping[str, Replay]:
        self.asked += 1
        last = self.last
        await self.opens.wait()
        found = {}
        for topic, seq in after.items():
            if not topic.startswith("c."):
                continue
            frames = tuple((one, text(one)) for one in range((last if seq is None else seq) + 1, last + 1))
            found[topic] = Replay(last, (), is_cut=True) if len(frames) > self.most else Replay(last, frames)
        return found

    async def heads(self, topics: Iterable[str]) -> Mapping[str, int]:
        return dict.fromkeys(topics, self.last)


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.writes = 0
        self.cuts: list[int] = []

    def give(self, batch: Batch) -> None:
        self.writes += 1
        self.heard += [one.decode() for one in batch.texts]

    def cut(self, topic: str, seq: int) -> None:
        self.cuts.append(seq)

    async def has(self, *seqs: int) -> None:
        wanted = [str(one) for one in seqs]
        for _ in range(1000):
            if len(self.heard) >= len(wanted):
                break
            await asyncio.sleep(0.005)
        await asyncio.sleep(0)
        assert self.heard == wanted


@pytest.fixture
def truth() -> Truth:
    made = Truth()
    made.opens.set()
    return made


@pytest_asyncio.fixture
async def one_hub(truth: Truth) -> AsyncIterator[Hub]:
    made = Hub(truth)
    made.begin(LocalBus())
    yield made
    await made.end()


def happen(truth: Truth, *seqs: int) -> None:
    truth.last = max(truth.last, *seqs)
    bus.publish(TOPIC, [(one, text(one)) for one in seqs])


class TestHearing:
    async def test_gives_everything_in_order_in_one_write(self, one_hub: Hub, truth: Truth) -> None:
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        happen(truth, 1, 2, 3)
        await ear.has(1, 2, 3)
        assert ear.writes == 1

    async def test_puts_what_came_early_where_it_belongs(self, one_hub: Hub, truth: Truth) -> None:
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        happen(truth, 2)
        happen(truth, 3)
        happen(truth, 1)
        await ear.has(1, 2, 3)

    async def test_passes_over_what_it_has_heard(self, one_hub: Hub, truth: Truth) -> None:
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        for seqs in ((1, 2), (2,), (1, 2, 3)):
            happen(truth, *seqs)
        await ear.has(1, 2, 3)

    async def test_asks_for_what_does_not_come(
        self, one_hub: Hub, truth: Truth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        happen(truth, 1)
        truth.last = 3
        happen(truth, 4)
        await ear.has(1, 2, 3, 4)

    async def test_finds_the_last_one_that_nobody_published(self, one_hub: Hub, truth: Truth) -> None:
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        truth.last = 2
        await one_hub.sweep()
        await ear.has(1, 2)
        happen(truth, 2)
        happen(truth, 3)
        await ear.has(1, 2, 3)

    async def test_does_not_wait_for_a_number_that_is_none(
        self, one_hub: Hub, truth: Truth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
        ear = Listener()
        await one_hub.join(ear, {TOPIC: None})
        bus.publish(TOPIC, [(99, b"99")])
        for _ in range(1000):
            if truth.asked >= 2:
                break
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert truth.asked == 2
        happen(truth, 1)
        await ear.has(1)

    async def test_gives_what_has_no_number_to_whoever_is_there(self, one_hub: Hub) -> None:
        here, gone = Listener(), Listener()
        for ear in (here, gone):
            await one_hub.join(ear, {"p.somebody": None})
        one_hub.leave(gone)
        one_hub.tell("p.somebody", b"online")
        await asyncio.sleep(0.01)
        assert (here.heard, gone.heard) == (["online"], [])
        one_hub.leave(here)
        assert one_hub.topics == []


class TestJoining:
    async def test_gets_what_it_missed_and_then_what_comes(self, one_hub: Hub, truth: Truth) -> None:
        truth.last = 3
        ear = Listener()
        assert await one_hub.join(ear, {TOPIC: 1}) == {TOPIC: 3}
        happen(truth, 4)
        await ear.has(2, 3, 4)

    @pytest.mark.parametrize("is_first", [True, False])
    async def test_hears_once_what_happens_while_it_catches_up(
        self, one_hub: Hub, truth: Truth, is_first: bool
    ) -> None:
        truth.last = 2
        if not is_first:
            await one_hub.join(Listener(), {TOPIC: None})
        ear = Listener()
        truth.opens.clear()
        joining = asyncio.create_task(one_hub.join(ear, {TOPIC: 0}))
        await asyncio.sleep(0.01)
        happen(truth, 3)  # heard while the rows until 2 are on their way
        await asyncio.sleep(0.01)
        truth.opens.set()
        await joining
        happen(truth, 4)
        await ear.has(1, 2, 3, 4)

    async def test_is_not_given_again_what_the_database_gave_first(self, one_hub: Hub, truth: Truth) -> None:
        """The rows are there before the event is: a commit in another process."""
        other, ear = Listener(), Listener()
        await one_hub.join(other, {TOPIC: None})
        truth.last = 2
        await one_hub.join(ear, {TOPIC: 0})
        happen(truth, 1, 2)
        happen(truth, 3)
        await ear.has(1, 2, 3)
        await other.has(1, 2, 3)

    async def test_is_told_to_fetch_where_it_missed_too_much(self, one_hub: Hub, truth: Truth) -> None:
        truth.last, truth.most = 50, 10
        ear = Listener()
        await one_hub.join(ear, {TOPIC: 0})
        assert ear.cuts == [50]
        happen(truth, 51)
        await ear.has(51)

    async def test_that_fails_joins_nothing(
        self, one_hub: Hub, truth: Truth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(_after: object) -> Mapping[str, Replay]:
            raise OSError("away")

        monkeypatch.setattr(truth, "missed", away)
        ear = Listener()
        with pytest.raises(OSError, match="away"):
            await one_hub.join(ear, {TOPIC: 0})
        assert one_hub.topics == []


class TestBatch:
    @pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
    def test_is_framed_as_the_protocol_says(self, length: int) -> None:
        from websockets.frames import Frame, Opcode

        body = b"x" * length
        assert Batch([body, b"y"]).framed == Frame(Opcode.TEXT, body).serialize(mask=False) + Frame(
            Opcode.TEXT, b"y"
        ).serialize(mask=False)
