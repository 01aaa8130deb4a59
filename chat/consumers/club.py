"""The socket of the app: it signs in, hears what is pushed to its user, and takes part in the chat.

Everything that a socket does happens in ``dispatch``, one event after the other: what the client
sends, what the channel layer brings, and its own alarms. So nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import time
from enum import IntEnum
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.utils import await_many_dispatch
from django.conf import settings
from django.db import DatabaseError
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.errors import BusyError, DomainError, NotAllowedError, NotAuthenticatedError
from bcc.core.push import send_to
from chat.consumers.office import office_here
from chat.consumers.speaking import Speaking
from chat.fanout.wires import EXTENSION, AsgiWire, Batch, RawWire
from chat.policies.pace import Pace
from chat.serializers import asked, frames
from chat.services.admission import Admission, admit_ticket, admit_token, confirm
from chat.services.connections import connect

# How long a socket may stay silent before it has signed in, and between two pings.
AUTH_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 25
LAST_WORD_SECONDS: Final = 0.5
GOODBYE_SECONDS: Final = 2.0
# Frames that are refused: five at once, and then one in ten seconds.
REFUSALS_AT_ONCE: Final = 5
REFUSALS_PER_SECOND: Final = 0.1

OPEN: Final = Gauge("bcc_sockets_open", "Sockets that are signed in, in this process.")
CLOSED: Final = Counter("bcc_sockets_closed", "Sockets that were closed, by the code or the client.", ["by"])

log = structlog.get_logger(__name__)


class Close(IntEnum):
    """Why the server closes; below 4000 as RFC 6455's registry has them."""

    RESTARTING = 1012
    TRY_LATER = 1013
    NOT_AUTHENTICATED = 4001
    NOT_ALLOWED = 4003
    TOO_SLOW = 4008
    SESSION_ENDED = 4009
    TOO_FAST = 4029


_in_process: set[ClubSocket] = set()


