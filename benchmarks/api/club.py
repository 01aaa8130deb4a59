"""The club that is measured: tables by the project's own migrations, rows by its own models.

    python -m benchmarks.api.club REPORT --scale 10

A process of its own, in the environment of the server that will be measured. It makes the club where
the database is empty, grows its bookings to 2,000 times the scale, and writes what a client needs to
REPORT. Some numbers are the same at every scale, since they are what one request is about: what is
booked on the week of the court that is looked at, and what each reader has coming. History, other
members' bookings, events and the outbox grow.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps come first
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from accounts.models import (  # noqa: E402
    Channel,
    Device,
    Member,
    Membership,
    MembershipCategory,
    Notification,
    RevocationEpoch,
    Session,
    User,
)
from accounts.policies.tokens import Claims, TokenSigner, TokenType  # noqa: E402
from bcc.core import clock  # noqa: E402
from benchmarks.api import shape  # noqa: E402
from benchmarks.api.rows import write_reservations  # noqa: E402
from facilities.models import Closure, Facility, Holiday, PrimeTime, QuotaRule, Rulebook  # noqa: E402
from reservations.models import Reservation  # noqa: E402
from tests.factories import make_facility  # noqa: E402

ZONE = ZoneInfo("Asia/Manila")
TERMS = {
    "open_days_ahead": 60,
    "party_max": 4,
    "guests_max": 2,
    "min_age": 12,
    "cancellation_cutoff_minutes": 720,
}


def make_people() -> None:
    """Who looks, who reads, who books, and the others: one member a household, each with a session."""
    category = MembershipCategory.objects.create(code="regular", name="Regular")
    now = clock.now().replace(microsecond=0)
    people = range(shape.LOOKERS + shape.READERS + shape.BOOKERS + shape.OTHERS)
    Membership.objects.bulk_create(
        [Membership(account_no=f"A-{n:05d}", category=category, valid_to=date(2099, 12, 31)) for n in people]
    )
    User.objects.bulk_create(
        [
            User(username=f"m{n:05d}", display_name=f"Bench Member {n:05d}", email=f"m{n:05d}@example.com")
            for n in people
        ]
    )
    households = list(Membership.objects.order_by("pk"))
    users = list(User.objects.order_by("pk"))
    Member.objects.bulk_create(
        [
            Member(
                membership=households[n],
                user=users[n],
                member_no=f"M-{n:05d}",
                member_no_key=f"M{n:05d}",
                first_name="Bench",
                last_name=f"Member {n:05d}",
                birth_date=date(1980, 5, 17),
            )
            for n in people
        ]
    )
    Device.objects.bulk_create([Device(user=user, last_seen_at=now, trusted_at=now) for user in users])
    Session.objects.bulk_create(
        [
            Session(
                user_id=device.user_id, device=device, started_at=now, expires_at=now + timedelta(days=180)
            )
            for device in Device.objects.order_by("pk")
        ]
    )
    RevocationEpoch.objects.get_or_create(pk=1)


def make_places() -> None:
    """The court that is looked at, courts that are booked in the runs, and courts with the club's past."""
    watched = make_facility(
        "Watched Court",
        position=1,
        # The week that is asked for ends beyond the release, and what is booked keeps a gap.
        terms={**TERMS, "open_days_ahead": 5, "min_notice_minutes": 60, "buffer_after_minutes": 15},
    )
    for number in range(shape.BOOKED_COURTS):
        make_facility(f"Booked Court {number:03d}", kind="lane", terms=TERMS)
    for number in range(shape.OLD_COURTS):
        make_facility(f"Old Court {number:03d}", kind="lane", terms=TERMS)
    now = clock.now()
    closed_from = datetime.combine(clock.today() + timedelta(days=3), time(13), tzinfo=ZONE)
    Closure.objects.create(
        facility=watched,
        starts_at=closed_from,
        ends_at=closed_from + timedelta(hours=3),
        reason="The net is mended.",
        confirmed_at=now,
    )
    for weekday in range(7):
        PrimeTime.objects.create(
            name=f"Evenings {weekday}", kind="court", weekday=weekday, starts=time(17), ends=time(0)
        )
    QuotaRule.objects.create(
        name="One prime a week", kind="court", period="week", limit=1, prime_time_only=True
    )
    QuotaRule.objects.create(name="Two courts a day", kind="court", period="day", limit=2)
    # These two speak about every booking of the run and are far from full.
    QuotaRule.objects.create(name="Lanes a week", kind="lane", period="week", per="household", limit=5000)
    QuotaRule.objects.create(name="Outstanding", period="outstanding", per="household", limit=10_000)
    Holiday.objects.create(on=date(clock.today().year, 12, 25), name="Christmas", is_confirmed=True)
    Rulebook.turn_page()


