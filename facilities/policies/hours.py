"""When something is open, and what is prime time: wall-clock rules of a zone as instants.

Pure: dates, rules, holidays and the zone are given. Every interval is half-open and in UTC.

- Opening hours are wall time. An edge that a clock change skips stands at the change itself; one
  that a change doubles is the first of the two. What is left empty by a skipped hour is not open.
- A span belongs to the date on which it opens, also when it closes on the next day.
- On a confirmed holiday the spans of weekday ``HOLIDAY`` replace those of the plain weekday, in each
  period (or set of bands) that has any; otherwise the plain weekday holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bcc.core.intervals import Interval, merged
from bcc.core.walltime import wall_instant

HOLIDAY: Final = 7


@dataclass(frozen=True, slots=True)
class Span:
    """Open from one wall time to another, on the next day if it says so. ``weekday`` 0 is Monday."""

    weekday: int
    opens: time
    closes: time
    next_day: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Weekly spans between two dates, both inclusive; without an end if ``ends_on`` is None.

    With ``override`` it replaces the periods below it, without it adds to them. A period without a
    span for a date is closed on that date.
    """

    starts_on: date
    ends_on: date | None
    priority: int
    override: bool
    spans: tuple[Span, ...]

    def covers(self, on: date) -> bool:
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Band:
    """Prime time on a weekday, ``[starts, ends)`` in wall time; ``ends`` 00:00 is the end of the day.

    The dates are both inclusive, and open without one.
    """

    weekday: int
    starts: time
    ends: time
    valid_from: date | None = None
    valid_until: date | None = None

    def covers(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


def spans_on(on: date, periods: Iterable[Period], holidays: AbstractSet[date]) -> list[Span]:
    """The spans that open on ``on``, by opening time.

    The covering period with the highest priority decides, among equals the one that starts later,
    then the one that ends sooner. One that adds is joined by the next below it, down to the first
    that replaces.
    """
    spans: list[Span] = []
    for period in sorted((period for period in periods if period.covers(on)), key=_precedence, reverse=True):
        weekday = _weekday(on, (span.weekday for span in period.spans), holidays)
        spans += (span for span in period.spans if span.weekday == weekday)
        if period.override:
            break
    return sorted(spans, key=lambda span: (span.opens, span.next_day, span.closes))


def opening_intervals(
    on: date, periods: Iterable[Period], holidays: AbstractSet[date], zone: ZoneInfo
) -> list[Interval]:
    """When it is open by hours that begin on the date ``on``: sorted, disjoint, in UTC.

    The last may end on the next day. What touches or overlaps is one interval.
    """
    return merged(
        interval
        for span in spans_on(on, periods, holidays)
        if (interval := span_interval(on, span, zone)) is not None
    )


def span_interval(on: date, span: Span, zone: ZoneInfo) -> Interval | None:
    """The instants of ``span`` when it opens on ``on``; None where a clock change leaves nothing of it."""
    opens_at = wall_edge(on, span.opens, zone)
    closes_at = wall_edge(on + timedelta(days=span.next_day), span.closes, zone)
    return Interval(opens_at, closes_at) if opens_at < closes_at else None


def wall_edge(on: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall time; the moment of the clock change where a change skips it."""
    instant = wall_instant(on, at, zone)
    return instant if instant is not None else _change_over(on, at, zone)


def in_bands(instant: datetime, bands: Sequence[Band], holidays: AbstractSet[date], zone: ZoneInfo) -> bool:
    """Whether ``instant`` is in prime time by the wall clock; both passes of a doubled hour count."""
    local = instant.astimezone(zone)
    on, at = local.date(), local.time()
    valid = [band for band in bands if band.covers(on)]
    weekday = _weekday(on, (band.weekday for band in valid), holidays)
    return any(
        band.weekday == weekday and band.starts <= at and (at < band.ends or band.ends == time.min)
        for band in valid
    )


def _precedence(period: Period) -> tuple[int, date, int]:
    ends = date.max if period.ends_on is None else period.ends_on
    return period.priority, period.starts_on, -ends.toordinal()


def _weekday(on: date, weekdays: Iterable[int], holidays: AbstractSet[date]) -> int:
    return HOLIDAY if on in holidays and HOLIDAY in weekdays else on.weekday()


def _change_over(on: date, at: time, zone: ZoneInfo) -> datetime:
    """The clock change that skips this wall time, to the second.

    Read with the offset after the change the wall time is before it, and with the offset before
    the change after it (PEP 495), so the change lies between the two.
    """
    wall = datetime.combine(on, at, tzinfo=zone)
    before, after = wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
