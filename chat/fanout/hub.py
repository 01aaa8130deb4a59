"""The hub of one process: who of its sockets listens to what, and that each hears everything once, in order.

A room is one topic with at least one local listener. What happens in a conversation has numbers without a
hole; the room gives events on in that order, keeps what comes early for a moment, and asks the database for
what does not come. A socket that joins is first given what it missed, while what happens meanwhile waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from django.db import DatabaseError

from bcc.core.errors import BusyError
from chat.fanout import bus as buses
from chat.fanout.bus import Bus, Event
from chat.fanout.wires import Batch

# How long an event may be overtaken before the missing one is asked for.
PATIENCE_SECONDS: Final = 0.1
# How often every room is compared with the database: what nobody published is found then.
SWEEP_SECONDS: Final = 3.0

log = structlog.get_logger(__name__)


class Missed(Protocol):
    """What a topic brought after a number: see ``chat.selectors.messages.Replay``."""

    @property
    def upto(self) -> int: ...
    @property
    def frames(self) -> Sequence[Event]: ...
    @property
    def is_cut(self) -> bool: ...


class Source(Protocol):
    """Where the truth is. Topics without numbers are not asked for."""

    async def missed(self, after: Mapping[str, int | None]) -> Mapping[str, Missed]: ...
    async def heads(self, topics: Iterable[str]) -> Mapping[str, int]: ...


class Ear(Protocol):
    """A socket, as its rooms see it."""

    def give(self, batch: Batch) -> None: ...
    def cut(self, topic: str, seq: int) -> None: ...


class Room:
    __slots__ = ("catching", "early", "is_mending", "last_seq", "late", "live", "outgoing", "topic")

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.live: set[Ear] = set()
        # Who is being given what they missed, and what happened meanwhile.
        self.catching: dict[Ear, list[Event]] = {}
        # Who was given more by the database than the room has heard of yet.
        self.late: dict[Ear, int] = {}
        self.last_seq: int | None = None
        self.early: dict[int, bytes] = {}
        self.outgoing: list[Event] = []
        self.is_mending = False

    @property
    def is_empty(self) -> bool:
        return not (self.live or self.catching or self.late)

    def take(self, seq: int, text: bytes) -> None:
        """Put an event where it belongs: out, aside for now, or away as known."""
        if seq == 0:
            self.outgoing.append((0, text))
        elif self.last_seq is None or seq > self.last_seq + 1:
            self.early[seq] = text
        elif seq == self.last_seq + 1:
            self.outgoing.append((seq, text))
            self.last_seq = seq
            self.take_early()

    def take_early(self) -> None:
        """What came early and follows now."""
        if self.last_seq is None or not self.early:
            return
        while (text := self.early.pop(self.last_seq + 1, None)) is not None:
            self.last_seq += 1
            self.outgoing.append((self.last_seq, text))
        for seq in [one for one in self.early if one <= self.last_seq]:
            del self.early[seq]


class Hub:
    """To be used in its loop alone; ``bus.publish`` is the way in from elsewhere."""

    def __init__(self, source: Source) -> None:
        self.loop = asyncio.get_running_loop()
        self.bus: Bus = buses.LocalBus()
        self._source = source
        self._rooms: dict[str, Room] = {}
        self._of: dict[Ear, set[str]] = {}
        # In the order in which they have something to give out.
        self._full: dict[Room, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, bus: Bus) -> None:
        self.bus = bus
        buses.add_listener(self)

    async def end(self) -> None:
        buses.remove_listener(self)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.close()

    @property
    def topics(self) -> list[str]:
        return list(self._rooms)

    def rooms_of(self, ear: Ear) -> set[str]:
        return self._of.get(ear, set())

    # ------------------------------------------------------------------------------ joining

    async def join(self, ear: Ear, after: Mapping[str, int | None]) -> dict[str, int]:
        """Have ``ear`` hear each topic from after a number on; None: from now on. Where each stands.

        Raises what the source raises; then nothing was joined.
        """
        mine = self._of.setdefault(ear, set())
        new = {topic: seq for topic, seq in after.items() if topic not in mine}
        for topic in new:
            self._room(topic).catching[ear] = []
        mine.update(new)
        try:
            await self.bus.subscribe(new)
            missed = await self._source.missed(new)
        except BaseException:
            for topic in new:
                self._leave(ear, topic)
            raise
        stands = {}
        for topic in new:
            room = self._rooms.get(topic)
            if room is None or ear not in room.catching:
                continue  # it left meanwhile
            stands[topic] = self._catch_up(room, ear, missed.get(topic))
        return stands

    def _catch_up(self, room: Room, ear: Ear, missed: Missed | None) -> int:
        meanwhile = room.catching.pop(ear)
        if missed is None:
            # A topic without numbers.
            room.live.add(ear)
            room.last_seq = 0 if room.last_seq is None else room.last_seq
            _give(ear, [text for _seq, text in meanwhile])
            return 0
        if room.last_seq is None:
            room.last_seq = missed.upto
            room.take_early()
            self._flush_soon(room)
        if missed.is_cut:
            ear.cut(room.topic, missed.upto)
        texts = [text for _seq, text in missed.frames]
        texts += [text for seq, text in meanwhile if seq == 0 or seq > missed.upto]
        _give(ear, texts)
        heard = max([missed.upto, *(seq for seq, _text in meanwhile)])
        if heard > room.last_seq or room.outgoing:
            # What is on its way out was not among what happened meanwhile, or is given already.
            room.late[ear] = heard
        else:
            room.live.add(ear)
        return missed.upto

    def leave(self, ear: Ear, topic: str | None = None) -> None:
        """Hear a topic no more, or none."""
        for one in [topic] if topic is not None else list(self._of.get(ear, ())):
            self._leave(ear, one)
        if topic is None:
            self._of.pop(ear, None)

    def _leave(self, ear: Ear, topic: str) -> None:
        self._of.get(ear, set()).discard(topic)
        room = self._rooms.get(topic)
        if room is None:
            return
        room.live.discard(ear)
        room.catching.pop(ear, None)
        room.late.pop(ear, None)
        if room.is_empty:
            del self._rooms[topic]
            self.bus.unsubscribe(topic)

    def _room(self, topic: str) -> Room:
        room = self._rooms.get(topic)
        if room is None:
            room = self._rooms[topic] = Room(topic)
        return room

    # ------------------------------------------------------------------------------ hearing

    def hear(self, topic: str, events: Sequence[Event]) -> None:
        """Take what was published, here or elsewhere."""
        room = self._rooms.get(topic)
        if room is None:
            return
        for seq, text in events:
            room.take(seq, text)
        self._flush_soon(room)
        if room.early and room.last_seq is not None and not room.is_mending:
            room.is_mending = True
            self._do(self._mend(room, PATIENCE_SECONDS))

    def tell(self, topic: str, text: bytes) -> None:
        """Something without a number, to those of this process only."""
        self.hear(topic, [(0, text)])

    def _flush_soon(self, room: Room) -> None:
        if room.outgoing:
            # Whatever else comes in this turn of the loop goes out with it, in one write a socket.
            if not self._full:
                self.loop.call_soon(self._flush)
            self._full[room] = None

    def _flush(self) -> None:
        full, self._full = self._full, {}
        for room in full:
            events, room.outgoing = room.outgoing, []
            batch = Batch([text for _seq, text in events])
            for ear in room.live.copy():
                ear.give(batch)
            for waiting in room.catching.values():
                waiting.extend(events)
            for ear, heard in list(room.late.items()):
                _give(ear, [text for seq, text in events if seq == 0 or seq > heard])
                if room.last_seq is not None and room.last_seq >= heard:
                    del room.late[ear]
                    room.live.add(ear)

    # ------------------------------------------------------------------------------ what is missing

    async def sweep(self) -> None:
        """Compare every room with the database, and mend those that are behind."""
        heads = await self._source.heads(self.topics)
        behind = [
            room
            for topic, head in heads.items()
            if (room := self._rooms.get(topic)) is not None
            and room.last_seq is not None
            and room.last_seq < head
            and not room.is_mending
        ]
        for room in behind:
            room.is_mending = True
        await asyncio.gather(*(self._mend(room, 0) for room in behind))

    async def restored(self) -> None:
        """The way from other processes is there again: whatever it did not bring is looked for."""
        await self.sweep()

    async def _mend(self, room: Room, patience: float) -> None:
        """Give out from the database what the room has not heard of, unless it comes by itself."""
        try:
            if patience:
                await asyncio.sleep(patience)
                if not room.early:
                    return
            while self._rooms.get(room.topic) is room and room.last_seq is not None:
                after = room.last_seq
                found = (await self._source.missed({room.topic: after})).get(room.topic)
                if found is None or room.last_seq != after:
                    return
                if found.is_cut:
                    for ear in [*room.live, *room.late]:
                        ear.cut(room.topic, found.upto)
                room.outgoing.extend(found.frames)
                room.last_seq = found.upto
                room.take_early()
                self._flush_soon(room)
                if found.upto == after:
                    room.early.clear()  # the database knows of no such number: nothing is missing
                if not room.early:
                    return
        except (BusyError, DatabaseError) as error:
            log.warning("chat_room_not_mended", topic=room.topic, reason=repr(error)[:200])
        except Exception:
            # A defect: its trace says what was wrong, and the next sweep tries again.
            log.exception("chat_mending_failed", topic=room.topic)
        finally:
            room.is_mending = False

    def _do(self, work: Awaitable[None]) -> None:
        task = self.loop.create_task(_run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _run(work: Awaitable[None]) -> None:
    await work


def _give(ear: Ear, texts: Sequence[bytes]) -> None:
    if texts:
        ear.give(Batch(texts))
