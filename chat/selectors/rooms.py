"""Which conversations somebody hears, and who of the people in them is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.models import Member, Standing, User
from accounts.policies.identity import Identity
from chat.models import ChatProfile, Connection, Conversation, Kind, Participant
from chat.policies import rights
from chat.policies.presence import State, alive_since, state_of

# The newest of somebody's conversations; older ones are heard if the app names them.
MOST_ROOMS: Final = 200


def rooms_of(identity: Identity, named: Collection[UUID]) -> list[UUID]:
    """What ``identity`` may hear: the newest of their own, and of ``named`` those they may read."""
    mine = Conversation.objects.joined_by(identity.user_id).order_by("-active_at", "-pk")
    found = dict.fromkeys(mine.values_list("public_id", flat=True)[:MOST_ROOMS])
    rest = [one for one in named if one not in found]
    if rest:
        readable = mine.filter(public_id__in=rest)
        found.update(dict.fromkeys(readable.values_list("public_id", flat=True)))
        if identity.has_perm(rights.SERVE_DESKS):
            desks = Conversation.objects.at_desks().filter(public_id__in=rest)
            found.update(dict.fromkeys(desks.values_list("public_id", flat=True)))
    return list(found)


def may_hear(identity: Identity, conversation: UUID) -> bool:
    return conversation in rooms_of(identity, [conversation])


def joined_since(at: datetime, user_ids: Iterable[int]) -> list[tuple[int, UUID]]:
    """(user, conversation) of whoever came into one since then."""
    ids = list(user_ids)
    found: list[tuple[int, UUID]] = []
    for start in range(0, len(ids), 500):
        rows = Participant.objects.joined_since(at, ids[start : start + 500])
        found += rows.values_list("user_id", "conversation__public_id")
    return found


def suspended(user_ids: Iterable[int]) -> set[int]:
    """Those of a household that the club has suspended: they have no sockets."""
    ids = list(user_ids)
    found: set[int] = set()
    for start in range(0, len(ids), 500):
        members = Member.objects.filter(
            user_id__in=ids[start : start + 500], membership__standing=Standing.SUSPENDED
        )
        found.update(members.values_list("user_id", flat=True))
    return found


def watchable(identity: Identity, users: Collection[UUID]) -> list[tuple[int, UUID]]:
    """Of ``users`` those whose presence is ``identity``'s business: in a conversation with them, or staff."""
    rows = User.objects.filter(public_id__in=list(users), is_active=True)
    if not identity.has_perm(rights.SERVE_DESKS):
        mine = Participant.objects.present().filter(
            user=identity.user_id, conversation=OuterRef("conversation")
        )
        shared = (
            Participant.objects.present()
            .filter(user=OuterRef("pk"))
            .exclude(conversation__kind=Kind.BROADCAST)
            .filter(Exists(mine))
        )
        rows = rows.filter(Exists(shared))
    return list(rows.values_list("pk", "public_id"))


def states_of(user_ids: Iterable[int], now: datetime) -> dict[int, tuple[State, datetime | None]]:
    """The presence of each, from stored times: (state, last active). Who hides it has no time either."""
    ids = list(user_ids)
    live = Connection.objects.alive(alive_since(now)).filter(user_id__in=ids)
    latest: dict[int, datetime] = {}
    for user_id, seen in live.values_list("user_id", "last_active_at"):
        latest[user_id] = max(seen, latest.get(user_id, seen))
    profiles = {
        user_id: (is_shown, at)
        for user_id, is_shown, at in ChatProfile.objects.filter(user_id__in=ids).values_list(
            "user_id", "shows_presence", "last_active_at"
        )
    }
    found: dict[int, tuple[State, datetime | None]] = {}
    for user_id in ids:
        is_shown, stored = profiles.get(user_id, (True, None))
        at = latest.get(user_id, stored)
        state = state_of(is_connected=user_id in latest, last_active_at=at, is_shown=is_shown, now=now)
        found[user_id] = (state, at if is_shown else None)
    return found


def named_states(
    user_ids: Iterable[int], now: datetime
) -> dict[int, tuple[UUID, tuple[State, datetime | None]]]:
    """What ``states_of`` gives, with the public id of each."""
    ids = list(user_ids)
    names = dict(User.objects.filter(pk__in=ids).values_list("pk", "public_id"))
    return {one: (names[one], state) for one, state in states_of(ids, now).items() if one in names}
