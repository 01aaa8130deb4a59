"""The demo club's desks, what staff say often, and a few conversations, through the chat's own services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from accounts.models import Member, User
from accounts.policies.identity import Identity
from chat.models import CannedReply, Desk, DeskSpan
from chat.services.opening import open_desk
from chat.services.send import Outgoing, send_message


def load_talk(
    club: dict[str, Any], *, members: Sequence[Member], staff: Sequence[User], now: datetime
) -> int:
    """Make the desks and the conversations; how many messages were said."""
    desks = {
        code: _load_desk(code, said, place) for place, (code, said) in enumerate(club["desks"].items(), 1)
    }
    for place, one in enumerate(club["canned_replies"], 1):
        desk = desks.get(one.get("desk", ""))
        CannedReply.objects.create(title=one["title"], body=one["body"], desk=desk, position=place)
    clerk = next(user for user in staff if user.username == "front-desk")
    said = 0
    for number, one in enumerate(club["conversations"]):
        member = members[one["member"] % len(members)]
        first = now - timedelta(minutes=one["said"][0][0])
        thread = open_desk(desk=desks[one["desk"]].public_id, by=_identity(member.user, member), now=first)
        for place, (ago, who, body) in enumerate(one["said"]):
            speaker = _identity(member.user, member) if who == "member" else _identity(clerk)
            send_message(
                ask=Outgoing(
                    sender=speaker,
                    conversation=thread.public_id,
                    client_id=_client_id(f"{number}/{place}"),
                    body=body,
                ),
                now=now - timedelta(minutes=ago),
            )
            said += 1
    return said


def _load_desk(code: str, said: dict[str, Any], position: int) -> Desk:
    desk = Desk.objects.create(
        code=code,
        name=said["name"],
        department=said["department"],
        description=said["description"],
        away_message=said["away"],
        position=position,
    )
    hours = said["hours"]
    for weekday in hours["days"]:
        DeskSpan.objects.create(
            desk=desk,
            weekday=weekday,
            opens=time.fromisoformat(hours["opens"]),
            closes=time.fromisoformat(hours["closes"]),
        )
    return desk


def _identity(user: User | None, member: Member | None = None) -> Identity:
    if user is None:
        raise ValueError("Everybody in the demo club has an account.")
    return Identity(
        user_id=user.pk,
        public_id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        is_staff=user.is_staff,
        is_active=True,
        session_id=uuid4(),
        member_id=None if member is None else member.pk,
        permissions=frozenset(user.get_all_permissions()),
    )


def _client_id(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"demo chat {name}")
