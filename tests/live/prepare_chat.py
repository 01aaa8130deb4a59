"""Fill a data folder for the tests of the chat: members in one room, a desk, and staff. Prints JSON.

``CHAT_MEMBERS`` says how many; the room is a group of all of them. Tokens are good for ten minutes.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from datetime import timedelta  # noqa: E402 - the apps come first

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402

from accounts.services.tokens import make_tokens  # noqa: E402
from bcc.core import clock  # noqa: E402
from bcc.core.actors import DEMO  # noqa: E402
from chat.models import CannedReply, Conversation, Participant  # noqa: E402
from reservations import services  # noqa: E402
from reservations.services.booking import Wish  # noqa: E402
from tests.chat.talk import make_desk  # noqa: E402
from tests.factories import MemberFactory, UserFactory, make_facility, make_session  # noqa: E402
from tests.live.making import make_tables  # noqa: E402


def main() -> None:
    make_tables()
    now = clock.now()
    number = int(os.environ.get("CHAT_MEMBERS", "2"))
    desk = make_desk()
    night = make_desk("Night Desk", is_always_open=False, away_message="Nobody sits here now.")
    CannedReply.objects.create(title="Pool hours", body="The pool is open from six to ten.")
    people = []
    room = None
    for index in range(number):
        member = MemberFactory.create(first_name="Test", last_name=f"Caller {index}")
        assert member.user is not None
        if room is None:
            room = Conversation.objects.create(
                kind="group",
                key=f"group:{uuid4().hex}",
                title="Room",
                owner=member.user,
                created_at=now,
                active_at=now,
            )
        Participant.objects.create(conversation=room, user=member.user, joined_at=now)
        session = make_session(member.user, now=now)
        token = make_tokens(user=member.user, session=session, now=now).access
        people.append(
            {
                "token": token,
                "user": str(member.user.public_id),
                "member_no": member.member_no,
                "name": member.full_name,
            }
        )
    court = make_facility("Socket Court", terms={"open_days_ahead": 30})
    first = Conversation.objects.get(pk=room.pk).owner.member if room is not None else None
    if first is not None:
        later = (now + timedelta(hours=2)).astimezone(clock.zone()).replace(minute=0, second=0, microsecond=0)
        if later.hour not in range(6, 21):
            later = (later + timedelta(days=1)).replace(hour=10)
        services.create_reservation(
            wish=Wish(court.public_id, later, later + timedelta(hours=1)),
            member_id=first.pk,
            membership_id=first.membership_id,
            by=DEMO,
            now=now,
        )
    staff = {}
    for name in ("front-desk", "second-desk"):
        password = secrets.token_urlsafe(12)
        user = UserFactory.create(
            username=name,
            display_name=f"Test {name.title().replace('-', ' ')}",
            is_staff=True,
            password=make_password(password),
        )
        user.groups.add(Group.objects.get(name="Front Desk"))
        staff[name] = {"username": name, "password": password, "name": user.display_name}
    print(
        json.dumps(
            {
                "people": people,
                "room": None if room is None else str(room.public_id),
                "desk": str(desk.public_id),
                "night": str(night.public_id),
                "staff": staff,
            }
        )
    )


main()
