"""Sending: committed before it is acknowledged, in one order for everyone, once per client id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import IntegrityError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.policies.identity import Identity
from bcc.core import clock, transactions
from bcc.core.errors import DomainError
from chat.models import Attachment, Block, Conversation, HeldMessage, Kind, Message, Participant
from chat.policies import rights
from chat.policies.hours import is_staffed, next_opening
from chat.selectors.attachments import sendable
from chat.selectors.desks import spans_of
from chat.selectors.messages import new_rows
from chat.selectors.sending import (
    barred_from_chat,
    conversations_by_id,
    insert_messages,
    present_in,
    said_before,
    take_numbers,
)
from chat.services import announce
from chat.services.errors import (
    ChatHoldError,
    ClientIdReusedError,
    NoSuchAttachmentError,
    NoSuchConversationError,
    NoSuchMessageError,
    NotReachableError,
    ReadOnlyConversationError,
)
from chat.services.nudging import nudge_telling
from chat.services.rules import checked_body
from documents.models import ImageVariant

# A member who writes on and on at night is told once that nobody is there.
AWAY_AGAIN: Final = timedelta(hours=8)
MOST_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What somebody wants to say, under an id that their app made for it."""

    sender: Identity
    conversation: UUID
    client_id: UUID
    body: str
    reply_to: UUID | None = None
    attachments: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """It stands, as ``seq`` of its conversation; or it is held for a moderator, and has neither yet."""

    client_id: UUID
    id: UUID | None
    seq: int | None

    @property
    def is_held(self) -> bool:
        return self.id is None


@dataclass(slots=True)
class _Ask:
    """One of a batch, on its way. ``answer`` is settled first or last."""

    ask: Outgoing
    body: str = ""
    held: list[str] = field(default_factory=list)
    conversation: Conversation | None = None
    reply_to_id: int | None = None
    pictures: list[ImageVariant] = field(default_factory=list)
    answer: Sent | DomainError | None = None


def send_message(*, ask: Outgoing, now: datetime) -> Sent:
    """Say one thing. Raises what ``send_messages`` gives in its place."""
    (answer,) = send_messages(asks=[ask], now=now)
    if isinstance(answer, DomainError):
        raise answer
    return answer


def send_messages(*, asks: Sequence[Outgoing], now: datetime) -> list[Sent | DomainError]:
    """Say several things in one transaction; for each what became of it, in the order given.

    Within a conversation they stand in that order. One with a client id that its sender has used there
    before is not said again: the answer is the first one's. Raises BusyError.
    """
    for _attempt in range(MOST_TRIES):
        try:
            return _send(asks=asks, now=now)
        except IntegrityError:
            # Another process was sending one under the same client id: now it is there to be found.
            continue
    return _send(asks=asks, now=now)


@transactions.writes
def _send(*, asks: Sequence[Outgoing], now: datetime) -> list[Sent | DomainError]:
    batch = [_Ask(ask) for ask in asks]
    _find_said(batch)
    open_ones = [one for one in batch if one.answer is None]
    _place(open_ones, now)
    conversations: dict[int, Conversation] = {}
    by_conversation: dict[int, list[_Ask]] = defaultdict(list)
    first_of: dict[tuple[int, UUID], _Ask] = {}
    twins: list[tuple[_Ask, _Ask]] = []
    for one in open_ones:
        if one.answer is not None or one.conversation is None:
            continue
        key = (one.ask.sender.user_id, one.ask.client_id)
        if key in first_of:
            twins.append((one, first_of[key]))
            continue
        first_of[key] = one
        if one.held:
            one.answer = _hold(one.conversation, one, now)
        else:
            conversations[one.conversation.pk] = one.conversation
            by_conversation[one.conversation.pk].append(one)
    # In the order of keys, so that two batches never wait for each other.
    for pk, several in sorted(by_conversation.items()):
        _write(conversations[pk], several, now)
    for one, first in twins:
        one.answer = first.answer
    return [one.answer for one in batch if one.answer is not None]


