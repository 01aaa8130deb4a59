"""What the sockets of one process share: the hub, the sending, the pointers, and the beat of presence.

It begins with the first socket that signs in and ends with the last. Everything here happens in the loop of
the sockets; what asks the database does so in a thread.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError

from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.clock import instant_text
from bcc.core.errors import BusyError, DomainError
from chat.consumers.switchboard import Switchboard
from chat.fanout.bus import LocalBus, RedisBus, publish
from chat.fanout.frames import Presence, presence_topic, text_of
from chat.fanout.hub import SWEEP_SECONDS, Ear, Hub, Missed
from chat.fanout.wires import Wire
from chat.models import topic_of
from chat.policies.pace import Pace
from chat.policies.presence import BEAT
from chat.selectors import messages, rooms
from chat.services import connections
from chat.services.admission import Admission, in_doubt
from chat.services.pointers import Pointer, move_pointers
from chat.services.send import Outgoing, Sent, send_messages

# Of what is said at once, so many messages stand in one transaction.
MOST_TOGETHER: Final = 64
# How long pointers and comings and goings gather.
GATHER_SECONDS: Final = 0.25
# How often it is asked whether the sessions of the sockets still stand.
RECHECK_SECONDS: Final = 25.0
BEAT_SECONDS: Final = BEAT.total_seconds()

log = structlog.get_logger(__name__)
Answer = Callable[[Sent | DomainError], None]
in_thread = database_sync_to_async

_offices: WeakKeyDictionary[asyncio.AbstractEventLoop, Office] = WeakKeyDictionary()


def office_here() -> Office:
    """The office of the running loop, begun if there is none."""
    loop = asyncio.get_running_loop()
    office = _offices.get(loop)
    if office is None:
        office = _offices[loop] = Office()
    return office


class Truth:
    """The hub's source: the conversations in the database. Topics that are none have no numbers."""

    async def missed(self, after: Mapping[str, int | None]) -> Mapping[str, Missed]:
        asked = {_conversation(topic): seq for topic, seq in after.items() if topic.startswith("c.")}
        if not asked:
            return {}
        found = await in_thread(messages.replay)(asked)
        return {topic_of(conversation): one for conversation, one in found.items()}

    async def heads(self, topics: Iterable[str]) -> Mapping[str, int]:
        asked = [_conversation(topic) for topic in topics if topic.startswith("c.")]
        if not asked:
            return {}
        found = await in_thread(messages.last_seqs)(asked)
        return {topic_of(conversation): seq for conversation, seq in found.items()}


def _conversation(topic: str) -> UUID:
    return UUID(topic.removeprefix("c."))


class Seated(Ear, Protocol):
    """What the office knows of a socket. ``speaker`` is ``identity`` where it is signed in."""

    connection: UUID | None

    @property
    def admission(self) -> Admission | None: ...

    @property
    def identity(self) -> Identity | None: ...

    @property
    def speaker(self) -> Identity: ...

    @property
    def wire(self) -> Wire: ...

    @property
    def watching(self) -> Mapping[int, UUID]: ...

    def ring(self, event: str) -> None: ...

    def ring_with(self, event: dict[str, Any]) -> None: ...


