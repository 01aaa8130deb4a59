"""What is taken of a space: lanes by cell, and the neighbours that a buffer must respect."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bcc.core.intervals import Interval
from reservations.policies.cells import cells_of
from reservations.policies.terms import FacilityFacts, SpaceFacts, Terms

NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one reservation takes of one space."""

    reservation_id: int
    space_id: int
    interval: Interval
    lanes: int
    buffer_before: timedelta = NONE
    buffer_after: timedelta = NONE


class SpaceOccupancy:
    """One space over a window: built once, asked for every slot."""

    __slots__ = ("_by_end", "_by_start", "_ends", "_starts", "_used", "_zone", "space")

    def __init__(self, space: SpaceFacts, taken: Iterable[Taken], zone: ZoneInfo) -> None:
        self.space = space
        self._zone = zone
        self._used: dict[datetime, int] = {}
        rows = list(taken)
        for row in rows:
            for cell in cells_of(space, row.interval, zone):
                self._used[cell] = self._used.get(cell, 0) + row.lanes
        self._by_start = sorted(rows, key=lambda row: row.interval.starts_at)
        self._by_end = sorted(rows, key=lambda row: row.interval.ends_at)
        self._starts = [row.interval.starts_at for row in self._by_start]
        self._ends = [row.interval.ends_at for row in self._by_end]

    def lanes_left(self, interval: Interval) -> int:
        """How many more lanes fit into every cell that ``interval`` touches; none where it touches none."""
        cells = cells_of(self.space, interval, self._zone)
        if not cells:
            return 0
        return max(0, self.space.lanes - max(self._used.get(cell, 0) for cell in cells))

    def breaks_buffer(self, interval: Interval, before: timedelta, after: timedelta) -> bool:
        """Whether the gap to a neighbour is under the first's buffer after or the second's before.

        Only spaces of one lane keep a gap: there the neighbours in time are the only ones that matter,
        since what is taken is disjoint.
        """
        if self.space.lanes > 1:
            return False
        earlier = bisect_right(self._ends, interval.starts_at)
        if earlier:
            neighbour = self._by_end[earlier - 1]
            gap = interval.starts_at - neighbour.interval.ends_at
            if gap < max(neighbour.buffer_after, before):
                return True
        later = bisect_left(self._starts, interval.ends_at)
        if later < len(self._starts):
            neighbour = self._by_start[later]
            gap = neighbour.interval.starts_at - interval.ends_at
            if gap < max(after, neighbour.buffer_before):
                return True
        return False


Occupancy = Mapping[int, SpaceOccupancy]


def lanes_left(facility: FacilityFacts, interval: Interval, occupancy: Occupancy) -> int:
    """How many more lanes fit on every space of the facility."""
    return min((occupancy[space.id].lanes_left(interval) for space in facility.spaces), default=0)


def breaks_buffer(facility: FacilityFacts, interval: Interval, terms: Terms, occupancy: Occupancy) -> bool:
    return any(
        occupancy[space.id].breaks_buffer(interval, terms.buffer_before, terms.buffer_after)
        for space in facility.spaces
    )
