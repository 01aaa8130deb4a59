"""The day of a facility as a row of cells: what is free, taken, closed or shut, and from when to when.

Pure: everything that was read comes in. A board is a table whose columns are equal steps of time, so
that it can be shown, printed and read aloud as one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import gcd
from typing import Final
from zoneinfo import ZoneInfo

from bcc.core.intervals import Interval
from reservations.policies.terms import ClosureFacts, FacilityFacts
from reservations.selectors.desk import DeskBooking

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
# No column is narrower than the finest grid of a space.
FINEST_MINUTES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A stretch of a row.

    ``kind`` is free, past (free, but over), booked, count (many fit in), gap (too short to book),
    closed (``text`` says why) or shut. ``span`` is in columns of the board. ``begins`` is False for
    what the row above has begun.
    """

    kind: str
    interval: Interval
    booking: DeskBooking | None = None
    text: str = ""
    used: int = 0
    lanes: int = 0
    span: int = 1
    begins: bool = True

    @property
    def at(self) -> str:
        """The start as addresses and forms carry it."""
        return written(self.interval.starts_at)

    @property
    def left(self) -> int:
        return max(0, self.lanes - self.used)

    @property
    def tenths(self) -> int:
        """How full, in tenths; rounded up, so that one of thirty is not nothing."""
        return 0 if not self.lanes else min(10, -(-10 * self.used // self.lanes))


@dataclass(frozen=True, slots=True)
class Row:
    """``hour`` is set where each hour of one facility has a row of its own."""

    facility: FacilityFacts
    cells: tuple[Cell, ...]
    hour: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        return None if self.hour is None else self.hour + HOUR


@dataclass(frozen=True, slots=True)
class Column:
    """A heading over ``span`` columns: the instant it begins, or minutes of the hour."""

    span: int
    at: datetime | None = None
    minute: int | None = None

    @property
    def ends_at(self) -> datetime | None:
        return None if self.at is None else self.at + HOUR


@dataclass(frozen=True, slots=True)
class Board:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def sheet(self) -> FacilityFacts | None:
        """The one facility of a board that has a row for each hour."""
        first = self.rows[0]
        return first.facility if first.hour is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a row is laid out from. ``slots`` are disjoint and in order; bars do not overlap."""

    facility: FacilityFacts
    openings: Sequence[Interval]
    slots: Sequence[Interval]
    closures: Sequence[ClosureFacts]
    bars: Sequence[tuple[Interval, DeskBooking]]
    used: Callable[[Interval], int]
    is_free: Callable[[Interval], bool]
    lanes: int
    now: datetime

    @property
    def extent(self) -> list[Interval]:
        return [*self.openings, *(interval for interval, _booking in self.bars)]


def written(instant: datetime) -> str:
    """An instant as addresses carry it: without a plus sign, which would be read as a space."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def axis_of(plans: Sequence[Plan], zone: ZoneInfo) -> Interval | None:
    """Whole hours of the club's clock around everything the plans show; None where that is nothing."""
    shown = [interval for plan in plans for interval in plan.extent]
    if not shown:
        return None
    first = _floor_hour(min(interval.starts_at for interval in shown), zone)
    last = max(interval.ends_at for interval in shown)
    return Interval(first, first + -((first - last) // HOUR) * HOUR)


def board_of(plans: Sequence[Plan], zone: ZoneInfo) -> Board | None:
    """One row for each facility, with the hours as headings."""
    axis = axis_of(plans, zone)
    if axis is None:
        return None
    laid = [(plan.facility, lay_out(plan, axis)) for plan in plans]
    unit = _unit(axis.starts_at, [cell for _facility, cells in laid for cell in cells])
    rows = tuple(Row(facility, _spanned(cells, axis.starts_at, unit)) for facility, cells in laid)
    columns = tuple(Column(60 // unit, at=axis.starts_at + n * HOUR) for n in range(axis.minutes // 60))
    return Board(columns, rows)


def sheet_of(plan: Plan, zone: ZoneInfo) -> Board | None:
    """One facility with a row for each hour, for slots too short for a column: tee times."""
    axis = axis_of([plan], zone)
    if axis is None:
        return None
    cells = lay_out(plan, axis)
    unit = _unit(axis.starts_at, cells)
    rows = []
    for number in range(axis.minutes // 60):
        hour = Interval(axis.starts_at + number * HOUR, axis.starts_at + (number + 1) * HOUR)
        parts = [_clipped(cell, hour) for cell in cells if cell.interval.overlaps(hour)]
        rows.append(Row(plan.facility, _spanned(parts, hour.starts_at, unit), hour.starts_at))
    columns = tuple(Column(1, minute=minute) for minute in range(0, 60, unit))
    return Board(columns, tuple(rows))


def lay_out(plan: Plan, axis: Interval) -> list[Cell]:
    """The cells of a row, in order and without a hole."""
    if plan.lanes > 1:
        return _counts(plan, axis)
    edges = {axis.starts_at, axis.ends_at}
    for interval in (
        *plan.openings,
        *plan.slots,
        *(closure.interval for closure in plan.closures),
        *(interval for interval, _booking in plan.bars),
    ):
        edges |= {edge for edge in (interval.starts_at, interval.ends_at) if axis.contains(edge)}
    kind_at = _classifier(plan)
    ordered = sorted(edges)
    cells: list[Cell] = []
    last_key: object = None
    for starts_at, ends_at in pairwise(ordered):
        key, cell = kind_at(starts_at)
        if key == last_key:
            cells[-1] = replace(cells[-1], interval=Interval(cells[-1].interval.starts_at, ends_at))
        else:
            cells.append(replace(cell, interval=Interval(starts_at, ends_at)))
        last_key = key
    return cells


def _classifier(plan: Plan) -> Callable[[datetime], tuple[object, Cell]]:
    """What is at an instant, with a key that is the same all along one cell."""
    free = [plan.is_free(slot) for slot in plan.slots]
    starts = [slot.starts_at for slot in plan.slots]
    nowhere = Interval(plan.now, plan.now + MINUTE)

    def kind_at(instant: datetime) -> tuple[object, Cell]:
        for number, (interval, booking) in enumerate(plan.bars):
            if interval.contains(instant):
                return ("booked", number), Cell(kind="booked", interval=interval, booking=booking)
        if not any(opening.contains(instant) for opening in plan.openings):
            return "shut", Cell(kind="shut", interval=nowhere)
        for closure in plan.closures:
            if closure.interval.contains(instant):
                return ("closed", closure.reason), Cell(kind="closed", interval=nowhere, text=closure.reason)
        number = bisect_right(starts, instant) - 1
        if number >= 0 and plan.slots[number].contains(instant) and free[number]:
            kind = "free" if plan.slots[number].ends_at > plan.now else "past"
            # What is over is one stretch: there is nothing left to choose in it.
            return (kind, number) if kind == "free" else kind, Cell(kind=kind, interval=nowhere)
        return "gap", Cell(kind="gap", interval=nowhere)

    return kind_at


def _counts(plan: Plan, axis: Interval) -> list[Cell]:
    """How many are in, slot by slot; hour by hour where slots are shorter than half of one."""
    cells: list[Cell] = []
    at = axis.starts_at
    for step in _steps(plan):
        if step.starts_at > at:
            cells.append(Cell(kind="shut", interval=Interval(at, step.starts_at)))
        closure = next((one for one in plan.closures if one.interval.covers(step)), None)
        used = plan.used(step)
        if closure is not None and not used:
            cells.append(Cell(kind="closed", interval=step, text=closure.reason))
        else:
            text = closure.reason if closure else ""
            cells.append(Cell(kind="count", interval=step, used=used, lanes=plan.lanes, text=text))
        at = step.ends_at
    if at < axis.ends_at:
        cells.append(Cell(kind="shut", interval=Interval(at, axis.ends_at)))
    return cells


def _steps(plan: Plan) -> list[Interval]:
    if plan.slots and plan.slots[0].minutes >= 30:
        return list(plan.slots)
    steps = []
    for opening in plan.openings:
        at = opening.starts_at
        while at < opening.ends_at:
            steps.append(Interval(at, min(at + HOUR, opening.ends_at)))
            at += HOUR
    return steps


def _unit(origin: datetime, cells: Sequence[Cell]) -> int:
    """Minutes of a column: the longest that every edge stands on, and a part of the hour."""
    unit = 60
    for cell in cells:
        for edge in (cell.interval.starts_at, cell.interval.ends_at):
            unit = gcd(unit, int((edge - origin) / MINUTE))
    return max(FINEST_MINUTES, unit)


def _spanned(cells: Sequence[Cell], origin: datetime, unit: int) -> tuple[Cell, ...]:
    step = unit * MINUTE
    spanned = []
    for cell in cells:
        span = round((cell.interval.ends_at - origin) / step) - round(
            (cell.interval.starts_at - origin) / step
        )
        if span > 0:
            spanned.append(replace(cell, span=span))
    return tuple(spanned)


def _clipped(cell: Cell, hour: Interval) -> Cell:
    starts_at = max(cell.interval.starts_at, hour.starts_at)
    part = Interval(starts_at, min(cell.interval.ends_at, hour.ends_at))
    return replace(cell, interval=part, begins=starts_at == cell.interval.starts_at)


def _floor_hour(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    return instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
