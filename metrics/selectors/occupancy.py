"""How much the club's facilities were used, and what members wanted and did not get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date

from django.db.models import Sum

from facilities.models import Facility
from metrics.models import Activity, Occupancy

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """Numbers of one facility, on one date or, where ``on`` is None, in all the time asked for."""

    facility: str
    on: date | None
    bookings: int
    minutes: int
    people: int
    guests: int
    no_shows: int
    cancelled: int
    lapsed: int
    blocked_minutes: int


NUMBERS = tuple(one.name for one in fields(Use) if one.name not in ("facility", "on"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often a rule refused a booking of one facility for one date, and how many members it met."""

    facility: str
    on: date | None
    rule: str
    times: int
    members: int


def read_use(*, first: date, last: date, facility_id: int | None, by_day: bool) -> list[Use]:
    """Use from ``first`` to ``last``, by facility and, if asked for, by date. One query over the view."""
    rows = Occupancy.objects.between(first, last)
    if facility_id is not None:
        rows = rows.filter(facility_id=facility_id)
    group = ["facility__name", "facility_id", *(["starts_on"] if by_day else [])]
    found = rows.values(*group).annotate(**{f"sum_{name}": Sum(name) for name in NUMBERS}).order_by(*group)
    return [
        Use(
            facility=row["facility__name"],
            on=row.get("starts_on"),
            **{name: row[f"sum_{name}"] for name in NUMBERS},
        )
        for row in found
    ]


def total_use(rows: Iterable[Use]) -> dict[str, int]:
    """The sum of each of the NUMBERS."""
    totals = dict.fromkeys(NUMBERS, 0)
    for row in rows:
        for name in NUMBERS:
            totals[name] += getattr(row, name)
    return totals


def read_refusals(*, first: date, last: date, facility_id: int | None, by_day: bool) -> list[Refusal]:
    """Bookings that were refused for dates from ``first`` to ``last``: each rule that failed counts.

    Most often refused first. Two queries; the activities are read in chunks and counted here, because
    no expression over JSON works on every engine. A facility that is no more stands by its public id.
    """
    facilities = Facility.objects.order_by("pk").values_list("pk", "public_id", "name")
    titles = {str(public_id): (pk, name) for pk, public_id, name in facilities}
    times: dict[tuple[str, date | None, str], int] = defaultdict(int)
    members: dict[tuple[str, date | None, str], set[str]] = defaultdict(set)
    rows = Activity.objects.about(Activity.Name.BOOKING_REFUSED, first, last).order_by("pk")
    for about_on, who, properties in rows.values_list("about_on", "actor_hash", "properties").iterator(CHUNK):
        pk, facility = titles.get(properties["facility"], (None, properties["facility"]))
        if facility_id not in (None, pk):
            continue
        for rule in properties["rules"]:
            key = (facility, about_on if by_day else None, rule)
            times[key] += 1
            members[key].add(who)
    found = [
        Refusal(facility, on, rule, count, len(members[facility, on, rule]))
        for (facility, on, rule), count in times.items()
    ]
    return sorted(found, key=lambda one: (-one.times, one.facility, one.on or first, one.rule))
