"""Conversations as somebody has them in a list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.policies.identity import Identity
from chat.fanout.frames import ShownMessage
from chat.models import Conversation, Kind, Message, Participant
from chat.policies import rights
from chat.selectors.messages import rows_of, shown

# Of a conversation's people so many are shown in a list.
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation with what its reader wants to know of it."""

    conversation: Conversation
    title: str
    unread: int
    last_read_seq: int
    is_muted: bool
    last_message: ShownMessage | None
    people: list[dict[str, Any]]


def find_conversation(identity: Identity, public_id: UUID) -> Conversation | None:
    """One that ``identity`` may read; None for what is not there or somebody else's."""
    row = Conversation.objects.select_related("desk").filter(public_id=public_id).first()
    if row is None:
        return None
    inside = Participant.objects.present().filter(conversation=row, user=identity.user_id)
    may = rights.may_read(
        kind=row.kind, is_inside=inside.exists(), serves_desks=identity.has_perm(rights.SERVE_DESKS)
    )
    return row if may else None


def conversations_of(user_id: int) -> QuerySet[Conversation]:
    """Those that the user is in, with what ``lines_of`` needs of each."""
    return with_reading(Conversation.objects.joined_by(user_id), user_id)


def with_reading(rows: QuerySet[Conversation], user_id: int) -> QuerySet[Conversation]:
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=user_id)
    read = Coalesce(Subquery(mine.values("last_read_seq")[:1]), Value(0))
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq")
    unread = (
        Message.objects.filter(
            conversation=OuterRef("pk"), seq__gt=OuterRef("read_until"), deleted_at__isnull=True
        )
        .exclude(sender=user_id)
        .values("conversation")
        .annotate(number=Count("pk"))
        .values("number")
    )
    annotated: QuerySet[Conversation] = rows.select_related("desk").annotate(
        read_until=read,
        muted=Coalesce(Subquery(mine.values("is_muted")[:1]), Value(False), output_field=BooleanField()),
        newest_id=Subquery(newest.values("pk")[:1]),
        unread_count=Coalesce(Subquery(unread, output_field=IntegerField()), Value(0)),
    )
    return annotated


def lines_of(rows: Sequence[Any], user_id: int) -> list[Line]:
    """Rows of ``with_reading`` as they are shown: two queries more."""
    newest = {row["pk"]: shown(row) for row in rows_of(one.newest_id for one in rows if one.newest_id)}
    people: dict[int, list[dict[str, Any]]] = defaultdict(list)
    ids = [one.pk for one in rows if one.kind != Kind.BROADCAST]
    found = Participant.objects.present().filter(conversation__in=ids).select_related("user").order_by("pk")
    for one in found:
        if len(people[one.conversation_id]) < MOST_SHOWN:
            people[one.conversation_id].append(
                {
                    "id": one.user.public_id,
                    "name": str(one.user),
                    "is_staff": one.role == Participant.Role.STAFF,
                    "is_me": one.user_id == user_id,
                    "last_read_seq": one.last_read_seq,
                    "last_delivered_seq": one.last_delivered_seq,
                }
            )
    return [
        Line(
            conversation=row,
            title=_title(row, people[row.pk]),
            unread=row.unread_count,
            last_read_seq=row.read_until,
            is_muted=row.muted,
            last_message=newest.get(row.newest_id),
            people=people[row.pk],
        )
        for row in rows
    ]


def line_of(conversation: Conversation, user_id: int) -> Line:
    (line,) = lines_of(list(with_reading(Conversation.objects.filter(pk=conversation.pk), user_id)), user_id)
    return line


def _title(row: Conversation, people: Sequence[dict[str, Any]]) -> str:
    if row.desk is not None:
        return row.desk.name
    others = [str(one["name"]) for one in people if not one["is_me"]]
    return row.title or ", ".join(others[:3])
