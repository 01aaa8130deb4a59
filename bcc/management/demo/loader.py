"""Loads the demo club from ``club.yaml`` through the same services and models as real data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import Member, MembershipCategory, User
from bcc.core import transactions
from bcc.management.demo.bookings import Booked, load_bookings
from bcc.management.demo.people import load_members, load_staff
from bcc.management.demo.pictures import load_pictures
from bcc.management.demo.places import load_content, load_places
from bcc.management.demo.talk import load_talk

DATA = Path(__file__).with_name("club.yaml")
SIGN_INS = "demo-sign-ins"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, to be told."""

    members: list[Member]
    staff: list[User]
    bookings: Booked


def has_data() -> bool:
    return MembershipCategory.objects.exists()


def is_complete() -> bool:
    """Whether the last loading came to its end: the sign-ins are written last."""
    return has_data() and _sign_ins("json").exists()


def load(*, now: datetime, say: Say, days: int | None = None) -> Loaded:
    """Load the whole club, and write the sign-ins to the data folder (mode 0600).

    Bookings are those of so many ``days`` before and after today; as the club's file says unless given.
    """
    club: dict[str, Any] = yaml.safe_load(DATA.read_text())
    if days is not None:
        club["bookings"] |= {"days_back": days, "days_ahead": days}
    # One hash for everybody: five hundred of Argon2 take minutes, and every demo member has one password.
    password = secrets.token_urlsafe(9)
    encoded = make_password(password)
    say("categories, members and staff")
    members = transactions.run(lambda: load_members(club, encoded=encoded, now=now))
    staff = transactions.run(lambda: load_staff(club, encoded=encoded))
    say("facilities, hours, policies and content")
    transactions.run(lambda: load_places(club, now=now))
    transactions.run(lambda: load_content(club, now=now))
    say("pictures")
    load_pictures(now=now)
    say("reservations before and after today, each by the club's own rules")
    cast = _cast_of(members)
    households = {member.membership_id for member in cast}
    bookings = load_bookings(club["bookings"], members=members, cast=households, now=now)
    say("desks, and what was said there")
    transactions.run(lambda: load_talk(club, members=members, staff=staff, now=now))
    _write_sign_ins(cast, staff, password)
    return Loaded(members, staff, bookings)


def forget_sign_ins() -> None:
    """Take the files away: what they say is about to be untrue."""
    for kind in ("txt", "json"):
        _sign_ins(kind).unlink(missing_ok=True)


def _cast_of(members: list[Member]) -> list[Member]:
    """A whole household, and one member of the next: whom the app's developer signs in as."""
    first = members[0].membership_id
    stranger = next(member for member in members if member.membership_id != first)
    return [member for member in members if member.membership_id == first] + [stranger]


def _write_sign_ins(cast: list[Member], staff: list[User], password: str) -> None:
    people = [
        {"sign_in": member.member_no, "who": f"{member.relation}, {member.full_name}"} for member in cast
    ]
    people += [{"sign_in": user.username, "who": f"{user.display_name} (staff)"} for user in staff]
    lines = [
        f"password of everybody: {password}",
        *(f"  {one['sign_in']:<18} {one['who']}" for one in people),
    ]
    _write_private(_sign_ins("txt"), "\n".join(lines) + "\n")
    _write_private(_sign_ins("json"), json.dumps({"password": password, "people": people}, indent=1))


def _sign_ins(kind: str) -> Path:
    folder: Path = settings.DATA_DIR
    return folder / f"{SIGN_INS}.{kind}"


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