def slots_of(facilities: list[Facility], first: int, days: int) -> Iterator[tuple[Facility, datetime]]:
    """Each hour from 06:00 to 21:00 of the club's days, counted from today, on each of the facilities."""
    for day in range(first, first + days):
        on = clock.today() + timedelta(days=day)
        for hour in range(6, 22):
            starts_at = datetime.combine(on, time(hour), tzinfo=ZONE).astimezone(UTC)
            for facility in facilities:
                yield facility, starts_at


def make_fixed_bookings() -> None:
    """What is the same at every scale: the week that is looked at, and what each reader has coming."""
    members = list(Member.objects.order_by("pk"))
    watched = Facility.objects.get(code="watched-court")
    week = [starts_at for _court, starts_at in slots_of([watched], 1, 7)]
    taken = [at for index, at in enumerate(week) if index % 4 == 0]
    # Those who look hold it, one or two each: quotas and the gap have something to say to every one.
    rows = [(watched, at, members[index % shape.LOOKERS], True) for index, at in enumerate(taken)]
    old = list(Facility.objects.filter(code__startswith="old-court").order_by("pk"))
    free = slots_of(old, 1, 58)
    for reader in members[shape.LOOKERS :][: shape.READERS]:
        rows += [(*next(free), reader, True) for _number in range(shape.COMING)]
    write_reservations(rows)


def grow(total: int) -> None:
    """Past bookings of everybody and coming ones of the others, until there are ``total`` reservations.

    One in ten is to come. Everybody's history grows alike, so a member of the largest club has a
    hundred times the past of one of the smallest.
    """
    missing = total - Reservation.objects.count()
    members = list(Member.objects.order_by("pk"))
    others = members[shape.LOOKERS + shape.READERS + shape.BOOKERS :]
    old = list(Facility.objects.filter(code__startswith="old-court").order_by("pk"))
    coming_before = Reservation.objects.filter(facility__in=old, ends_at__gt=clock.now()).count()
    free = slots_of(old, 1, 58)
    for _number in range(coming_before):
        next(free)
    rows: list[tuple[Facility, datetime, Member, bool]] = []
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    done = Reservation.objects.count()
    for number in range(done, done + missing):
        if number % 10 == 0:
            facility, starts_at = next(free)
            rows.append((facility, starts_at, others[number // 10 % len(others)], True))
        else:
            starts_at = now - timedelta(days=60 + number % 600, hours=number % 14)
            rows.append((old[number % len(old)], starts_at, members[number % len(members)], False))
        if len(rows) == shape.BATCH:
            write_reservations(rows)
            rows = []
    write_reservations(rows)


def make_report() -> dict[str, Any]:
    signer = TokenSigner({"1": settings.JWT_KEY})
    until = clock.now() + timedelta(hours=12)
    sessions = {
        session.user_id: signer.sign(
            Claims(
                session.user.public_id, session.public_id, session.user.token_version, TokenType.ACCESS, until
            ),
            now=clock.now(),
        )
        for session in Session.objects.select_related("user")
    }
    tokens = [
        sessions[user_id] for user_id in Member.objects.order_by("pk").values_list("user_id", flat=True)
    ]
    booked = list(Facility.objects.filter(code__startswith="booked-court").order_by("pk"))
    now = clock.now()
    return {
        "watched": str(Facility.objects.get(code="watched-court").public_id),
        "lookers": tokens[: shape.LOOKERS],
        "readers": tokens[shape.LOOKERS :][: shape.READERS],
        "bookers": tokens[shape.LOOKERS + shape.READERS :][: shape.BOOKERS],
        "courts": [str(facility.public_id) for facility in booked],
        "hours": [
            starts_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            for _court, starts_at in slots_of(booked[:1], 2, shape.DAYS)
        ],
        "first": (clock.today()).isoformat(),
        "last": (clock.today() + timedelta(days=6)).isoformat(),
        "reservations": Reservation.objects.count(),
        "notifications": Notification.objects.count(),
        "last_reservation": Reservation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
        "last_notification": Notification.objects.filter(channel=Channel.EMAIL)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
        or 0,
        "at": now.isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--scale", type=int, default=1)
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    if not Facility.objects.exists():
        with transaction.atomic():
            make_people()
            make_places()
            make_fixed_bookings()
    grow(shape.ROWS * arguments.scale)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
    else:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    arguments.report.write_text(json.dumps(make_report()))


if __name__ == "__main__":
    main()
