"""Beginning conversations, and being in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from accounts.models import Member, User
from accounts.policies.identifiers import member_number_key
from accounts.policies.identity import Identity
from bcc.core import transactions
from bcc.core.errors import NotAllowedError
from chat.models import Block, ChatProfile, Conversation, Desk, Kind, Participant
from chat.policies import rights
from chat.services import announce
from chat.services.errors import (
    GroupTooLargeError,
    NoSuchConversationError,
    NotReachableError,
    SwitchedOffError,
)
from chat.services.rules import current_rules


class NoSuchDeskError(NoSuchConversationError):
    code = "no_such_desk"


@transactions.writes
def open_desk(*, desk: UUID, by: Identity, now: datetime) -> Conversation:
    """The member's one thread with a desk, made if there is none.

    Raises NoSuchDeskError, and NotAllowedError for somebody who is no member.
    """
    if by.member_id is None:
        raise NotAllowedError
    row = Desk.objects.filter(public_id=desk, is_shown=True).first()
    if row is None:
        raise NoSuchDeskError
    return _opened(
        key=f"desk:{row.pk}:{by.user_id}",
        kind=Kind.DESK,
        by=by.user_id,
        people=[by.user_id],
        now=now,
        desk=row,
    )


@transactions.writes
def open_direct(*, member_no: str, by: Identity, now: datetime) -> Conversation:
    """The one thread of two members. Raises SwitchedOffError, NotReachableError and NotAllowedError.

    One that exists is opened whatever the other allows by now: what was said stays to be read.
    """
    if by.member_id is None:
        raise NotAllowedError
    (other,) = _people([member_no], by=by)
    low, high = sorted((by.user_id, other.pk))
    key = f"direct:{low}:{high}"
    existing = Conversation.objects.filter(key=key).first()
    if existing is not None:
        return existing
    if not current_rules().settings.allows_direct:
        raise SwitchedOffError
    _require_willing([other], by=by, wish="accepts_direct")
    return _opened(key=key, kind=Kind.DIRECT, by=by.user_id, people=[by.user_id, other.pk], now=now)


@transactions.writes
def open_group(*, title: str, members: Sequence[str], by: Identity, now: datetime) -> Conversation:
    """A group of its maker and ``members``, all of whom allow it.

    Raises SwitchedOffError, GroupTooLargeError, NotReachableError and NotAllowedError.
    """
    if by.member_id is None:
        raise NotAllowedError
    settings = current_rules().settings
    if not settings.allows_groups:
        raise SwitchedOffError
    others = _people(members, by=by)
    if len(others) + 1 > settings.group_size:
        raise GroupTooLargeError(limit=settings.group_size)
    _require_willing(others, by=by, wish="accepts_groups")
    people = [by.user_id, *(one.pk for one in others)]
    key = f"group:{uuid4().hex}"
    return _opened(key=key, kind=Kind.GROUP, by=by.user_id, people=people, now=now, title=title)


@transactions.writes
def open_broadcast(*, title: str, by: Identity, now: datetime) -> Conversation:
    """A thread in which the club tells every member something. Raises NotAllowedError."""
    if not by.has_perm(rights.BROADCAST):
        raise NotAllowedError
    people = list(
        User.objects.filter(is_active=True, member__isnull=False).order_by("pk").values_list("pk", flat=True)
    )
    key = f"broadcast:{uuid4().hex}"
    return _opened(key=key, kind=Kind.BROADCAST, by=by.user_id, people=people, now=now, title=title)


@transactions.writes
def leave_group(*, conversation: Conversation, by: Identity, now: datetime) -> None:
    """Be in a group no more. Raises NoSuchConversationError for another kind; again changes nothing."""
    if conversation.kind != Kind.GROUP:
        raise NoSuchConversationError
    inside = Participant.objects.present().filter(conversation=conversation, user=by.user_id)
    if inside.update(left_at=now):
        announce.left(conversation.public_id, [by.public_id])


@transactions.writes
def mute(*, conversation: Conversation, by: Identity, is_muted: bool, now: datetime) -> None:
    """Say whether somebody is told of it while away."""
    row, _made = Participant.objects.get_or_create(
        conversation=conversation, user_id=by.user_id, defaults={"joined_at": now}
    )
    Participant.objects.filter(pk=row.pk).update(is_muted=is_muted)


def _opened(
    *,
    key: str,
    kind: Kind,
    by: int,
    people: Sequence[int],
    now: datetime,
    desk: Desk | None = None,
    title: str = "",
) -> Conversation:
    conversation, made = Conversation.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "owner_id": by,
            "desk": desk,
            "title": title,
            "created_at": now,
            "active_at": now,
        },
    )
    if made:
        Participant.objects.bulk_create(
            [Participant(conversation=conversation, user_id=one, joined_at=now) for one in people],
            batch_size=200,
        )
        announce.joined(conversation.public_id, _public_ids(people))
    return conversation


def _people(numbers: Sequence[str], *, by: Identity) -> list[User]:
    """The accounts behind member numbers, without the asker's. Raises NotReachableError."""
    keys = {member_number_key(one) for one in numbers}
    found = Member.objects.filter(member_no_key__in=keys, user__is_active=True).select_related("user")
    members = {one.member_no_key: one for one in found}
    if "" in keys or keys - members.keys():
        raise NotReachableError
    people = [one.user for one in members.values() if one.user is not None and one.user_id != by.user_id]
    if not people:
        raise NotReachableError
    return sorted(people, key=lambda one: one.pk)


def _require_willing(others: Sequence[User], *, by: Identity, wish: str) -> None:
    """Both allow it, and neither has blocked the other."""
    ids = {by.user_id, *(one.pk for one in others)}
    willing = ChatProfile.objects.filter(user_id__in=ids, **{wish: True}).values_list("user_id", flat=True)
    if ids - set(willing):
        raise NotReachableError
    if any(Block.objects.between(by.user_id, one.pk).exists() for one in others):
        raise NotReachableError


def _public_ids(users: Sequence[int]) -> list[UUID]:
    found: list[UUID] = []
    for start in range(0, len(users), 500):
        rows = User.objects.filter(pk__in=users[start : start + 500])
        found += rows.values_list("public_id", flat=True)
    return found
