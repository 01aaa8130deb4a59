"""Loads the demo club from ``club.yaml`` through the same services and models as real data."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from accounts.models import Member, MembershipCategory, Notification, Relation, User
from accounts.services.household import register_member, register_membership
from bcc.core import transactions
from bcc.core.actors import DEMO, Actor
from bcc.core.errors import DomainError
from bcc.core.intervals import Interval
from facilities.models import (
    Announcement,
    ClubRule,
    Contact,
    Event,
    Facility,
    FacilitySpace,
    Faq,
    Holiday,
    OpeningPeriod,
    OpeningSpan,
    Outlet,
    PolicyVersion,
    PrimeTime,
    Promo,
    QuotaRule,
    Rate,
    ReservationPolicy,
    Space,
    StrikeRule,
    Weekday,
)
from reservations import services
from reservations.selectors.availability import bookable_intervals
from reservations.selectors.rulebook import current_rules
from reservations.services.booking import Wish

DATA = Path(__file__).with_name("club.yaml")
CONTENT = {
    "announcements": Announcement,
    "contacts": Contact,
    "faqs": Faq,
    "rules": ClubRule,
    "outlets": Outlet,
    "promos": Promo,
}
SIGN_INS = "demo-sign-ins"
SHARE_THAT_CAME = 0.95
Say = Callable[[str], None]


@dataclass(slots=True)
class Loaded:
    """What was loaded, to be told."""

    members: list[Member] = field(default_factory=list)
    staff: list[User] = field(default_factory=list)
    booked: int = 0
    refused: int = 0


def is_loaded() -> bool:
    return MembershipCategory.objects.exists()


def load(*, now: datetime, say: Say) -> Loaded:
    """Load the whole club, and write the sign-ins to the data folder (mode 0600)."""
    club: dict[str, Any] = yaml.safe_load(DATA.read_text())
    # One hash for everybody: five hundred of Argon2 take minutes, and every demo member has one password.
    password = secrets.token_urlsafe(9)
    encoded = make_password(password)
    loaded = Loaded()
    say("categories, members and staff")
    transactions.run(lambda: _load_people(club, encoded, loaded, now))
    say("facilities, hours, policies and content")
    transactions.run(lambda: _load_facilities(club, now))
    transactions.run(lambda: _load_content(club, now))
    say("reservations of some weeks")
    _load_reservations(loaded, now)
    _write_sign_ins(loaded, password)
    return loaded


def _load_people(club: dict[str, Any], encoded: str, loaded: Loaded, now: datetime) -> None:
    categories = [MembershipCategory.objects.create(**one) for one in club["categories"]]
    plan = club["households"]
    chance = random.Random(1905)  # noqa: S311 - the same demo club every time
    for number in range(1, plan["count"] + 1):
        standing = "good"
        if number > plan["count"] - plan["suspended"]:
            standing = "suspended"
        elif number > plan["count"] - plan["suspended"] - plan["delinquent"]:
            standing = "delinquent"
        membership = register_membership(
            account_no=f"D-{number:04d}", category=categories[number % len(categories)], standing=standing
        )
        people = [Relation.PRINCIPAL]
        people += [Relation.SPOUSE] if number <= plan["with_spouse"] else []
        people += [Relation.DEPENDENT] if number <= plan["with_dependent"] else []
        people += [Relation.DEPENDENT] if number <= plan["with_second_dependent"] else []
        for place, relation in enumerate(people):
            grown = relation != Relation.DEPENDENT
            born = chance.randrange(1950, 1995) if grown else chance.randrange(2003, 2016)
            loaded.members.append(
                register_member(
                    membership=membership,
                    member_no=f"DM-{number:04d}-{place}",
                    first_name="Demo",
                    last_name=f"Member {number:03d}-{place}",
                    now=now,
                    relation=relation,
                    birth_date=date(born, chance.randint(1, 12), chance.randint(1, 28)),
                    can_view_statements=grown,
                    email=f"member-{number:04d}-{place}@example.com",
                    encoded_password=encoded,
                )
            )
    for group in club["staff"]:
        name = group.lower().replace(" ", "-")
        user = User.objects.create(
            username=name,
            display_name=f"Demo {group}",
            email=f"{name}@example.com",
            is_staff=True,
            password=encoded,
        )
        user.groups.add(Group.objects.get(name=group))
        loaded.staff.append(user)
    admin = User.objects.create(
        username="admin", display_name="Demo Admin", is_staff=True, is_superuser=True, password=encoded
    )
    loaded.staff.append(admin)


def _load_facilities(club: dict[str, Any], now: datetime) -> None:
    for on, name in club["holidays"].items():
        Holiday.objects.create(on=date.fromisoformat(on), name=name, is_confirmed=True)
    spaces = {
        code: Space.objects.create(code=code, name=name, grid=grid, lanes=lanes)
        for code, (name, grid, lanes) in club["spaces"].items()
    }
    for kind, terms in club["policies"].items():
        policy = ReservationPolicy.objects.create(
            name=f"{kind.replace('_', ' ').capitalize()} policy", kind=kind
        )
        read = {**terms, "release_time": time.fromisoformat(terms["release_time"])}
        PolicyVersion.objects.create(policy=policy, number=1, published_at=now - timedelta(days=90), **read)
    facilities: dict[str, Facility] = {}
    for position, (code, said) in enumerate(club["facilities"].items()):
        facilities[code] = facility = Facility.objects.create(
            code=code,
            name=said["name"],
            kind=said["kind"],
            area=said["area"],
            takes=said.get("takes", "booking"),
            state="published",
            position=10 * (position + 1),
            description=f"{said['name']} of the demo club.",
        )
        for name in said["spaces"]:
            FacilitySpace.objects.create(facility=facility, space=spaces[name])
        _open(facility, said, club["holiday_hours"])
    for band in club["prime_time"]:
        for day in band["days"]:
            PrimeTime.objects.create(
                name=band["name"],
                kind=band["kind"],
                weekday=day,
                starts=time.fromisoformat(band["starts"]),
                ends=time.fromisoformat(band["ends"]),
            )
    for quota in club["quotas"]:
        QuotaRule.objects.create(**quota)
    for rule in club["strike_rules"]:
        StrikeRule.objects.create(**rule)
    for rate in club["rates"]:
        Rate.objects.create(**{**rate, "facility": facilities[rate["facility"]]})


def _open(facility: Facility, said: dict[str, Any], holiday: dict[str, str]) -> None:
    period = OpeningPeriod.objects.create(facility=facility, name="All year", starts_on=date(2020, 1, 1))
    opens, closes = time.fromisoformat(said["opens"]), time.fromisoformat(said["closes"])
    for weekday in range(7):
        OpeningSpan.objects.create(period=period, weekday=weekday, opens=opens, closes=closes)
    if facility.kind != "room_night":
        OpeningSpan.objects.create(
            period=period,
            weekday=Weekday.HOLIDAY,
            opens=max(opens, time.fromisoformat(holiday["opens"])),
            closes=min(closes, time.fromisoformat(holiday["closes"])),
        )


def _load_content(club: dict[str, Any], now: datetime) -> None:
    for name, model in CONTENT.items():
        for said in club[name]:
            model.objects.create(**said, state="published")
    for said in club["events"]:
        starts_at = now + timedelta(days=said.pop("in_days"))
        ends_at = starts_at + timedelta(hours=said.pop("hours"))
        Event.objects.create(**said, starts_at=starts_at, ends_at=ends_at, state="published")


def _load_reservations(loaded: Loaded, now: datetime) -> None:
    """Three weeks back and one ahead, each booked as of the day before it by the club's own rules."""
    chance = random.Random(74)  # noqa: S311 - the same demo club every time
    rules = current_rules()
    bookers = [member for member in loaded.members if member.relation != Relation.DEPENDENT]
    today = now.astimezone(rules.zone).date()
    for facility in rules.facilities.values():
        if facility.kind == "hall":
            continue
        for offset in range(-21, 4):
            on = today + timedelta(days=offset)
            terms = facility.terms_on(on, None)
            slots = bookable_intervals(on, facility, terms, rules) if terms else []
            for interval in chance.sample(slots, min(2, len(slots))):
                as_of = min(interval.starts_at - timedelta(days=1), now)
                _book(chance.choice(bookers), facility.public_id, interval, as_of, now, loaded, chance)
    services.mark_no_shows(now=now)
    services.complete_finished(now=now)
    # Nobody waits for the e-mails of weeks that never were; they would flood the terminal.
    unsent = Notification.objects.filter(state=Notification.State.PENDING)
    unsent.update(state=Notification.State.EXPIRED)


