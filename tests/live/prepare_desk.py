"""A small club on the morning of a busy day, for the test of the front desk. Prints what it made as JSON.

Run as a process of its own, before the server. The club's clock stands at 09:05 of the day after the
machine's, so that the day looks the same whenever the test runs.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402 - the apps come first

from accounts.models import Member  # noqa: E402
from bcc.core import clock  # noqa: E402
from bcc.core.actors import DEMO  # noqa: E402
from facilities.models import Facility  # noqa: E402
from reservations import services  # noqa: E402
from reservations.models import Reservation  # noqa: E402
from reservations.services.booking import Wish  # noqa: E402
from tests.factories import (  # noqa: E402
    CategoryFactory,
    MemberFactory,
    UserFactory,
    make_facility,
    make_quota,
    make_rooms,
)
from tests.live.making import make_tables  # noqa: E402

CAST = ("Early", "Late", "Keen", "Caller", "Sudden", "Paddle", "Racket", "Sleeper")
TERMS = {"open_days_ahead": 14, "no_show_after_minutes": 45, "max_slots": 2}


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(clock.today(), time(hour, minute), tzinfo=clock.zone())


def book(member: Member, facility: Facility, hour: int, *, hours: int = 1, nights: int = 0) -> Reservation:
    starts_at = at(hour)
    ends_at = starts_at + timedelta(hours=hours)
    if nights:
        ends_at = at(12) + timedelta(days=nights)
    return services.create_reservation(
        wish=Wish(facility.public_id, starts_at, ends_at),
        member_id=member.pk,
        membership_id=member.membership_id,
        by=DEMO,
        now=at(8) - timedelta(days=1),
    )


def main() -> None:
    make_tables()
    tomorrow = clock.today() + timedelta(days=1)
    morning = datetime.combine(tomorrow, time(9, 5), tzinfo=clock.zone())
    clock.move_demo_clock(morning - clock.now())
    CategoryFactory.create()
    members = {
        name: MemberFactory.create(first_name="Test", last_name=name, member_no=f"DESK-{number:04d}")
        for number, name in enumerate(CAST, 1)
    }
    north = make_facility("Court North", area="Courts", position=10, terms=TERMS)
    south = make_facility("Court South", area="Courts", position=20, terms=TERMS)
    west = make_facility("Court West", area="Courts", position=30, terms=TERMS)
    pool = make_facility("Pool", kind="class", lanes=20, area="Fitness", takes="person", position=40)
    rooms = make_rooms("Garden Room", rooms=4)
    make_quota("Two courts a day", kind="court", limit=2)
    made = {
        "early": book(members["Early"], north, 10),
        "late": book(members["Late"], south, 9),
        "keen": book(members["Keen"], north, 8),
        "keen_again": book(members["Keen"], south, 18),
        "sudden": book(members["Sudden"], west, 16),
        "under_closure_kept": book(members["Paddle"], west, 13),
        "under_closure_cancelled": book(members["Racket"], west, 14),
        "sleeper": book(members["Sleeper"], rooms, 14, nights=2),
    }
    staff = {}
    for group in ("Front Desk", "Facilities"):
        password = secrets.token_urlsafe(12)
        user = UserFactory.create(
            username=group.lower().replace(" ", "-"), display_name=f"Test {group}", is_staff=True
        )
        user.groups.add(Group.objects.get(name=group))
        user.set_password(password)
        user.save()
        staff[group] = {"username": user.username, "password": password}
    print(
        json.dumps(
            {
                "staff": staff,
                "today": tomorrow.isoformat(),
                "facilities": {one.name: one.pk for one in (north, south, west, pool, rooms)},
                "members": {name: one.member_no for name, one in members.items()},
                "bookings": {name: one.pk for name, one in made.items()},
            }
        )
    )


main()
