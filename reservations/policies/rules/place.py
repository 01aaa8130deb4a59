"""The place itself: slots, hours, closures, lanes and buffers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from django.utils.translation import gettext as _

from bcc.core.errors import RuleFailure
from bcc.core.intervals import Interval
from reservations.policies import cells, occupancy
from reservations.policies.ask import Ask
from reservations.policies.rules.base import local_text


def _openings_around(ask: Ask) -> list[Interval]:
    """Opening intervals that could hold the wish: of its own date and of the evening before."""
    return [*ask.open_on(ask.starts_on - timedelta(days=1)), *ask.open_on(ask.starts_on)]


class SlotRule:
    """Starts on a slot, lasts whole slots, neither too few nor too many."""

    code: ClassVar[str] = "not_a_slot"
    length_code: ClassVar[str] = "slot_count"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        slots = slot_count(ask)
        if slots is None:
            yield RuleFailure(
                self.code,
                _("This is not a slot of the facility. Choose a start and an end from availability."),
            )
        elif not ask.terms.min_slots <= slots <= ask.terms.max_slots:
            limit = ask.terms.min_slots if slots < ask.terms.min_slots else ask.terms.max_slots
            yield RuleFailure(
                self.length_code,
                _("Book from %(fewest)d to %(most)d slots at a time. Change the end.")
                % {"fewest": ask.terms.min_slots, "most": ask.terms.max_slots},
                limit=limit,
                current=slots,
            )


def slot_count(ask: Ask) -> int | None:
    """How many slots the wish is long; None where it does not stand on slots."""
    if ask.facility.is_nightly:
        space = ask.facility.spaces[0]
        nights = (ask.interval.ends_at.astimezone(ask.zone).date() - ask.starts_on).days
        stay = cells.night_of(space, ask.starts_on, ask.zone, nights) if nights > 0 else None
        return nights if stay == ask.interval else None
    count, rest = divmod(ask.interval.ends_at - ask.interval.starts_at, ask.terms.slot)
    if rest:
        return None
    start = ask.interval.starts_at
    openings = [opening for opening in _openings_around(ask) if opening.contains(start)]
    # Outside opening hours there are no slots to stand on; OpeningRule says so. Where the hours of an
    # evening run into those of the morning, a slot of either will do.
    if openings and not any(cells.starts_slot(one, ask.terms, ask.zone, start) for one in openings):
        return None
    return count


class OpeningRule:
    """Inside one opening interval; a stay is open on each date of its nights."""

    code: ClassVar[str] = "outside_opening_hours"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.facility.is_nightly:
            nights = (ask.interval.ends_at.astimezone(ask.zone).date() - ask.starts_on).days
            is_open = all(
                ask.open_on(ask.starts_on + timedelta(days=n)) for n in range(max(1, min(nights, 370)))
            )
        else:
            is_open = any(opening.covers(ask.interval) for opening in _openings_around(ask))
        if not is_open:
            yield RuleFailure(self.code, _("The facility is not open then. Choose a time inside its hours."))


class ClosureRule:
    code: ClassVar[str] = "closed"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        for closure in ask.facility.closures:
            if closure.interval.overlaps(ask.interval):
                yield RuleFailure(
                    self.code,
                    _("Closed until %(until)s: %(reason)s Choose a time after that.")
                    % {"until": local_text(closure.interval.ends_at, ask.zone), "reason": closure.reason},
                )


class CapacityRule:
    """Enough free lanes in every cell of every space. Alone it is a conflict, not a rule: 409."""

    code: ClassVar[str] = "slot_taken"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        left = occupancy.lanes_left(ask.facility, ask.interval, ask.occupancy)
        wanted = ask.facility.lanes_for(ask.party)
        if left < wanted:
            lanes = min((space.lanes for space in ask.facility.spaces), default=0)
            yield RuleFailure(
                self.code,
                _("This time is taken. Choose another one."),
                limit=lanes,
                current=lanes - left,
            )


class BufferRule:
    """The gap that two bookings of one space keep. Spaces with many lanes have none."""

    code: ClassVar[str] = "slot_taken"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if occupancy.breaks_buffer(ask.facility, ask.interval, ask.terms, ask.occupancy):
            yield RuleFailure(
                self.code, _("The time between two bookings would be too short. Choose another one.")
            )
