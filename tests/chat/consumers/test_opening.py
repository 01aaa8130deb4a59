"""Signing in at the socket, and where it may be opened from."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from accounts.services.sessions import log_out
from bcc.core import push
from bcc.core.errors import BusyError
from chat.consumers import club as consumers
from tests.chat.conftest import Person, Sockets
from tests.chat.consumers.people import (
    InThread,
    another_device,
    identity_of,
    ticket_of,
    user_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
            ({"type": "greet"}, "unknown_type"),
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


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
    async def test_refuses_a_foreign_page(self, sockets: Sockets, origin: str) -> None:
        accepted, _ = await sockets.make(headers=[(b"origin", origin.encode())]).connect()
        assert not accepted

    async def test_lets_the_clubs_own_page_in(self, sockets: Sockets) -> None:
        await sockets.make(headers=[(b"origin", b"http://localhost:8000")]).open()


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
        await push.send_to(user_of(person).public_id, late)
        assert await socket.receive_nothing()