def _find_said(batch: Sequence[_Ask]) -> None:
    """Answer those that were said before."""
    said = said_before({one.ask.sender.user_id for one in batch}, {one.ask.client_id for one in batch})
    for one in batch:
        found = said.get((one.ask.sender.user_id, one.ask.client_id))
        if found is not None:
            public_id, seq, conversation = found
            is_same = conversation == one.ask.conversation
            one.answer = Sent(one.ask.client_id, public_id, seq) if is_same else ClientIdReusedError()


def _place(batch: Sequence[_Ask], now: datetime) -> None:
    """Find the conversation of each and whether its sender may write there."""
    if not batch:
        return
    conversations = conversations_by_id({one.ask.conversation for one in batch})
    senders = [one.ask.sender for one in batch]
    inside = present_in({one.pk for one in conversations.values()}, {one.user_id for one in senders})
    barred = barred_from_chat({one.member_id for one in senders if one.member_id is not None}, now)
    for one in batch:
        try:
            one.conversation = _allowed(one, conversations.get(one.ask.conversation), inside, barred)
            one.body, one.held = checked_body(
                one.ask.body, is_staff=one.ask.sender.is_staff, may_be_empty=bool(one.ask.attachments)
            )
            one.pictures = _pictures(one.ask)
            one.reply_to_id = _answered(one)
        except DomainError as refusal:
            one.answer = refusal


def _allowed(
    one: _Ask, conversation: Conversation | None, inside: set[tuple[int, int]], barred: set[int]
) -> Conversation:
    sender = one.ask.sender
    serves = sender.has_perm(rights.SERVE_DESKS)
    if conversation is None or not rights.may_read(
        kind=conversation.kind, is_inside=(conversation.pk, sender.user_id) in inside, serves_desks=serves
    ):
        raise NoSuchConversationError
    if not rights.may_write(
        kind=conversation.kind,
        is_inside=(conversation.pk, sender.user_id) in inside,
        serves_desks=serves,
        may_broadcast=sender.has_perm(rights.BROADCAST),
    ):
        raise ReadOnlyConversationError
    if sender.member_id is not None and sender.member_id in barred:
        raise ChatHoldError
    if conversation.kind == Kind.DIRECT and _is_blocked(conversation, sender.user_id):
        raise NotReachableError
    return conversation


def _is_blocked(conversation: Conversation, user_id: int) -> bool:
    others = Participant.objects.filter(conversation=conversation).exclude(user_id=user_id)
    return any(
        Block.objects.between(user_id, other).exists() for other in others.values_list("user_id", flat=True)
    )


def _answered(one: _Ask) -> int | None:
    if one.ask.reply_to is None:
        return None
    found = Message.objects.filter(public_id=one.ask.reply_to, conversation=one.conversation)
    pk = found.values_list("pk", flat=True).first()
    if pk is None:
        raise NoSuchMessageError
    return pk


def _pictures(ask: Outgoing) -> list[ImageVariant]:
    if not ask.attachments:
        return []
    found = sendable(ask.attachments, ask.sender.user_id)
    if set(ask.attachments) - found.keys():
        raise NoSuchAttachmentError
    return [found[one] for one in dict.fromkeys(ask.attachments)]


def _hold(conversation: Conversation, one: _Ask, now: datetime) -> Sent:
    HeldMessage.objects.create(
        conversation=conversation,
        sender_id=one.ask.sender.user_id,
        client_id=one.ask.client_id,
        body=one.body,
        reply_to_id=one.reply_to_id,
        found=", ".join(one.held)[:200],
        created_at=now,
    )
    return Sent(one.ask.client_id, None, None)


