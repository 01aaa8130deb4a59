"""Wall-clock times of a zone as instants. Pure: the zone is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def wall_instant(on: date, at: time, zone: ZoneInfo) -> datetime | None:
    """The UTC instant of a wall time, or None where a clock change skips it.

    A wall time that a clock change doubles is the first of the two.
    """
    instant = datetime.combine(on, at, tzinfo=zone).replace(fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != datetime.combine(on, at):
        return None
    return instant


def day_bounds(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of the day ``on`` and of the day after, in UTC."""
    first = datetime.combine(on, time.min, tzinfo=zone).astimezone(UTC)
    return first, datetime.combine(on + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
