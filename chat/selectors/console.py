"""What staff see at the desks: the queue, one thread, and who else answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.models import Member, User
from chat.models import CannedReply, Conversation, ConversationEvent, Desk, HeldMessage, Message, Participant
from chat.policies.presence import State
from chat.selectors.rooms import states_of

MOST_LINES: Final = 60
MOST_MESSAGES: Final = 80
PREVIEW: Final = 90

WAITING, MINE, OPEN, CLOSED = "waiting", "mine", "open", "closed"


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A conversation in the queue. ``waited`` is whole minutes since the oldest unanswered message."""

    conversation: Conversation
    name: str
    preview: str
    is_unread: bool
    waited: int | None
    state: State


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A message of a thread. ``is_read``: its reader on the other side has come so far."""

    message: Message
    is_staff: bool
    is_read: bool
    is_delivered: bool
    starts_day: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation as staff read it."""

    conversation: Conversation
    owner: User
    member: Member | None
    lines: list[ShownLine]
    has_more: bool
    events: list[ConversationEvent]
    state: State
    last_active_at: datetime | None
    held: int


def counts(staff_id: int) -> dict[str, int]:
    """How many conversations each view of the queue has; of closed ones nobody wants to know."""
    return {view: queue_rows(view, staff_id).count() for view in (WAITING, MINE, OPEN)}


def queue_rows(view: str, staff_id: int, desk: str = "") -> QuerySet[Conversation]:
    """Who waits longest comes first; elsewhere what happened last."""
    rows = Conversation.objects.at_desks().filter(last_seq__gt=0)
    if desk:
        rows = rows.filter(desk__code=desk)
    if view == WAITING:
        return rows.waiting().order_by("waiting_since", "pk")
    rows = rows.order_by("-active_at", "-pk")
    if view == CLOSED:
        return rows.filter(state=Conversation.State.CLOSED)
    rows = rows.filter(state=Conversation.State.OPEN)
    return rows.filter(assignee=staff_id) if view == MINE else rows


def queue(*, view: str, staff_id: int, desk: str, now: datetime) -> list[QueueLine]:
    """At most MOST_LINES of a view of the queue."""
    newest = Message.objects.filter(conversation=OuterRef("pk"), deleted_at__isnull=True).order_by("-seq")
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=staff_id)
    rows: Any = (
        queue_rows(view, staff_id, desk)
        .select_related("desk", "owner", "assignee")
        .annotate(newest_body=Subquery(newest.values("body")[:1]))
        .annotate(read_until=Subquery(mine.values("last_read_seq")[:1]))[:MOST_LINES]
    )
    found = list(rows)
    states = states_of({one.owner_id for one in found}, now)
    return [
        QueueLine(
            conversation=one,
            name=str(one.owner),
            preview=_preview(one.newest_body or ""),
            is_unread=one.waiting_since is not None and (one.read_until or 0) < one.last_seq,
            waited=_minutes(one.waiting_since, now),
            state=states[one.owner_id][0],
        )
        for one in found
    ]


def thread(conversation: Conversation, now: datetime) -> Thread:
    """The latest messages with what the other side has read of them."""
    newest = (
        Message.objects.filter(conversation=conversation)
        .select_related("sender", "reply_to__sender")
        .prefetch_related("attachments")
        .order_by("-seq")[: MOST_MESSAGES + 1]
    )
    rows = list(newest)
    has_more, rows = len(rows) > MOST_MESSAGES, rows[:MOST_MESSAGES][::-1]
    owner = conversation.owner
    pointers = Participant.objects.filter(conversation=conversation, user=owner).values_list(
        "last_read_seq", "last_delivered_seq"
    )
    read, delivered = pointers.first() or (0, 0)
    state, last_active_at = states_of([owner.pk], now)[owner.pk]
    return Thread(
        conversation=conversation,
        owner=owner,
        member=Member.objects.filter(user=owner).first(),
        lines=_lines(rows, owner.pk, read, delivered),
        has_more=has_more,
        events=list(conversation.events.order_by("-at", "-pk")[:8]),
        state=state,
        last_active_at=last_active_at,
        held=HeldMessage.objects.filter(conversation=conversation, state=HeldMessage.State.WAITING).count(),
    )


def find_thread(public_id: UUID | None) -> Conversation | None:
    if public_id is None:
        return None
    rows = Conversation.objects.at_desks().select_related("desk", "owner", "assignee")
    return rows.filter(public_id=public_id).first()


def canned_replies(desk: Desk | None) -> list[CannedReply]:
    """Those of the desk and those of all, in order."""
    return list(
        CannedReply.objects.filter(Q(desk=desk) | Q(desk__isnull=True)).order_by("position", "title", "pk")
    )


def colleagues(besides: int) -> list[User]:
    """Who else answers at the desks, by name."""
    serving = Permission.objects.filter(content_type__app_label="chat", codename="serve_desks")
    people = User.objects.filter(is_staff=True, is_active=True).exclude(pk=besides)
    people = people.filter(
        Q(is_superuser=True) | Q(user_permissions__in=serving) | Q(groups__permissions__in=serving)
    )
    return list(people.distinct().order_by("display_name", "pk"))


def desks() -> list[Desk]:
    return list(Desk.objects.order_by("position", "name", "pk"))


def transcript(conversation: Conversation) -> list[Message]:
    """Every message that stands, in order."""
    rows = Message.objects.filter(conversation=conversation).select_related("sender").order_by("seq")
    return list(rows)


def _lines(rows: Sequence[Message], owner_id: int, read: int, delivered: int) -> list[ShownLine]:
    found = []
    day = None
    for row in rows:
        on = row.created_at.date()
        is_staff = row.type != Message.Type.TEXT or row.sender_id != owner_id
        found.append(ShownLine(row, is_staff, row.seq <= read, row.seq <= delivered, starts_day=on != day))
        day = on
    return found


def _preview(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= PREVIEW else f"{line[: PREVIEW - 1]}…"


def _minutes(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds() // 60))


def read_ahead(conversation: Conversation) -> int:
    """The last number of now: what somebody has read who sees the whole thread."""
    last: int = Conversation.objects.values_list("last_seq", flat=True).get(pk=conversation.pk)
    return last
