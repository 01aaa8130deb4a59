"""Cells, lanes and slots: where an interval stands on the grid of a space."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bcc.core.intervals import Interval
from bcc.core.walltime import wall_instant
from facilities.policies.hours import wall_edge
from reservations.policies.terms import SpaceFacts, Terms

DAY = timedelta(days=1)


def cells_of(space: SpaceFacts, interval: Interval, zone: ZoneInfo) -> list[datetime]:
    """The start of every cell that ``interval`` touches, in order.

    Minute cells are counted from the UTC hour. A night cell starts at its date's check-in and lasts
    until check-out on the next, so a departure and an arrival on one day touch different cells. Every
    night has its cell: check-in or check-out that a clock change skips stands at the change.
    """
    if space.grid == 0:
        return [
            night.starts_at for night in _nights_around(space, interval, zone) if night.overlaps(interval)
        ]
    step = timedelta(minutes=space.grid)
    start = interval.starts_at.astimezone(UTC)
    cell = start - timedelta(
        minutes=start.minute % space.grid, seconds=start.second, microseconds=start.microsecond
    )
    cells = []
    while cell < interval.ends_at:
        cells.append(cell)
        cell += step
    return cells


def night_of(space: SpaceFacts, on: date, zone: ZoneInfo, nights: int = 1) -> Interval | None:
    """The stay of ``nights`` that begins on ``on``: check-in to check-out. None where a clock skips one."""
    check_in = wall_instant(on, space.check_in_at, zone)
    check_out = wall_instant(on + nights * DAY, space.check_out_at, zone)
    if check_in is None or check_out is None:
        return None
    return Interval(check_in, check_out)


def _nights_around(space: SpaceFacts, interval: Interval, zone: ZoneInfo) -> Iterable[Interval]:
    on = interval.starts_at.astimezone(zone).date() - DAY
    last = interval.ends_at.astimezone(zone).date()
    while on <= last:
        yield Interval(wall_edge(on, space.check_in_at, zone), wall_edge(on + DAY, space.check_out_at, zone))
        on += DAY


def pick_lanes(taken: Iterable[int], wanted: int, lanes: int) -> list[int] | None:
    """The ``wanted`` lowest lanes not in ``taken``, out of ``lanes``; None where they do not fit."""
    occupied = set(taken)
    free = [lane for lane in range(lanes) if lane not in occupied]
    return free[:wanted] if len(free) >= wanted else None


def slots_of(opening: Interval, terms: Terms, zone: ZoneInfo) -> list[Interval]:
    """The single slots of one opening interval, by wall time.

    A slot whose start the clock skips does not exist; one in a doubled hour is the first.
    """
    wall = opening.starts_at.astimezone(zone).replace(tzinfo=None)
    closes = opening.ends_at.astimezone(zone).replace(tzinfo=None)
    slots: list[Interval] = []
    while wall < closes:
        start = wall_instant(wall.date(), wall.time(), zone)
        if start is not None and opening.starts_at <= start and start + terms.slot <= opening.ends_at:
            slots.append(Interval(start, start + terms.slot))
        wall += terms.slot
    return slots


def starts_slot(opening: Interval, terms: Terms, zone: ZoneInfo, start: datetime) -> bool:
    """Whether a slot of the opening interval starts at ``start``: one of ``slots_of``, without the list."""
    wall = start.astimezone(zone).replace(tzinfo=None)
    since = wall - opening.starts_at.astimezone(zone).replace(tzinfo=None)
    return (
        opening.starts_at <= start
        and start + terms.slot <= opening.ends_at
        and not since % terms.slot
        and wall_instant(wall.date(), wall.time(), zone) == start
    )