class Office:
    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"[-80:]
        self.hub = Hub(Truth())
        self.sockets: set[Seated] = set()
        self.switchboard = Switchboard(self.name)
        # Everybody from the door on; of them those are ``sockets`` who have signed in.
        self._inside: set[Seated] = set()
        self._loop = asyncio.get_running_loop()
        self._asks: list[tuple[Outgoing, Answer]] = []
        self._paces: dict[int, Pace] = {}
        self._pointers: dict[tuple[int, UUID], Pointer] = {}
        self._gone: set[UUID] = set()
        self._moved: set[int] = set()
        self._active: dict[UUID, tuple[int, datetime]] = {}
        self._states: dict[int, Any] = {}
        self._looked_at = clock.now()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        url = settings.CHAT_REDIS_URL
        self.hub.begin(RedisBus(url, self.hub.hear, self.hub.restored) if url else LocalBus())
        self._start("live", self._live)

    # ------------------------------------------------------------------------------ sockets

    def open_door(self, one: Seated) -> None:
        """Somebody is about to come in: the office stays until they ``leave``."""
        self._inside.add(one)

    def enter(self, one: Seated) -> None:
        self.sockets.add(one)
        self._stir(one.speaker.user_id)

    async def leave(self, one: Seated, user: UUID | None, connection: UUID | None) -> None:
        """A socket has gone, of ``user`` if that is known; after the last one the office closes, and its
        rows go."""
        self.hub.leave(one)
        self.sockets.discard(one)
        if connection is not None:
            self._gone.add(connection)
            self._active.pop(connection, None)
        if one.identity is not None:
            self._stir(one.identity.user_id)
        if user is not None:
            await self.switchboard.disconnect(one, user)
        self._inside.discard(one)
        if self._inside:
            return
        if _offices.get(self._loop) is self:
            del _offices[self._loop]
        await self._close()

    async def _close(self) -> None:
        for name in ("live", "gather"):
            task = self._tasks.pop(name, None)
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        while self._tasks:
            # What is being said is said to its end.
            await asyncio.wait(list(self._tasks.values()))
        try:
            await self._gather_once()
            await in_thread(connections.end_process)(name=self.name)
        except (BusyError, DatabaseError):
            log.warning("chat_office_not_ended", exc_info=True)  # the next beat of another sweeps it up
        await self.hub.end()
        await self.switchboard.close()

    # ------------------------------------------------------------------------------ saying

    def allows(self, user_id: int, at: float) -> bool:
        """Whether one more message of this sender is within the pace, over all of their sockets here."""
        pace = self._paces.get(user_id)
        if pace is None:
            if len(self._paces) > 10_000:
                self._paces.clear()
            pace = self._paces[user_id] = Pace(
                settings.CHAT_MESSAGES_PER_SECOND, settings.CHAT_MESSAGES_AT_ONCE
            )
        return pace.allows(at)

    def say(self, ask: Outgoing, answer: Answer) -> None:
        """Have it written with whatever else waits, and ``answer`` called with what became of it.

        No timer: alone, it goes at once; while a transaction is under way the next one gathers.
        """
        self._asks.append((ask, answer))
        self._start("say", self._say)

    async def _say(self) -> None:
        while self._asks:
            batch, self._asks = self._asks[:MOST_TOGETHER], self._asks[MOST_TOGETHER:]
            try:
                results = await in_thread(send_messages)(asks=[ask for ask, _ in batch], now=clock.now())
            except (BusyError, DatabaseError) as error:
                log.warning("chat_not_sent", count=len(batch), reason=repr(error)[:200])
                results = [BusyError()] * len(batch)
            except Exception:
                # A defect: it is logged with its trace, and nobody waits for ever.
                log.exception("chat_send_failed", count=len(batch))
                results = [BusyError()] * len(batch)
            for (_ask, answer), result in zip(batch, results, strict=True):
                answer(result)

    # ------------------------------------------------------------------------------ pointers, presence

    def point(self, pointer: Pointer) -> None:
        """Move a pointer soon, together with others; of one somebody the furthest counts."""
        key = (pointer.user_id, pointer.conversation)
        known = self._pointers.get(key)
        if known is not None:
            pointer = Pointer(
                user_id=pointer.user_id,
                user=pointer.user,
                conversation=pointer.conversation,
                read=max(pointer.read, known.read),
                delivered=max(pointer.delivered, known.delivered),
                may_join=pointer.may_join or known.may_join,
            )
        self._pointers[key] = pointer
        self._start("gather", self._gather)

    def note_active(self, one: Seated, now: datetime) -> None:
        """A hand is at the device. Written with the next beat; shown at once if they were not there."""
        if one.connection is None:
            return
        user_id = one.speaker.user_id
        self._active[one.connection] = (user_id, now)
        known = self._states.get(user_id)
        if known is not None and known[0] != "online":
            self._start("beat", self._beat_now)

    def remember_states(self, states: Mapping[int, Any]) -> None:
        """They have just been told: the beat tells what differs."""
        self._states.update(states)

    def _stir(self, user_id: int) -> None:
        self._moved.add(user_id)
        self._start("gather", self._gather)

    async def _gather(self) -> None:
        while self._pointers or self._gone or self._moved:
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._gather_once()
            except (BusyError, DatabaseError) as error:
                log.warning("chat_not_gathered", reason=repr(error)[:200])

    async def _gather_once(self) -> None:
        now = clock.now()
        if self._gone:
            gone, self._gone = self._gone, set()
            await in_thread(connections.disconnect)(gone=sorted(gone))
        if self._pointers:
            pointers, self._pointers = self._pointers, {}
            await in_thread(move_pointers)(pointers=list(pointers.values()), now=now)
        if self._moved:
            moved, self._moved = self._moved, set()
            for user_id, (public_id, state) in (await in_thread(rooms.named_states)(moved, now)).items():
                self._states[user_id] = state
                publish(presence_topic(public_id), [(0, presence_text(public_id, state))])

    # ------------------------------------------------------------------------------ the beat

    async def _live(self) -> None:
        """Every few seconds: what was missed, and who may be here no more; the beat, less often."""
        beaten = rechecked = self._loop.time()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.hub.sweep()
                await self.switchboard.call()
                await self._look()
                if self._loop.time() - rechecked >= RECHECK_SECONDS:
                    rechecked = self._loop.time()
                    await self._recheck()
                if self._loop.time() - beaten >= BEAT_SECONDS:
                    beaten = self._loop.time()
                    await self._beat()
            except (BusyError, DatabaseError) as error:
                log.warning("chat_beat_missed", reason=repr(error)[:200])
            except Exception:
                # A fault of ours must not end the beat, or everybody here would look gone.
                log.exception("chat_beat_failed")

    async def _look(self) -> None:
        """Who came into a conversation without being told, and whose household is suspended."""
        by_user: dict[int, list[Seated]] = {}
        for one in self.sockets:
            by_user.setdefault(one.speaker.user_id, []).append(one)
        since, self._looked_at = self._looked_at - timedelta(seconds=10), clock.now()
        for user_id, conversation in await in_thread(rooms.joined_since)(since, list(by_user)):
            for one in by_user.get(user_id, ()):
                one.ring_with({"type": "conversation.joined", "conversation": conversation.hex})
        for user_id in await in_thread(rooms.suspended)(list(by_user)):
            for one in by_user.get(user_id, ()):
                one.ring("member.suspended")

    async def _recheck(self) -> None:
        """Whose session may be over has to look; one question for all of them."""
        here = {one: one.admission for one in self.sockets if one.admission is not None}
        doubtful = await in_thread(in_doubt)(admissions=list(here.values()), now=clock.now())
        for one, admission in here.items():
            if admission.session in doubtful:
                one.ring("recheck.due")

    async def _beat_now(self) -> None:
        try:
            await self._beat()
        except (BusyError, DatabaseError) as error:
            log.warning("chat_beat_missed", reason=repr(error)[:200])

    async def _beat(self) -> None:
        now = clock.now()
        active, self._active = self._active, {}
        loads = {}
        for one in self.sockets:
            frames, size = one.wire.waiting()
            if size and one.connection is not None:
                loads[one.connection] = connections.Load(frames, size)
        is_known = await in_thread(connections.beat)(process=self.name, active=active, loads=loads, now=now)
        if not is_known:
            log.warning("chat_process_was_taken_for_dead", sockets=len(self.sockets))
            for one in list(self.sockets):
                one.connection = await in_thread(connections.connect)(
                    process=self.name, identity=one.speaker, now=now
                )
        watched = {user_id: public_id for one in self.sockets for user_id, public_id in one.watching.items()}
        self._states = {user_id: self._states.get(user_id) for user_id in watched}
        for user_id, state in (await in_thread(rooms.states_of)(list(watched), now)).items():
            if self._states.get(user_id) != state:
                self._states[user_id] = state
                self.hub.tell(presence_topic(watched[user_id]), presence_text(watched[user_id], state))

    def _start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = self._tasks.get(name)
        if task is None or task.done():
            task = self._tasks[name] = self._loop.create_task(_run(work))
            task.add_done_callback(lambda done: self._forget(name, done))

    def _forget(self, name: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is done:
            del self._tasks[name]


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def presence_text(user: UUID, state: tuple[Any, datetime | None]) -> bytes:
    frame: Presence = {
        "type": "presence",
        "user": str(user),
        "state": state[0],
        "last_active_at": None if state[1] is None else instant_text(state[1]),
    }
    return text_of(frame)
