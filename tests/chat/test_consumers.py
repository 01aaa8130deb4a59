"""The socket, from the handshake to each way in which it ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from accounts.models import Session, User
from accounts.services import epoch, notifications
from accounts.services.identities import identify
from accounts.services.passwords import change_password
from accounts.services.sessions import end_all_sessions, log_out
from accounts.services.tokens import make_tokens
from bcc.core import push
from bcc.core.errors import BusyError
from chat import consumers
from chat.serializers.frames import FRAME_LIMIT
from chat.services.admission import issue_ticket
from tests.chat.conftest import Person, Sockets, check_described, make_person
from tests.factories import make_session

pytestmark = pytest.mark.django_db(transaction=True)

InThread = Callable[..., Awaitable[Any]]


def ticket_of(person: Person) -> str:
    now = timezone.now()
    return issue_ticket(identity=identify(token=person.token, now=now), now=now).text


def user_of(person: Person) -> User:
    assert person.member.user is not None
    return person.member.user


def sampled(metric: Any) -> float:
    """The value of one metric: the whole registry would ask the database."""
    value: float = next(iter(metric.collect())).samples[0].value
    return value


def gauge() -> float:
    return sampled(consumers.OPEN)


class TestSignIn:
    async def test_is_welcomed_with_a_ticket(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        socket = sockets.make(f"?ticket={await in_thread(ticket_of, person)}")
        await socket.open()
        welcome = await socket.hear()
        assert (welcome["type"], welcome["heartbeat"]) == ("welcome", 25)
        assert welcome["server_time"].endswith("Z")

    async def test_is_welcomed_with_a_token_as_the_first_frame(
        self, sockets: Sockets, person: Person
    ) -> None:
        await sockets.sign_in(person)

    async def test_refuses_a_ticket_that_was_used(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        ticket = await in_thread(ticket_of, person)
        for expected in ("welcome", "error"):
            socket = sockets.make(f"?ticket={ticket}")
            await socket.open()
            frame = await socket.hear()
            assert frame["type"] == expected
        assert frame["code"] == "ticket_invalid"
        assert await socket.closed_with() == 4001

    @pytest.mark.parametrize("query", ["?ticket=", "?ticket=x", "?ticket=a&ticket=b", "?ticket=%C3%A9"])
    async def test_refuses_what_is_no_ticket(self, sockets: Sockets, person: Person, query: str) -> None:
        socket = sockets.make(query)
        await socket.open()
        assert (await socket.hear())["code"] == "ticket_invalid"
        assert await socket.closed_with() == 4001

    async def test_takes_no_token_from_the_address(self, sockets: Sockets, person: Person) -> None:
        socket = sockets.make(f"?token={person.token}")
        await socket.open()
        assert await socket.receive_nothing()

    @pytest.mark.parametrize(
        ("frame", "code"),
        [
            ({"type": "auth", "token": "x"}, "token_invalid"),
            ({"type": "auth"}, "invalid"),
            ({"type": "ping"}, "not_authenticated"),
            ({"type": "hello"}, "unknown_type"),
        ],
        ids=["bad token", "no token", "ping", "unknown"],
    )
    async def test_refuses_any_other_first_frame(
        self, sockets: Sockets, person: Person, frame: dict[str, Any], code: str
    ) -> None:
        socket = sockets.make()
        await socket.open()
        await socket.say(frame)
        assert (await socket.hear())["code"] == code
        assert await socket.closed_with() == 4001

    async def test_closes_who_says_nothing(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "AUTH_SECONDS", 0.1)
        socket = sockets.make()
        await socket.open()
        assert (await socket.hear())["code"] == "not_authenticated"
        assert await socket.closed_with() == 4001

    async def test_leaves_who_signed_in_alone_after_that_time(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "AUTH_SECONDS", 0.1)
        socket = await sockets.sign_in(person)
        assert await socket.receive_nothing(0.4)

    async def test_refuses_a_ticket_of_a_session_that_ended_since(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        ticket = await in_thread(ticket_of, person)
        await in_thread(log_out, identity=await in_thread(identity_of, person), now=timezone.now())
        socket = sockets.make(f"?ticket={ticket}")
        await socket.open()
        assert (await socket.hear())["code"] == "session_ended"
        assert await socket.closed_with() == 4001

    async def test_asks_to_come_again_while_the_cache_is_away(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(**_: Any) -> None:
            raise BusyError

        monkeypatch.setattr(consumers, "admit_ticket", away)
        socket = sockets.make("?ticket=any")
        await socket.open()
        refusal = await socket.hear()
        assert (refusal["code"], refusal["retry_after"]) == ("busy", 1)
        assert await socket.closed_with() == 1013

    async def test_asks_to_come_again_while_the_channel_layer_is_away(
        self, sockets: Sockets, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: Any) -> None:
            raise RedisConnectionError("away")

        monkeypatch.setattr(get_channel_layer(), "group_add", away)
        socket = sockets.make()
        await socket.open()
        await socket.say({"type": "auth", "token": person.token})
        assert (await socket.hear())["code"] == "busy"
        assert await socket.closed_with() == 1013


def identity_of(person: Person) -> Any:
    return identify(token=person.token, now=timezone.now())


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
    async def test_refuses_a_foreign_page(self, sockets: Sockets, origin: str) -> None:
        accepted, _ = await sockets.make(headers=[(b"origin", origin.encode())]).connect()
        assert not accepted

    async def test_lets_the_clubs_own_page_in(self, sockets: Sockets) -> None:
        await sockets.make(headers=[(b"origin", b"http://localhost:8000")]).open()


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
            ({"text_data": '{"type": "typing"}'}, "unknown_type"),
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
            await socket.say({"type": "typing"})
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


def another_device(person: Person) -> Person:
    now = timezone.now()
    session = make_session(user_of(person), now=now)
    tokens = make_tokens(user=user_of(person), session=session, now=now)
    return Person(person.member, session, tokens.access)


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
        monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.2)
        socket = await sockets.sign_in(person)
        monkeypatch.setattr("accounts.services.sessions.push.end_sessions", lambda *_: None)
        await in_thread(log_out, identity=await in_thread(identity_of, person), now=timezone.now())
        await self.ended(socket)

    async def test_is_not_seen_where_somebody_elses_session_ended(
        self, sockets: Sockets, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.1)
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

        monkeypatch.setattr(consumers, "recheck", away)
        monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.05)
        socket = await sockets.sign_in(person)
        with capture_logs() as logs:
            for _ in range(2):
                await asyncio.wait_for(asked.get(), 2)
        assert "socket_not_rechecked" in {one["event"] for one in logs}
        await socket.say({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"


def set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])


class TestOneSocketASession:
    async def test_the_newest_stays(self, sockets: Sockets, person: Person, in_thread: InThread) -> None:
        older = await sockets.sign_in(person)
        newer = await sockets.sign_in(person)
        assert await older.hear() == {"type": "bye", "reason": "replaced"}
        assert await older.closed_with() == 4003
        await in_thread(push.to_user, user_of(person).public_id, {"type": "x"})
        assert await newer.receive_json_from() == {"type": "x"}

    async def test_other_devices_stay(self, sockets: Sockets, person: Person, in_thread: InThread) -> None:
        other = await sockets.sign_in(await in_thread(another_device, person))
        await sockets.sign_in(person)
        assert await other.receive_nothing()

    async def test_word_of_an_older_one_that_comes_late_closes_nobody(
        self, sockets: Sockets, person: Person
    ) -> None:
        socket = await sockets.sign_in(person)
        late = {"type": "session.opened", "session": str(person.session.public_id), "opened": [0, "older"]}
        await get_channel_layer().group_send(push.group_of(user_of(person).public_id), late)
        assert await socket.receive_nothing()


class TestSlowClient:
    async def test_is_closed_and_forgotten(
        self, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "SEND_SECONDS", 0.1)
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
            await asyncio.wait_for(socket, 2)
        assert [one["by"] for one in logs if one["event"] == "socket_closed"] == ["4008"]
        assert gauge() == 0


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
        monkeypatch.setattr(consumers, "SEND_SECONDS", 0.3)
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
        await asyncio.wait_for(socket, 2)

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


class TestDescription:
    @pytest.mark.parametrize("frame", [{"type": "welcome"}, {"type": "bye", "reason": "because"}], ids=repr)
    def test_check_notices_what_is_not_described(self, frame: dict[str, Any]) -> None:
        with pytest.raises(Exception, match=r"required property|is not one of"):
            check_described(frame)
