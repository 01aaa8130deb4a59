"""Half-open intervals of time, ``[starts_at, ends_at)``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Half-open; an empty or backward one cannot be made."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.ends_at <= self.starts_at:
            raise ValueError("An interval ends after it starts.")

    @property
    def minutes(self) -> int:
        """Whole minutes of elapsed time."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    def overlaps(self, other: Interval) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def covers(self, other: Interval) -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def contains(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at

    def widened(self, *, before: timedelta = timedelta(0), after: timedelta = timedelta(0)) -> Interval:
        return Interval(self.starts_at - before, self.ends_at + after)

    def shifted(self, by: timedelta) -> Interval:
        return Interval(self.starts_at + by, self.ends_at + by)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as few, sorted, disjoint intervals; those that touch become one."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.starts_at <= result[-1].ends_at:
            if interval.ends_at > result[-1].ends_at:
                result[-1] = Interval(result[-1].starts_at, interval.ends_at)
        else:
            result.append(interval)
    return result
