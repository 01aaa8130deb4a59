"""What a signed-in socket may say of the chat. Each frame is one call of a service, or of the office."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError

from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.errors import BusyError, DomainError
from chat.consumers.office import Office, presence_text
from chat.fanout.bus import publish
from chat.fanout.frames import DESKS_TOPIC, ConversationJoined, Typing, presence_topic, text_of
from chat.fanout.wires import Batch
from chat.models import topic_of
from chat.policies import rights
from chat.selectors import rooms
from chat.serializers import asked, frames
from chat.services.change import delete_message, edit_message
from chat.services.errors import NoSuchConversationError
from chat.services.pointers import Pointer
from chat.services.send import Outgoing, Sent

# Typing is told once in so many seconds and conversation, however fast somebody types.
TYPING_SECONDS: Final = 1.0


class Speaking:
    """A part of ``ClubSocket``: it has its office, its speaker, and ``tell``."""

    office: Office
    speaker: Identity
    watching: dict[int, UUID]
    is_listening: bool
    _typed: dict[str, float]

    def tell(self, frame: object) -> None:
        raise NotImplementedError

    async def answer(self, frame: Mapping[str, Any]) -> None:
        """Do what a frame asks; a refusal is an error frame."""
        try:
            await HANDLERS[frame["type"]](self, frame)
        except DomainError as refusal:
            self.tell(frames.error(refusal, retry_after=getattr(refusal, "retry_after", None)))
        except DatabaseError:
            self.tell(frames.error(BusyError(), retry_after=1))

    async def hello(self, frame: Mapping[str, Any]) -> None:
        resume = {UUID(name): seq for name, seq in frame.get("resume", {}).items()}
        found = await database_sync_to_async(rooms.rooms_of)(self.speaker, list(resume))
        after: dict[str, int | None] = {topic_of(one): resume.get(one) for one in found}
        if self.speaker.has_perm(rights.SERVE_DESKS):
            after[DESKS_TOPIC] = None
        self.is_listening = True
        stands = await self.office.hub.join(self, after)  # type: ignore[arg-type]  # ClubSocket is an Ear
        shown: list[frames.Standing] = [
            {"id": str(one), "seq": stands[topic_of(one)]} for one in found if topic_of(one) in stands
        ]
        ready: frames.Ready = {"type": "ready", "conversations": shown}
        self.tell(ready)

    async def say(self, frame: Mapping[str, Any]) -> None:
        client_id: str = frame["client_id"]
        if not self.office.allows(self.speaker.user_id, time.monotonic()):
            self.tell(frames.error(asked.SlowDownError(), retry_after=1, client_id=client_id))
            return

        def told(result: Sent | DomainError) -> None:
            if isinstance(result, DomainError):
                wait = getattr(result, "retry_after", None)
                self.tell(frames.error(result, retry_after=wait, client_id=client_id))
                return
            ack: frames.Ack = {
                "type": "ack",
                "client_id": client_id,
                "id": None if result.id is None else str(result.id),
                "seq": result.seq,
                "held": result.is_held,
            }
            self.tell(ack)

        self.office.say(
            Outgoing(
                sender=self.speaker,
                conversation=UUID(frame["conversation"]),
                client_id=UUID(client_id),
                body=frame["body"],
                reply_to=UUID(frame["reply_to"]) if "reply_to" in frame else None,
                attachments=tuple(UUID(one) for one in frame.get("attachments", ())),
            ),
            told,
        )

    async def edit(self, frame: Mapping[str, Any]) -> None:
        await database_sync_to_async(edit_message)(
            message=UUID(frame["message"]), body=frame["body"], by=self.speaker, now=clock.now()
        )

    async def delete(self, frame: Mapping[str, Any]) -> None:
        await database_sync_to_async(delete_message)(
            message=UUID(frame["message"]), by=self.speaker, now=clock.now()
        )

    async def type(self, frame: Mapping[str, Any]) -> None:
        topic, active = self._heard_topic(frame), frame.get("active", True)
        at = time.monotonic()
        if active and at - self._typed.get(topic, float("-inf")) < TYPING_SECONDS:
            return
        self._typed[topic] = at if active else float("-inf")
        told: Typing = {
            "type": "typing",
            "conversation": frame["conversation"],
            "user": str(self.speaker.public_id),
            "name": str(self.speaker),
            "active": active,
        }
        publish(topic, [(0, text_of(told))])

    async def read(self, frame: Mapping[str, Any]) -> None:
        self._point(frame, read=frame["seq"])

    async def deliver(self, frame: Mapping[str, Any]) -> None:
        self._point(frame, delivered=frame["seq"])

    def _point(self, frame: Mapping[str, Any], *, read: int = 0, delivered: int = 0) -> None:
        self._heard_topic(frame)
        self.office.point(
            Pointer(
                user_id=self.speaker.user_id,
                user=self.speaker.public_id,
                conversation=UUID(frame["conversation"]),
                read=read,
                delivered=delivered,
                may_join=self.speaker.has_perm(rights.SERVE_DESKS) and bool(read),
            )
        )

    async def watch(self, frame: Mapping[str, Any]) -> None:
        wanted = [UUID(one) for one in frame["members"]]
        found = dict(await database_sync_to_async(rooms.watchable)(self.speaker, wanted))
        hub = self.office.hub
        for user_id in self.watching.keys() - found.keys():
            hub.leave(self, presence_topic(self.watching[user_id]))  # type: ignore[arg-type]  # an Ear
        self.watching = found
        topics: dict[str, int | None] = {presence_topic(one): None for one in found.values()}
        await hub.join(self, topics)  # type: ignore[arg-type]  # an Ear
        states = await database_sync_to_async(rooms.states_of)(list(found), clock.now())
        self.office.remember_states(states)
        self.give(Batch([presence_text(found[one], state) for one, state in states.items()]))

    def give(self, batch: Batch) -> None:
        raise NotImplementedError

    def _heard_topic(self, frame: Mapping[str, Any]) -> str:
        """Only of what this socket hears: whether it may was asked as it joined."""
        topic = topic_of(UUID(frame["conversation"]))
        if topic not in self.office.hub.rooms_of(self):  # type: ignore[arg-type]  # an Ear
            raise NoSuchConversationError
        return topic

    # ------------------------------------------------------------------- from the rest of the club

    async def conversation_joined(self, event: Mapping[str, Any]) -> None:
        """The user is in a conversation since a moment ago: hear it from its beginning."""
        conversation = UUID(event["conversation"])
        topic = topic_of(conversation)
        hub = self.office.hub
        if not self.is_listening or topic in hub.rooms_of(self):  # type: ignore[arg-type]  # an Ear
            return
        if not await database_sync_to_async(rooms.may_hear)(self.speaker, conversation):
            return
        joined: ConversationJoined = {
            "type": "conversation.joined",
            "conversation": str(conversation),
            "seq": 0,
        }
        self.tell(joined)
        await hub.join(self, {topic: 0})  # type: ignore[arg-type]  # an Ear

    async def conversation_left(self, event: Mapping[str, Any]) -> None:
        self.office.hub.leave(self, topic_of(UUID(event["conversation"])))  # type: ignore[arg-type]  # an Ear


HANDLERS: Final[Mapping[str, Any]] = {
    "hello": Speaking.hello,
    "message.send": Speaking.say,
    "message.edit": Speaking.edit,
    "message.delete": Speaking.delete,
    "typing": Speaking.type,
    "read": Speaking.read,
    "delivered": Speaking.deliver,
    "presence.watch": Speaking.watch,
}
