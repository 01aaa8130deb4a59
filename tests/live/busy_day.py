"""Fills the day of a demo club up, for its picture: prints which free cell and which member to try.

``python -m tests.live.busy_day`` with ``DATA_DIR`` of a demo club.
"""

from __future__ import annotations

import json
import os
import random

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from datetime import datetime, timedelta  # noqa: E402 - the apps come first

from accounts.models import Member, Relation, Standing  # noqa: E402
from bcc.core import clock  # noqa: E402
from bcc.core.actors import DEMO, Actor  # noqa: E402
from bcc.core.errors import DomainError  # noqa: E402
from reservations import services  # noqa: E402
from reservations.models import Reservation  # noqa: E402
from reservations.policies.states import State  # noqa: E402
from reservations.selectors.availability import bookable_intervals  # noqa: E402
from reservations.selectors.rulebook import current_rules  # noqa: E402
from reservations.selectors.today import get_day  # noqa: E402
from reservations.services.booking import Wish  # noqa: E402

HOUR = timedelta(hours=1)
# How full the day is to be, by kind: the share of its slots that somebody tries for.
SHARE = {"tee": 0.6, "court": 0.65, "lane": 0.5, "table": 2.0, "class": 3.0}
PARTY = {"tee": (2, 4), "court": (2, 4), "lane": (2, 6), "table": (2, 4), "class": (1, 4)}


def main() -> None:
    chance = random.Random(1905)
    rules, now = current_rules(), clock.now()
    today = now.astimezone(rules.zone).date()
    people = list(
        Member.objects.filter(membership__standing=Standing.GOOD)
        .exclude(relation=Relation.DEPENDENT)
        .select_related("membership")
        .order_by("pk")
    )
    chance.shuffle(people)
    for facility in rules.facilities.values():
        terms = facility.terms_on(today, None)
        if facility.kind not in SHARE or terms is None:
            continue
        slots = bookable_intervals(today, facility, terms, rules)
        for interval in chance.choices(slots, k=round(len(slots) * SHARE[facility.kind])):
            member = people.pop()
            by = Actor("member", member.full_name, member.user_id, member.pk)
            try:
                row = services.create_reservation(
                    wish=Wish(
                        facility.public_id,
                        interval.starts_at,
                        interval.ends_at,
                        party=chance.randint(*PARTY[facility.kind]),
                    ),
                    member_id=member.pk,
                    membership_id=member.membership_id,
                    by=by,
                    now=interval.starts_at - timedelta(hours=30),
                )
                if row.state != State.CONFIRMED and chance.random() < 0.9:
                    services.confirm_reservation(
                        reservation=row, by=by, now=interval.starts_at - timedelta(hours=30)
                    )
            except DomainError:
                continue  # taken, or against the club's rules: the next one then
    started = Reservation.objects.filter(
        state=State.CONFIRMED, starts_at__lte=now, starts_on=today, type="NORMAL"
    )
    for row in started.order_by("pk"):
        if chance.random() < 0.6:
            services.check_in(reservation=row, by=DEMO, now=row.starts_at)
    while services.expire_due(now=now):
        pass
    services.mark_no_shows(now=now)
    services.complete_finished(now=now)
    print(json.dumps(example(people.pop(), now)))


def example(member: Member, now: datetime) -> dict[str, str]:
    """A free court in the afternoon, and a member who is to swim just then."""
    zone = clock.zone()
    day = get_day(on=now.astimezone(zone).date(), now=now)
    pool = next(place for place in day.places if place.facility.name == "Swimming Pool")
    courts = [
        cell
        for area in day.areas
        for board in area.boards
        for row in board.rows
        for cell in row.cells
        if row.facility.kind == "court" and cell.kind == "free" and cell.interval.starts_at > now + 3 * HOUR
    ]
    wanted = courts[0].interval
    facility = next(
        row.facility
        for area in day.areas
        for board in area.boards
        for row in board.rows
        if courts[0] in row.cells
    )
    services.create_reservation(
        wish=Wish(pool.facility.public_id, wanted.starts_at, wanted.ends_at),
        member_id=member.pk,
        membership_id=member.membership_id,
        by=DEMO,
        now=now,
    )
    at = wanted.starts_at.astimezone(zone)
    return {"cell": f"at-{facility.id}-{at:%d%H%M}", "member": member.member_no}


if __name__ == "__main__":
    main()
