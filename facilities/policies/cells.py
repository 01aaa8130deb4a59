"""Whether slots and buffers fall on the cells of a space.

Pure. Cells are counted from the UTC hour and their length divides 60, so a wall time falls on one if
its minutes do under every offset that the club's zone has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from facilities.policies.terms import Terms

NIGHT: Final = 0


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a space by its name: ``grid`` minutes each, or one a night."""

    space: str
    grid: int

    @property
    def is_nightly(self) -> bool:
        return self.grid == NIGHT


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fall on the cells: a field of the terms or ``opens``, and a text for staff."""

    field: str
    code: str
    detail: str


def find_misfits(
    terms: Terms, *, cells: Iterable[Cells], opens: Collection[time], offsets: Collection[int]
) -> Iterator[Misfit]:
    """Each way in which slots under ``terms`` would not start, end or pause at a cell's edge.

    ``opens`` are the wall times at which slots begin to be counted; ``offsets`` the minutes from UTC
    that the zone has through the year (``zone_offsets``).
    """
    for one in cells:
        if one.is_nightly:
            yield from _nightly_misfits(terms, one)
            continue
        values = {"space": one.space, "grid": one.grid}
        if terms.slot_minutes % one.grid:
            detail = _(
                "%(space)s has cells of %(grid)d minutes, and slots of %(minutes)d minutes do not end on "
                "them. Use a multiple."
            )
            yield Misfit("slot_minutes", "off_the_grid", detail % {**values, "minutes": terms.slot_minutes})
        for name, minutes in _buffers(terms):
            if minutes % one.grid:
                detail = _(
                    "%(space)s has cells of %(grid)d minutes, and %(minutes)d minutes are no multiple of "
                    "them. Correct the buffer."
                )
                yield Misfit(name, "off_the_grid", detail % {**values, "minutes": minutes})
        for at in sorted(opens):
            if any((at.hour * 60 + at.minute - offset) % one.grid or at.second for offset in offsets):
                detail = _(
                    "%(space)s has cells of %(grid)d minutes, and slots from %(time)s on do not start on "
                    "them. Change the hours, or the grid of the space."
                )
                yield Misfit("opens", "off_the_grid", detail % {**values, "time": f"{at:%H:%M}"})


def is_mixed(cells: Iterable[Cells]) -> bool:
    """Whether nightly spaces stand beside others: no booking could take both."""
    return len({one.is_nightly for one in cells}) > 1


def zone_offsets(zone: ZoneInfo, *, year: int) -> frozenset[int]:
    """The minutes from UTC that ``zone`` has in ``year`` and the next, looked at once a week."""
    start = datetime.combine(date(year, 1, 1), time.min, tzinfo=UTC)
    instants = (start + timedelta(weeks=week) for week in range(105))
    return frozenset(
        int((instant.astimezone(zone).utcoffset() or timedelta()).total_seconds()) // 60
        for instant in instants
    )


def _nightly_misfits(terms: Terms, cells: Cells) -> Iterator[Misfit]:
    for name, minutes in _buffers(terms):
        if minutes:
            detail = _("%(space)s is booked by the night and has no buffers. Set it to 0.")
            yield Misfit(name, "no_buffer_at_night", detail % {"space": cells.space})


def _buffers(terms: Terms) -> Iterator[tuple[str, int]]:
    yield "buffer_before_minutes", terms.buffer_before_minutes
    yield "buffer_after_minutes", terms.buffer_after_minutes
