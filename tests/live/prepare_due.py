"""Fill a data folder with ten thousand holds whose deadline has passed, and say so as JSON.

Run as a process of its own. Written in bulk: how a hold comes about is the business of other tests.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.db import transaction  # noqa: E402

from bcc.core import clock  # noqa: E402
from bcc.core.intervals import Interval  # noqa: E402
from reservations.models import Reservation, ReservationEvent, SlotClaim  # noqa: E402
from reservations.policies.cells import cells_of  # noqa: E402
from reservations.policies.states import State  # noqa: E402
from reservations.selectors.rulebook import current_rules  # noqa: E402
from tests.factories import CategoryFactory, MemberFactory, make_facility  # noqa: E402
from tests.live.making import make_tables  # noqa: E402

HOLDS = 10_000
MEMBERS = 250
COURTS = 40
HOURS = range(6, 22)
DUE_SINCE = timedelta(minutes=1)


def hours() -> Iterator[Interval]:
    first = clock.today() + timedelta(days=2)
    for day in range(HOLDS):
        for hour in HOURS:
            starts_at = datetime.combine(first + timedelta(days=day), time(hour), tzinfo=clock.zone())
            yield Interval(starts_at, starts_at + timedelta(hours=1))


def make_holds(now: datetime) -> int:
    CategoryFactory.create()
    members = [MemberFactory.create() for _number in range(MEMBERS)]
    courts = [make_facility(f"Due Court {number}", terms={"hold_minutes": 10}) for number in range(COURTS)]
    versions = [court.policies.get().versions.get().pk for court in courts]
    rules = current_rules()
    held: list[Reservation] = []
    intervals = hours()
    while len(held) < HOLDS:
        interval = next(intervals)
        for court, version in zip(courts, versions, strict=True):
            member = members[len(held) * 7 % MEMBERS]
            held.append(
                Reservation(
                    facility=court,
                    member=member,
                    membership_id=member.membership_id,
                    policy_version_id=version,
                    state=State.HELD,
                    starts_at=interval.starts_at,
                    ends_at=interval.ends_at,
                    starts_on=interval.starts_at.date(),
                    created_at=now - timedelta(minutes=11),
                    expires_at=now - DUE_SINCE,
                )
            )
    Reservation.objects.bulk_create(held, batch_size=500)
    ReservationEvent.objects.bulk_create(
        [
            ReservationEvent(
                reservation=one,
                action="created",
                to_state=State.HELD,
                actor_kind="member",
                actor_name="Test",
                at=one.created_at,
            )
            for one in held
        ],
        batch_size=500,
    )
    SlotClaim.objects.bulk_create(
        [
            SlotClaim(space_id=space.id, cell_start=cell, lane=0, reservation=one)
            for one in held
            for space in rules.facilities[one.facility_id].spaces
            for cell in cells_of(space, one.interval, rules.zone)
        ],
        batch_size=500,
    )
    return len(held)


def main() -> None:
    make_tables()
    with transaction.atomic():
        made = make_holds(clock.now())
    print(json.dumps({"holds": made}))


main()
