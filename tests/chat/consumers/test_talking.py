"""Two people, their sockets, and what is said between them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from django.utils import timezone

from accounts.models import Standing
from accounts.services.tokens import make_tokens
from chat.consumers import office
from chat.fanout import hub
from chat.models import ChatProfile, Connection, Conversation, Message, Participant, SocketProcess
from chat.services.connections import close_connection
from tests.chat.conftest import Person, Socket, Sockets
from tests.chat.consumers.people import InThread, another_device, user_of
from tests.chat.talk import at_desk, identity_of, make_clerk, make_desk, say
from tests.factories import make_session

pytestmark = pytest.mark.django_db(transaction=True)


def make_scene(person: Person) -> tuple[Conversation, Person]:
    """A desk's thread of the person, and a clerk who answers."""
    now = timezone.now()
    thread = at_desk(make_desk(), person.member, now)
    clerk = make_clerk()
    session = make_session(clerk, now=now)
    staff = Person(clerk, session, make_tokens(user=clerk, session=session, now=now).access)  # type: ignore[arg-type]
    return thread, staff


@pytest_asyncio.fixture
async def scene(person: Person, in_thread: InThread) -> tuple[Conversation, Person]:
    found: tuple[Conversation, Person] = await in_thread(make_scene, person)
    return found


async def listening(sockets: Sockets, person: Person, thread: Conversation, seq: int | None = None) -> Socket:
    socket = await sockets.sign_in(person)
    await greet(socket, thread, seq)
    return socket


async def greet(socket: Socket, thread: Conversation, seq: int | None = None) -> list[dict[str, Any]]:
    """Say hello; what came before the answer."""
    await socket.say({"type": "hello", "resume": {str(thread.public_id): seq or 0}})
    before = []
    while (frame := await socket.hear())["type"] != "ready":
        before.append(frame)
    return before


def send_frame(thread: Conversation, body: str = "Hello.", client_id: str | None = None) -> dict[str, Any]:
    return {
        "type": "message.send",
        "conversation": str(thread.public_id),
        "client_id": client_id or str(uuid4()),
        "body": body,
    }


async def hear_of(socket: Socket, kind: str) -> dict[str, Any]:
    for _ in range(20):
        frame = await socket.hear()
        if frame["type"] == kind:
            return frame
    raise AssertionError(f"No {kind} among twenty frames.")


