"""Fill a data folder for the concurrency tests, and print what their client needs as JSON.

Run as a process of its own, before the server: members with a session each, and the facilities of
every scenario, made with the tests' own factories.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.db import transaction  # noqa: E402 - the apps come first

from accounts.services.tokens import make_tokens  # noqa: E402
from bcc.core import clock  # noqa: E402
from facilities.models import Facility  # noqa: E402
from tests.factories import (  # noqa: E402
    CategoryFactory,
    MemberFactory,
    make_facility,
    make_quota,
    make_rooms,
    make_session,
    make_space,
)
from tests.live.making import make_tables  # noqa: E402

MEMBERS = 50
TERMS = {"open_days_ahead": 30}


def make_members() -> list[dict[str, str]]:
    now = clock.now()
    people = []
    for _number in range(MEMBERS):
        member = MemberFactory.create()
        assert member.user is not None
        tokens = make_tokens(user=member.user, session=make_session(member.user, now=now), now=now)
        people.append({"id": str(member.public_id), "token": tokens.access})
    return people


def make_facilities() -> dict[str, Facility]:
    east, west = make_space("East"), make_space("West")
    facilities = {
        "court": make_facility("Contested Court", terms=TERMS),
        "pool": make_facility("Small Pool", kind="class", lanes=10, terms=TERMS),
        "rooms": make_rooms("Twelve Rooms", rooms=12, terms=TERMS),
        "lane": make_facility(
            "Long Lane", kind="lane", grid=15, terms={**TERMS, "slot_minutes": 15, "max_slots": 8}
        ),
        "hall_east": make_facility("East Hall", kind="hall", spaces=[east], terms=TERMS),
        "hall_west": make_facility("West Hall", kind="hall", spaces=[west], terms=TERMS),
        "hall": make_facility("Grand Hall", kind="hall", spaces=[east, west], terms=TERMS),
        "once": make_facility("Key Court", terms=TERMS),
        "swap": make_facility("Swap Court", terms={**TERMS, "reschedule_limit": 30_000}),
        "brief": make_facility(
            "Brief Classes", kind="class", lanes=10, grid=60, terms={**TERMS, "hold_minutes": 1}
        ),
        "held": make_facility("Held Court", terms={**TERMS, "hold_minutes": 24 * 60}),
    }
    for number in range(50):
        facilities[f"table_{number}"] = make_facility(f"Table {number}", kind="table", terms=TERMS)
    make_quota("Two tables a day", kind="table", limit=2, period="day", per="household")
    return facilities


def main() -> None:
    make_tables()
    with transaction.atomic():
        CategoryFactory.create()
        members = make_members()
        facilities = make_facilities()
    print(
        json.dumps(
            {
                "members": members,
                "facilities": {name: str(facility.public_id) for name, facility in facilities.items()},
                "today": clock.today().isoformat(),
            }
        )
    )


main()
