"""Hours, holidays and prime time, as the plain values that ``facilities.policies.hours`` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q

from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from facilities.models import Closure, Facility, Holiday, OpeningPeriod, OpeningSpan, PrimeTime
from facilities.policies.hours import Band, Period, Span, opening_intervals


@dataclass(frozen=True, slots=True)
class DayHours:
    """When a facility is open by hours that begin on ``on``; closures are not taken out."""

    on: date
    holiday: str | None
    intervals: list[Interval]


def holidays_between(first: date, last: date) -> dict[date, str]:
    """The confirmed holidays from ``first`` to ``last``, both inclusive, with their names."""
    rows = Holiday.objects.filter(is_confirmed=True, on__gte=first, on__lte=last).order_by("on")
    return dict(rows.values_list("on", "name"))


def periods_of(facility_ids: Iterable[int] | None = None) -> dict[int, list[Period]]:
    """The opening periods by facility, in two queries; of all facilities without ``facility_ids``."""
    spans = Prefetch("spans", OpeningSpan.objects.order_by("weekday", "opens", "pk"))
    rows = OpeningPeriod.objects.order_by("facility_id", "pk").prefetch_related(spans)
    if facility_ids is not None:
        rows = rows.filter(facility__in=list(facility_ids))
    periods: dict[int, list[Period]] = {}
    for row in rows:
        periods.setdefault(row.facility_id, []).append(
            Period(
                starts_on=row.starts_on,
                ends_on=row.ends_on,
                priority=row.priority,
                override=row.override,
                spans=tuple(
                    Span(span.weekday, span.opens, span.closes, span.next_day) for span in row.spans.all()
                ),
            )
        )
    return periods


def bands_for(facilities: Mapping[int, str]) -> dict[int, list[Band]]:
    """The prime-time bands of each facility (id → kind), its own and its kind's, in one query."""
    rows = PrimeTime.objects.filter(Q(facility__in=facilities) | Q(kind__in=set(facilities.values()) - {""}))
    bands: dict[int, list[Band]] = {facility_id: [] for facility_id in facilities}
    for row in rows.order_by("pk"):
        band = Band(row.weekday, row.starts, row.ends, row.valid_from, row.valid_until)
        for facility_id, kind in facilities.items():
            if row.facility_id == facility_id or (row.facility_id is None and row.kind == kind):
                bands[facility_id].append(band)
    return bands


def hours_of(facility: Facility, *, first: date, last: date, zone: ZoneInfo) -> list[DayHours]:
    """The hours of each date from ``first`` to ``last``, both inclusive, in three queries."""
    holidays = holidays_between(first, last)
    periods = periods_of([facility.pk]).get(facility.pk, [])
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        DayHours(on, holidays.get(on), opening_intervals(on, periods, holidays.keys(), zone)) for on in days
    ]


def closures_of(facility: Facility, *, first: date, last: date, zone: ZoneInfo) -> list[Closure]:
    """What is in force and closes the facility or one of its spaces on those dates, in one query."""
    since: datetime = day_bounds(first, zone)[0]
    until: datetime = day_bounds(last, zone)[1]
    return list(
        Closure.objects.filter(
            Q(facility=facility) | Q(space__in=facility.facility_spaces.values("space")),
            confirmed_at__isnull=False,
            starts_at__lt=until,
            ends_at__gt=since,
        ).order_by("starts_at", "pk")
    )