class TestTalking:
    async def test_a_message_is_acknowledged_and_heard_by_everyone(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, clerk = scene
        staff = await listening(sockets, clerk, thread)
        member = await listening(sockets, person, thread)
        other = await listening(sockets, await in_thread(another_device, person), thread)
        frame = send_frame(thread, "Is the pool open?")
        await member.say(frame)
        ack = await hear_of(member, "ack")
        assert (ack["client_id"], ack["seq"], ack["held"]) == (frame["client_id"], 1, False)
        for socket in (staff, other):
            heard = await hear_of(socket, "message.new")
            assert (heard["seq"], heard["message"]["body"]) == (1, "Is the pool open?")
            assert heard["message"]["sender"]["id"] == str(user_of(person).public_id)
        assert (await hear_of(staff, "desk.changed"))["desk"] == "front-desk"
        await staff.say(send_frame(thread, "It is."))
        assert (await hear_of(member, "message.new"))["message"]["body"] in ("Is the pool open?", "It is.")

    async def test_the_same_client_id_makes_one_message(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, _clerk = scene
        member = await listening(sockets, person, thread)
        frame = send_frame(thread)
        for _ in range(3):
            await member.say(frame)
        acks = [await hear_of(member, "ack") for _ in range(3)]
        assert {(one["id"], one["seq"]) for one in acks} == {(acks[0]["id"], 1)}
        assert await in_thread(Message.objects.count) == 1

    async def test_who_comes_back_gets_what_was_missed_in_order(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, clerk = scene
        for number in range(5):
            await in_thread(say, thread, clerk.member, f"{number}.", now=timezone.now())
        member = await sockets.sign_in(person)
        missed = await greet(member, thread, 2)
        assert [one["seq"] for one in missed] == [3, 4, 5]
        assert [one["message"]["body"] for one in missed] == ["2.", "3.", "4."]

    async def test_an_edit_and_a_deletion_are_heard_and_caught_up_with(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, clerk = scene
        staff = await listening(sockets, clerk, thread)
        member = await listening(sockets, person, thread)
        for body in ("One", "Two"):
            await member.say(send_frame(thread, body))
        ids = [(await hear_of(staff, "message.new"))["message"]["id"] for _ in range(2)]
        await member.say({"type": "message.edit", "message": ids[0], "body": "Uno"})
        await member.say({"type": "message.delete", "message": ids[1]})
        edited, deleted = await hear_of(staff, "message.updated"), await hear_of(staff, "message.deleted")
        assert (edited["seq"], edited["message"]["seq"], edited["message"]["body"]) == (3, 1, "Uno")
        assert (deleted["seq"], deleted["message"]["seq"], deleted["message"]["body"]) == (4, 2, "")
        late = await sockets.sign_in(await in_thread(another_device, person))
        assert [(one["type"], one["seq"]) for one in await greet(late, thread, 2)] == [
            ("message.updated", 3),
            ("message.deleted", 4),
        ]

    async def test_typing_and_receipts_are_heard_by_the_other(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person]
    ) -> None:
        thread, clerk = scene
        staff = await listening(sockets, clerk, thread)
        member = await listening(sockets, person, thread)
        await member.say({"type": "typing", "conversation": str(thread.public_id)})
        assert (await hear_of(staff, "typing"))["name"] == str(user_of(person))
        await staff.say(send_frame(thread))
        await hear_of(member, "message.new")
        await member.say({"type": "read", "conversation": str(thread.public_id), "seq": 1})
        receipt = await hear_of(staff, "receipt")
        assert (receipt["read"], receipt["delivered"]) == (1, 1)

    async def test_a_foreign_conversation_is_none(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        from tests.chat.conftest import make_person

        thread, _clerk = scene
        stranger = await sockets.sign_in(await in_thread(make_person))
        assert await greet(stranger, thread) == []
        room = {"conversation": str(thread.public_id)}
        for frame in (
            send_frame(thread),
            {"type": "typing", **room},
            {"type": "read", "seq": 1, **room},
            {"type": "delivered", "seq": 1, **room},
        ):
            await stranger.say(frame)
            assert (await stranger.hear())["code"] == "no_such_conversation"
        member = await listening(sockets, person, thread)
        await member.say(send_frame(thread))
        await hear_of(member, "ack")
        assert await stranger.receive_nothing()

    async def test_a_new_conversation_is_joined_at_once(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        member = await sockets.sign_in(person)
        await member.say({"type": "hello"})
        assert (await member.hear())["conversations"] == []
        desk = await in_thread(make_desk)
        thread = await in_thread(at_desk, desk, person.member, timezone.now())
        assert (await hear_of(member, "conversation.joined"))["conversation"] == str(thread.public_id)
        await in_thread(say, thread, person.member, now=timezone.now())
        assert (await hear_of(member, "message.new"))["seq"] == 1

    async def test_what_nobody_published_comes_within_a_moment(
        self,
        sockets: Sockets,
        person: Person,
        scene: tuple[Conversation, Person],
        in_thread: InThread,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As when a process is killed between its commit and its publishing."""
        monkeypatch.setattr(office, "SWEEP_SECONDS", 0.05)
        thread, clerk = scene
        member = await listening(sockets, person, thread)
        monkeypatch.setattr("chat.services.announce.bus.publish", lambda *_: None)
        await in_thread(say, thread, clerk.member, now=timezone.now())
        assert (await hear_of(member, "message.new"))["seq"] == 1

    async def test_what_is_missing_is_asked_for_although_a_thread_of_the_database_told_of_the_rest(
        self,
        sockets: Sockets,
        person: Person,
        scene: tuple[Conversation, Person],
        in_thread: InThread,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
        thread, clerk = scene
        member = await listening(sockets, person, thread)
        with monkeypatch.context() as patch:
            patch.setattr("chat.services.announce.bus.publish", lambda *_: None)
            await in_thread(say, thread, clerk.member, now=timezone.now())
        await in_thread(say, thread, clerk.member, now=timezone.now())
        assert [(await hear_of(member, "message.new"))["seq"] for _ in range(2)] == [1, 2]

    async def test_too_many_messages_are_refused_and_lost_are_none(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], settings: Any
    ) -> None:
        settings.CHAT_MESSAGES_AT_ONCE = 2
        settings.CHAT_MESSAGES_PER_SECOND = 0.001
        thread, _clerk = scene
        member = await listening(sockets, person, thread)
        refused = send_frame(thread, "Three")
        for frame in (send_frame(thread), send_frame(thread), refused):
            await member.say(frame)
        error = await hear_of(member, "error")
        assert (error["code"], error["client_id"]) == ("slow_down", refused["client_id"])

    async def test_a_database_that_is_away_is_an_error_to_try_again(
        self,
        sockets: Sockets,
        person: Person,
        scene: tuple[Conversation, Person],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from bcc.core.errors import BusyError

        def away(**_: Any) -> None:
            raise BusyError

        thread, _clerk = scene
        member = await listening(sockets, person, thread)
        with monkeypatch.context() as patch:
            patch.setattr(office, "send_messages", away)
            frame = send_frame(thread)
            await member.say(frame)
            error = await hear_of(member, "error")
        assert (error["code"], error["client_id"]) == ("busy", frame["client_id"])
        await member.say(frame)
        assert (await hear_of(member, "ack"))["seq"] == 1


class TestPresence:
    async def test_follows_the_sockets_of_who_is_watched(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, clerk = scene
        staff = await listening(sockets, clerk, thread)
        them = str(user_of(person).public_id)
        await staff.say({"type": "presence.watch", "members": [them, str(uuid4())]})
        first = await hear_of(staff, "presence")
        assert (first["user"], first["state"]) == (them, "offline")
        member = await sockets.sign_in(person)
        assert (await hear_of(staff, "presence"))["state"] == "online"
        await member.disconnect()
        assert (await hear_of(staff, "presence"))["state"] == "offline"
        assert await in_thread(Connection.objects.count) == 1

    async def test_is_nobodys_business_who_shares_no_conversation(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        from tests.chat.conftest import make_person

        stranger = await in_thread(make_person)
        await sockets.sign_in(stranger)
        member = await sockets.sign_in(person)
        them = str(user_of(stranger).public_id)
        await member.say({"type": "presence.watch", "members": [them]})
        await member.say({"type": "ping"})
        assert (await member.hear())["type"] == "pong"

    async def test_is_hidden_from_others_by_who_wants_that(
        self, sockets: Sockets, person: Person, scene: tuple[Conversation, Person], in_thread: InThread
    ) -> None:
        thread, clerk = scene
        await in_thread(ChatProfile.objects.create, user=person.member.user, shows_presence=False)
        await sockets.sign_in(person)
        staff = await listening(sockets, clerk, thread)
        them = str(user_of(person).public_id)
        await staff.say({"type": "presence.watch", "members": [them]})
        first = await hear_of(staff, "presence")
        assert (first["state"], first["last_active_at"]) == ("offline", None)

    async def test_notices_a_killed_process(
        self,
        sockets: Sockets,
        person: Person,
        scene: tuple[Conversation, Person],
        in_thread: InThread,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(office, "SWEEP_SECONDS", 0.05)
        monkeypatch.setattr(office, "BEAT_SECONDS", 0.05)
        thread, clerk = scene
        now = timezone.now()

        def leave_behind() -> None:
            dead = SocketProcess.objects.create(name="dead", started_at=now, seen_at=now)
            Connection.objects.create(
                process=dead,
                user=user_of(person),
                session=uuid4(),
                connected_at=now,
                last_active_at=now,
            )

        await in_thread(leave_behind)
        staff = await listening(sockets, clerk, thread)
        them = str(user_of(person).public_id)
        await staff.say({"type": "presence.watch", "members": [them]})
        assert (await hear_of(staff, "presence"))["state"] == "online"
        await in_thread(SocketProcess.objects.filter(name="dead").update, seen_at=now - timedelta(seconds=31))
        assert (await hear_of(staff, "presence"))["state"] == "offline"
        assert not await in_thread(SocketProcess.objects.filter(name="dead").exists)

    async def test_a_process_that_was_taken_for_dead_notes_its_sockets_anew(
        self, sockets: Sockets, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(office, "SWEEP_SECONDS", 0.05)
        monkeypatch.setattr(office, "BEAT_SECONDS", 0.05)
        await sockets.sign_in(person)
        await in_thread(SocketProcess.objects.all().delete)
        for _ in range(200):
            if await in_thread(Connection.objects.exists):
                break
            await asyncio.sleep(0.02)
        assert await in_thread(Connection.objects.exists)


class TestClosing:
    async def test_staff_close_a_live_connection(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        member = await sockets.sign_in(person)
        row = await in_thread(Connection.objects.get)
        await in_thread(close_connection, connection=row.public_id)
        assert await member.hear() == {"type": "bye", "reason": "closed_by_staff"}
        assert await member.closed_with() == 4003

    async def test_a_suspended_member_loses_the_socket_and_gets_no_other(
        self, sockets: Sockets, person: Person, in_thread: InThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(office, "SWEEP_SECONDS", 0.05)
        member = await sockets.sign_in(person)
        person.member.membership.standing = Standing.SUSPENDED
        await in_thread(person.member.membership.save)
        assert await member.hear() == {"type": "bye", "reason": "suspended"}
        assert await member.closed_with() == 4003
        again = sockets.make()
        await again.open()
        await again.say({"type": "auth", "token": person.token})
        assert (await again.hear())["code"] == "suspended"
        assert await again.closed_with() == 4003

    async def test_the_last_one_leaves_nothing_behind(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        member = await sockets.sign_in(person)
        await member.disconnect()
        assert not await in_thread(SocketProcess.objects.exists)
        assert not office._offices
        assert hub.SWEEP_SECONDS <= 3.0  # a suspended member is out within five seconds

    async def test_a_group_that_was_left_is_heard_no_more(
        self, sockets: Sockets, person: Person, in_thread: InThread
    ) -> None:
        from chat.services.opening import leave_group, open_group
        from tests.chat.conftest import make_person
        from tests.chat.talk import allow, willing

        other = await in_thread(make_person)

        def make_group() -> Conversation:
            allow(allows_groups=True)
            willing(person.member, other.member)
            me = identity_of(person.member)
            return open_group(title="Us", members=[other.member.member_no], by=me, now=timezone.now())

        group = await in_thread(make_group)
        member = await listening(sockets, person, group)
        now = timezone.now()
        me = await in_thread(identity_of, person.member)
        await in_thread(leave_group, conversation=group, by=me, now=now)
        await in_thread(say, group, other.member, now=now)
        await member.say({"type": "ping"})
        assert (await member.hear())["type"] == "pong"
        assert await in_thread(Participant.objects.present().count) == 1