def _book(
    member: Member,
    facility: UUID,
    interval: Interval,
    as_of: datetime,
    now: datetime,
    loaded: Loaded,
    chance: random.Random,
) -> None:
    by = Actor("member", member.full_name, member.user_id, member.pk)
    try:
        reservation = services.create_reservation(
            wish=Wish(facility, interval.starts_at, interval.ends_at, party=2),
            member_id=member.pk,
            membership_id=member.membership_id,
            by=by,
            now=as_of,
        )
        if reservation.state != "CONFIRMED":
            reservation = services.confirm_reservation(reservation=reservation, by=by, now=as_of)
        if reservation.state == "PENDING_CONFIRMATION" and interval.starts_at <= now:
            reservation = services.confirm_reservation(reservation=reservation, by=by, now=as_of)
        loaded.booked += 1
        if interval.ends_at <= now and chance.random() < SHARE_THAT_CAME:
            reservation = services.check_in(reservation=reservation, by=DEMO, now=interval.starts_at)
            services.complete_reservation(reservation=reservation, by=DEMO, now=interval.ends_at)
    except DomainError:
        # The club's own rules say no to some of what chance proposes; how many is told.
        loaded.refused += 1


def _write_sign_ins(loaded: Loaded, password: str) -> None:
    first = loaded.members[0].membership_id
    stranger = next(member for member in loaded.members if member.membership_id != first)
    cast = [member for member in loaded.members if member.membership_id == first] + [stranger]
    people = [
        {"sign_in": member.member_no, "who": f"{member.relation}, {member.full_name}"} for member in cast
    ]
    people += [{"sign_in": user.username, "who": f"{user.display_name} (staff)"} for user in loaded.staff]
    lines = [
        f"password of everybody: {password}",
        *(f"  {one['sign_in']:<18} {one['who']}" for one in people),
    ]
    _write_private(f"{SIGN_INS}.txt", "\n".join(lines) + "\n")
    _write_private(f"{SIGN_INS}.json", json.dumps({"password": password, "people": people}, indent=1))


def _write_private(name: str, text: str) -> None:
    path: Path = settings.DATA_DIR / name
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
