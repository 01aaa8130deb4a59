"""What is free of a facility, slot by slot, with the reasons why this member cannot have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from bcc.core.errors import NotFoundError, RuleFailure
from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from reservations.policies import cells, occupancy
from reservations.policies import rules as club_rules
from reservations.policies.terms import FacilityFacts, Terms
from reservations.selectors.rulebook import Rules
from reservations.selectors.situation import Party, Situation, get_member_and_rules, load_situation

DAY = timedelta(days=1)
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Slot:
    """``state`` is free, taken (full, closed by a neighbour's buffer), closed, or refused by a rule.

    ``left`` is how many more bookings (or people, where each takes a place) fit.
    """

    interval: Interval
    state: str
    left: int
    reasons: tuple[RuleFailure, ...]


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Availability:
    facility: FacilityFacts
    rulebook: int
    days: tuple[Day, ...]


def get_availability(
    *, facility_id: UUID, member_id: int, first: date, last: date, party: int | None, now: datetime
) -> Availability:
    """Every slot from ``first`` to ``last`` (both inclusive), judged for this member now.

    ``party`` None asks for the smallest that the policy takes. Three queries with the rulebook in
    memory, whatever is booked. Raises NotFoundError for a facility that is not shown.
    """
    member, rules = get_member_and_rules(member_id=member_id, now=now)
    facility = rules.facility(facility_id)
    if facility is None or not facility.is_shown(now):
        raise NotFoundError
    window = Interval(day_bounds(first, rules.zone)[0], day_bounds(last + DAY, rules.zone)[1])
    situation = load_situation(rules=rules, member=member, facilities=[facility], window=window, now=now)
    days = []
    on = first
    while on <= last:
        days.append(Day(on, tuple(_slots_on(on, facility, situation, party))))
        on += DAY
    return Availability(facility, rules.number, tuple(days))


def _slots_on(on: date, facility: FacilityFacts, situation: Situation, party: int | None) -> list[Slot]:
    terms = facility.terms_on(on, situation.member.category_id)
    if terms is None:
        return []
    return [
        _judged(interval, facility, terms, situation, party)
        for interval in bookable_intervals(on, facility, terms, situation.rules)
    ]


def bookable_intervals(on: date, facility: FacilityFacts, terms: Terms, rules: Rules) -> list[Interval]:
    """The shortest bookings that could begin on a date, taken or not: slots, or stays of nights."""
    if facility.is_nightly:
        stay = cells.night_of(facility.spaces[0], on, rules.zone, terms.min_slots)
        return [stay] if stay is not None and rules.open_on(facility, on) else []
    intervals = []
    for opening in rules.open_on(facility, on):
        for slot in cells.slots_of(opening, terms, rules.zone):
            interval = Interval(slot.starts_at, slot.starts_at + terms.min_slots * terms.slot)
            if interval.ends_at <= opening.ends_at:
                intervals.append(interval)
    return intervals


def _judged(
    interval: Interval, facility: FacilityFacts, terms: Terms, situation: Situation, party: int | None
) -> Slot:
    ask = situation.ask(facility, terms, interval, Party(size=party or terms.party_min))
    failures = tuple(club_rules.judge(ask))
    return Slot(
        interval, state_of(failures), occupancy.lanes_left(facility, interval, situation.occupancy), failures
    )


def state_of(failures: Sequence[RuleFailure]) -> str:
    """How a slot stands that the rules judged so."""
    codes = {failure.code for failure in failures}
    if not codes:
        return "free"
    if "closed" in codes:
        return "closed"
    return "taken" if club_rules.SLOT_TAKEN in codes else "refused"