def _write(conversation: Conversation, several: Sequence[_Ask], now: datetime) -> None:
    """Number and insert what is said in one conversation, and what follows from it at a desk."""
    texts = [
        Message(
            type=Message.Type.TEXT,
            sender_id=one.ask.sender.user_id,
            client_id=one.ask.client_id,
            body=one.body,
            reply_to_id=one.reply_to_id,
        )
        for one in several
    ]
    changes: dict[str, object] = {"active_at": now}
    messages = list(texts)
    if conversation.kind == Kind.DESK:
        desk_changes, away = _at_desk(conversation, [one.ask.sender for one in several], now)
        changes |= desk_changes
        if away:
            messages.append(
                Message(
                    type=Message.Type.AWAY,
                    sender_id=conversation.owner_id,
                    client_id=uuid5(several[-1].ask.client_id, "away"),
                    body=away,
                )
            )
    pictures = {place: one.pictures for place, one in enumerate(several) if one.pictures}
    write_numbered(conversation, messages, now, pictures=pictures, changes=changes)
    for one, message in zip(several, texts, strict=True):
        one.answer = Sent(one.ask.client_id, message.public_id, message.seq)
    nudge_telling(conversation.pk)


def write_numbered(
    conversation: Conversation,
    messages: Sequence[Message],
    now: datetime,
    *,
    pictures: Mapping[int, Sequence[ImageVariant]] | None = None,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Give ``messages`` the next numbers of the conversation, insert them, and tell its sockets.

    ``pictures`` are those of a message, by its place among ``messages``; ``changes`` are of the
    conversation.
    """
    if changes is not None and changes.keys() == {"active_at"}:
        first = take_numbers(conversation.pk, len(messages), now)
    else:
        first = Conversation.next_seqs(conversation.pk, len(messages), **(changes or {}))
    for offset, message in enumerate(messages):
        message.conversation = conversation
        message.seq = message.change_seq = first + offset
        message.created_at = now
    insert_messages(messages)
    if pictures:
        _attach(conversation, messages, pictures)
    rows = new_rows(conversation.pk, first, len(messages), have_pictures=bool(pictures))
    announce.rows(conversation.public_id, rows)
    if conversation.desk is not None:
        announce.desk_changed(conversation.public_id, conversation.desk.code)


def _attach(
    conversation: Conversation, messages: Sequence[Message], pictures: Mapping[int, Sequence[ImageVariant]]
) -> None:
    # Not every engine gives the keys of a bulk insert back.
    seqs = [messages[place].seq for place in pictures]
    keys = dict(Message.objects.filter(conversation=conversation, seq__in=seqs).values_list("seq", "pk"))
    Attachment.objects.bulk_create(
        Attachment(
            message_id=keys[messages[place].seq],
            image=one.image,
            asset=one.asset,
            name=one.image.alt[:120],
            position=position,
        )
        for place, several in pictures.items()
        for position, one in enumerate(several)
    )


def _at_desk(
    conversation: Conversation, senders: Sequence[Identity], now: datetime
) -> tuple[dict[str, object], str]:
    """What a desk's conversation becomes, and the away message that is due, if one is."""
    changes: dict[str, object] = {}
    last = senders[-1]
    if last.user_id != conversation.owner_id:
        changes["waiting_since"] = None
        if conversation.assignee_id is None:
            changes["assignee_id"] = last.user_id
        for staff in {one.user_id for one in senders if one.user_id != conversation.owner_id}:
            Participant.objects.get_or_create(
                conversation=conversation,
                user_id=staff,
                defaults={"role": Participant.Role.STAFF, "joined_at": now},
            )
        return changes, ""
    if conversation.waiting_since is None:
        changes["waiting_since"] = now
    if conversation.state == Conversation.State.CLOSED:
        changes |= {"state": Conversation.State.OPEN, "closed_at": None, "assignee_id": None}
    away = _away_message(conversation, now)
    if away:
        changes["away_told_at"] = now
    return changes, away


def _away_message(conversation: Conversation, now: datetime) -> str:
    desk = conversation.desk
    if desk is None or not desk.away_message:
        return ""
    if conversation.away_told_at is not None and now - conversation.away_told_at < AWAY_AGAIN:
        return ""
    spans, local = spans_of(desk.pk), now.astimezone(clock.zone())
    if is_staffed(spans, local):
        return ""
    opens = next_opening(spans, local)
    if opens is None:
        return desk.away_message
    when = date_format(opens, "l, j F, H:i")
    return _("%(message)s\n\nThe desk opens %(when)s.") % {"message": desk.away_message, "when": when}