class ClubSocket(Speaking, AsyncConsumer):
    """``/ws/v1``. One a session: a newer one takes the place of an older."""

    def __init__(self) -> None:
        self.admission: Admission | None = None
        self.identity: Identity | None = None
        self.connection: UUID | None = None
        self.watching = {}
        self.is_listening = False
        self._typed = {}
        self.closed_by = "client"
        self.gone = asyncio.Event()
        self._alarms: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._alarm: asyncio.TimerHandle | None = None
        self._pace = Pace(settings.SOCKET_FRAMES_PER_SECOND, settings.SOCKET_FRAMES_AT_ONCE)
        self._patience = Pace(REFUSALS_PER_SECOND, REFUSALS_AT_ONCE)
        self._opened: list[Any] = []
        self._is_counted = False
        self._is_in_office = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        protocol = scope.get("extensions", {}).get(EXTENSION)
        self.wire: RawWire | AsgiWire = (
            AsgiWire(send, self._slow) if protocol is None else RawWire(protocol, self._slow)
        )
        began = time.monotonic()
        _in_process.add(self)
        try:
            await await_many_dispatch([receive, self._alarms.get], self.dispatch)
        except StopConsumer:
            pass  # Channels' way to end
        finally:
            _in_process.discard(self)
            self.gone.set()
            await self._leave()
            log.info("socket_closed", by=self.closed_by, seconds=round(time.monotonic() - began, 1))

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own first goes to a thread, to close database connections; here whoever uses one does.
        await getattr(self, get_handler_name(message))(message)

    def ring(self, event: str) -> None:
        """Let ``event`` come next, from code of the same loop."""
        self.ring_with({"type": event})

    def ring_with(self, event: dict[str, Any]) -> None:
        """Let ``event`` come next, as the channel layer brings it."""
        self._alarms.put_nowait(event)

    @property
    def speaker(self) -> Identity:  # type: ignore[override]  # a part's plain attribute
        """Who it is, once it is signed in."""
        if self.identity is None:
            raise RuntimeError("Asked of a socket that is not signed in.")
        return self.identity

    def give(self, batch: Batch) -> None:
        """Write frames that were made for several."""
        self.wire.write(batch)

    def tell(self, frame: object) -> None:
        """Write one frame."""
        self.wire.write(Batch([frames.written(frame)]))

    def cut(self, topic: str, seq: int) -> None:
        """More was missed than is sent: the app fetches it."""
        told: frames.ResyncRequired = {
            "type": "resync_required",
            "conversation": str(UUID(topic.removeprefix("c."))),
            "seq": seq,
        }
        self.tell(told)

    def _slow(self) -> None:
        self.ring("wire.slow")

    # ------------------------------------------------------------------------------- from the client

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.base_send({"type": "websocket.accept"})
        query = parse_qs(self.scope.get("query_string", b"").decode("latin1"), keep_blank_values=True)
        tickets = query.get("ticket")
        if tickets is None:
            self._set_alarm("auth.due", AUTH_SECONDS)
        else:
            ticket = tickets[0] if len(tickets) == 1 else ""
            await self._sign_in("ticket", admit_ticket, ticket=ticket, now=clock.now())

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        at = time.monotonic()
        if not self._pace.allows(at):
            await self._refuse(asked.TooFastError(), Close.TOO_FAST, retry_after=self._pace.wait)
        try:
            frame = asked.read_frame(message.get("text"))
            if self.admission is None and frame["type"] != "auth":
                raise asked.AuthFirstError
            if self.admission is not None and frame["type"] == "auth":
                raise asked.OutOfTurnError
        except asked.FrameError as refusal:
            if self.admission is None:
                await self._refuse(refusal, Close.NOT_AUTHENTICATED)
            if not self._patience.allows(at):
                await self._refuse(refusal, Close.TOO_FAST, retry_after=self._patience.wait)
            self.tell(frames.error(refusal))
            return
        if frame["type"] == "auth":
            self._set_alarm(None)
            await self._sign_in("token", admit_token, token=frame["token"], now=clock.now())
        elif frame["type"] == "ping":
            if frame.get("active"):
                self.office.note_active(self, clock.now())
            self.tell(frames.pong(now=clock.now()))
        else:
            await self.answer(frame)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer

    # ------------------------------------------------------------------- from the rest of the club

    async def push(self, event: dict[str, Any]) -> None:
        """What ``bcc.core.push.to_user`` sent: forwarded unread."""
        self.tell(event["message"])

    async def session_ended(self, event: dict[str, Any]) -> None:
        """What ``bcc.core.push.end_sessions`` sent: all of the user's, or one."""
        if self.admission is not None and event["session"] in (None, str(self.admission.session)):
            await self._part("session_ended", Close.SESSION_ENDED)

    async def session_opened(self, event: dict[str, Any]) -> None:
        """Another socket of the same user signed in. Of one session's the newest stays, in any process."""
        if self.admission is None or event["session"] != str(self.admission.session):
            return
        if event["opened"] > self._opened:
            await self._part("replaced", Close.NOT_ALLOWED)

    async def connection_closed(self, event: dict[str, Any]) -> None:
        """Staff closed this socket, or another of the same user."""
        if self.connection is not None and event["connection"] == str(self.connection):
            await self._part("closed_by_staff", Close.NOT_ALLOWED)

    # ------------------------------------------------------------------------------------ alarms

    async def auth_due(self, event: dict[str, Any]) -> None:
        await self._refuse(asked.AuthFirstError(), Close.NOT_AUTHENTICATED)

    async def member_suspended(self, event: dict[str, Any]) -> None:
        await self._part("suspended", Close.NOT_ALLOWED)

    async def wire_slow(self, event: dict[str, Any]) -> None:
        """Too much waits for this client: it is told, after whatever it still reads, and comes again."""
        if isinstance(self.wire, RawWire):
            self.closed_by = str(int(Close.TOO_SLOW))
            self.wire.close_slow(Close.TOO_SLOW, "too_slow")
            raise StopConsumer
        await self._close(Close.TOO_SLOW)

    async def recheck_due(self, event: dict[str, Any]) -> None:
        """Look whether the session still stands: the push that said otherwise may have been lost."""
        if self.admission is None:
            return
        try:
            await database_sync_to_async(confirm)(admission=self.admission, now=clock.now())
        except NotAuthenticatedError:
            await self._part("session_ended", Close.SESSION_ENDED)
        except NotAllowedError:
            await self._part("suspended", Close.NOT_ALLOWED)
        except (BusyError, DatabaseError) as error:
            log.warning("socket_not_rechecked", reason=repr(error)[:200])  # the office asks again

    async def server_stopping(self, event: dict[str, Any]) -> None:
        await self._part("restarting", Close.RESTARTING)

    # ---------------------------------------------------------------------------------- how it is done

    async def _sign_in(self, way: str, admit: Any, **credential: Any) -> None:
        try:
            admission: Admission = await database_sync_to_async(admit)(**credential)
            self.office, self._is_in_office = office_here(), True
            self.office.open_door(self)
            # The group first, the row second: a session that ends in between is heard of or seen.
            await self.office.switchboard.connect(self, admission.user)
            self.admission = admission
            self.identity = await database_sync_to_async(confirm)(admission=admission, now=clock.now())
            self.office.enter(self)
            self.connection = await database_sync_to_async(connect)(
                process=self.office.name, identity=self.identity, now=clock.now()
            )
            self._opened = [time.time_ns(), str(self.connection)]
            opened = {"type": "session.opened", "session": str(admission.session), "opened": self._opened}
            await send_to(admission.user, opened)
        except NotAuthenticatedError as refusal:
            await self._refuse(refusal, Close.NOT_AUTHENTICATED)
        except NotAllowedError as refusal:
            await self._refuse(refusal, Close.NOT_ALLOWED)
        except (BusyError, RedisError) as error:
            log.warning("socket_not_opened", reason=type(error).__name__)
            await self._refuse(BusyError(), Close.TRY_LATER, retry_after=1)
        else:
            OPEN.inc()
            self._is_counted = True
            log.info("socket_opened", way=way)
            self.tell(frames.welcome(now=clock.now(), heartbeat=HEARTBEAT_SECONDS))

    async def _refuse(self, refusal: DomainError, code: Close, *, retry_after: int | None = None) -> None:
        """Say why, and close."""
        self.tell(frames.error(refusal, retry_after=retry_after))
        await self._close(code)

    async def _part(self, reason: frames.ByeReason, code: Close) -> None:
        self.tell(frames.bye(reason))
        await self._close(code)

    async def _close(self, code: Close) -> None:
        """Close and end. Who does not read may not read the code either, and is not waited for."""
        self.closed_by = str(int(code))
        try:
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self.wire.drained()
                await self.base_send({"type": "websocket.close", "code": int(code)})
        except TimeoutError:
            log.warning("socket_close_not_sent", by=self.closed_by)
        raise StopConsumer

    async def _leave(self) -> None:
        self._set_alarm(None)
        self.wire.end()
        CLOSED.labels(self.closed_by).inc()
        if self._is_counted:
            OPEN.dec()
        if self._is_in_office:
            user = None if self.admission is None else self.admission.user
            await self.office.leave(self, user, self.connection)

    def _set_alarm(self, event: str | None, seconds: float = 0.0) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = None if event is None else loop.call_later(seconds, self.ring, event)


async def say_goodbye() -> None:
    """Tell the sockets of this process that the server stops, and wait a moment until they are gone.

    To be called in their loop.
    """
    here = list(_in_process)
    for one in here:
        one.ring("server.stopping")
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            for one in here:
                await one.gone.wait()
    except TimeoutError:
        log.warning("sockets_still_open", count=sum(not one.gone.is_set() for one in here))
