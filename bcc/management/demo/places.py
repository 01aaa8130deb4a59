"""The demo club's spaces, facilities, hours, policies, rates and content."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from accounts.models import MembershipCategory
from bcc.core import clock
from bcc.core.actors import DEMO
from bcc.core.walltime import wall_instant
from facilities.models import (
    Announcement,
    Closure,
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
    PrimeTime,
    Promo,
    QuotaRule,
    Rate,
    ReservationPolicy,
    Space,
    StrikeRule,
    Weekday,
)
from facilities.models.content import Content
from facilities.services import edit_draft, new_policy_version, publish_policy_version, save_content
from reservations import services

# The first versions were published before the oldest booking was made.
PUBLISHED_BEFORE = timedelta(days=90)
CONTENT: dict[str, type[Content]] = {
    "announcements": Announcement,
    "events": Event,
    "contacts": Contact,
    "faqs": Faq,
    "rules": ClubRule,
    "outlets": Outlet,
    "promos": Promo,
}


def load_places(club: dict[str, Any], *, now: datetime) -> None:
    """Spaces, facilities with their hours, then what holds for them."""
    for on, name in club["holidays"].items():
        Holiday.objects.create(on=date.fromisoformat(on), name=name, is_confirmed=True)
    spaces = {
        code: Space.objects.create(code=code, name=name, grid=grid, lanes=lanes)
        for code, (name, grid, lanes) in club["spaces"].items()
    }
    facilities: dict[str, Facility] = {}
    for position, (code, said) in enumerate(club["facilities"].items(), 1):
        facilities[code] = facility = Facility.objects.create(
            code=code,
            name=said["name"],
            kind=said["kind"],
            area=said["area"],
            takes=said.get("takes", "booking"),
            state="published",
            position=10 * position,
            description=f"{said['name']} of the demo club.",
        )
        for name in said["spaces"]:
            FacilitySpace.objects.create(facility=facility, space=spaces[name])
        _open_all_year(facility, said, club["holiday_hours"])
    for season in club["seasons"]:
        for code in season["facilities"]:
            _open_for_a_season(facilities[code], season)
    for said in club["policies"]:
        _publish(said, facilities, now=now)
    _load_rules(club, facilities)
    for said in club["closures"]:
        _close(said, facilities, spaces, now=now)


def load_content(club: dict[str, Any], *, now: datetime) -> None:
    """Announcements and the like. Days are counted from ``now``."""
    categories = {category.code: category for category in MembershipCategory.objects.order_by("pk")}
    facilities = {facility.code: facility for facility in Facility.objects.order_by("pk")}
    for kind, model in CONTENT.items():
        for said in club[kind]:
            values = {"state": "published", **said}
            if "from_days" in values:
                values["publish_from"] = now + timedelta(days=values.pop("from_days"))
            if "until_days" in values:
                values["publish_until"] = now + timedelta(days=values.pop("until_days"))
            if "in_days" in values:
                values["starts_at"] = at_club(_day(now, values.pop("in_days")), "09:00")
                values["ends_at"] = values["starts_at"] + timedelta(hours=values.pop("hours"))
            if "categories" in values:
                values["categories"] = [categories[code] for code in values["categories"]]
                values["audience"] = "categories"
            if "facility" in values:
                values["facility"] = facilities[values["facility"]]
            save_content(instance=model(), values=values)


def _open_all_year(facility: Facility, said: dict[str, Any], holiday: dict[str, str]) -> None:
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


def _open_for_a_season(facility: Facility, season: dict[str, Any]) -> None:
    period = OpeningPeriod.objects.create(
        facility=facility,
        name=season["name"],
        starts_on=date.fromisoformat(season["starts_on"]),
        ends_on=date.fromisoformat(season["ends_on"]),
        priority=10,
    )
    for weekday in range(7):
        OpeningSpan.objects.create(
            period=period,
            weekday=weekday,
            opens=time.fromisoformat(season["opens"]),
            closes=time.fromisoformat(season["closes"]),
        )


def _publish(said: dict[str, Any], facilities: dict[str, Facility], *, now: datetime) -> None:
    """By the services that staff use, so a policy that does not fit its spaces is refused here too."""
    scope = said["for"]
    policy = ReservationPolicy(
        name=said["name"],
        kind=scope.get("kind", ""),
        facility=facilities[scope["facility"]] if "facility" in scope else None,
        category=MembershipCategory.objects.get(code=scope["category"]) if "category" in scope else None,
    )
    policy.full_clean()
    policy.save()
    terms = {**said["terms"], "release_time": time.fromisoformat(said["terms"]["release_time"])}
    version = edit_draft(version=new_policy_version(policy=policy), changes=terms)
    publish_policy_version(version=version, by=DEMO, now=now - PUBLISHED_BEFORE)


def _load_rules(club: dict[str, Any], facilities: dict[str, Facility]) -> None:
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


def _close(
    said: dict[str, Any], facilities: dict[str, Facility], spaces: dict[str, Space], *, now: datetime
) -> None:
    starts_at = at_club(_day(now, said["in_days"]), said["opens"])
    closure = Closure(
        facility=facilities[said["facility"]] if "facility" in said else None,
        space=spaces[said["space"]] if "space" in said else None,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=said["for_hours"]),
        reason=said["reason"],
    )
    services.close(closure=closure, decisions={}, by=DEMO, now=now)


def at_club(on: date, wall: str) -> datetime:
    """The instant of ``wall`` ("18:30") on a day. Raises ValueError for an hour that a clock change skips."""
    at = wall_instant(on, time.fromisoformat(wall), clock.zone())
    if at is None:
        raise ValueError(f"{on} has no {wall} in {clock.zone()}; choose another hour in club.yaml.")
    return at


def _day(now: datetime, in_days: int) -> date:
    return clock.local_date(now) + timedelta(days=in_days)
