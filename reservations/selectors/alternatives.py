"""Times near a refused wish that would pass every rule for this member now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypedDict
from uuid import UUID

from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from reservations.policies import cells
from reservations.policies import rules as club_rules
from reservations.policies.terms import FacilityFacts, Terms
from reservations.selectors.rulebook import Rules
from reservations.selectors.situation import Party, Situation, get_member_and_rules, load_situation

AT_MOST = 5
DAYS_FURTHER = 14


class Alternative(TypedDict):
    """A time and place that can be booked now; instants in UTC."""

    facility: str
    name: str
    starts_at: datetime
    ends_at: datetime


def find_alternatives(
    *, facility_id: UUID, starts_at: datetime, ends_at: datetime, party: Party, member_id: int, now: datetime
) -> list[Alternative]:
    """Up to five, nearest first: other times of the day here and at sister facilities, then further days.

    Sister facilities are of the same kind. Empty where nothing passes or the wish is no interval.
    """
    member, rules = get_member_and_rules(member_id=member_id, now=now)
    facility = rules.facility(facility_id)
    if facility is None or ends_at <= starts_at:
        return []
    wish = Interval(starts_at, ends_at)
    sisters = [
        other for other in rules.facilities.values() if other.kind == facility.kind and other.is_shown(now)
    ]
    on = max(wish.starts_at.astimezone(rules.zone).date(), now.astimezone(rules.zone).date())
    found: list[Alternative] = []
    for days in ([on], [on + timedelta(days=n) for n in range(1, DAYS_FURTHER + 1)]):
        window = Interval(
            day_bounds(days[0], rules.zone)[0], day_bounds(days[-1] + timedelta(days=1), rules.zone)[1]
        )
        situation = load_situation(rules=rules, member=member, facilities=sisters, window=window, now=now)
        for candidate_facility, interval in _candidates(
            wish, facility, sisters, days, member.category_id, rules
        ):
            if _passes(situation, candidate_facility, interval, party):
                found.append(
                    Alternative(
                        facility=str(candidate_facility.public_id),
                        name=candidate_facility.name,
                        starts_at=interval.starts_at,
                        ends_at=interval.ends_at,
                    )
                )
                if len(found) == AT_MOST:
                    return found
    return found


def _candidates(
    wish: Interval,
    facility: FacilityFacts,
    sisters: list[FacilityFacts],
    days: list[date],
    category_id: int,
    rules: Rules,
) -> Iterator[tuple[FacilityFacts, Interval]]:
    """By day, then by distance from the wished time of day; the wished facility before its sisters."""
    for on in days:
        shift = timedelta(days=(on - wish.starts_at.astimezone(rules.zone).date()).days)
        wished_at = wish.starts_at + shift
        of_day = [
            (abs(interval.starts_at - wished_at), other.id != facility.id, other.name, other, interval)
            for other in sisters
            if (terms := other.terms_on(on, category_id)) is not None
            for interval in _intervals(other, terms, wish, on, rules)
        ]
        for _distance, _sister, _name, other, interval in sorted(of_day, key=lambda one: one[:3]):
            yield other, interval


def _intervals(
    facility: FacilityFacts, terms: Terms, wish: Interval, on: date, rules: Rules
) -> Iterator[Interval]:
    """Every interval of the day that is as long as the wish, or as the policy's own limits make it."""
    if facility.is_nightly:
        zone = rules.zone
        nights = (wish.ends_at.astimezone(zone).date() - wish.starts_at.astimezone(zone).date()).days
        stay = cells.night_of(
            facility.spaces[0], on, zone, min(max(nights, terms.min_slots), terms.max_slots)
        )
        if stay is not None:
            yield stay
        return
    count = min(max(round((wish.ends_at - wish.starts_at) / terms.slot), terms.min_slots), terms.max_slots)
    for opening in rules.open_on(facility, on):
        for slot in cells.slots_of(opening, terms, rules.zone):
            interval = Interval(slot.starts_at, slot.starts_at + count * terms.slot)
            if interval.ends_at <= opening.ends_at:
                yield interval


def _passes(situation: Situation, facility: FacilityFacts, interval: Interval, party: Party) -> bool:
    on = interval.starts_at.astimezone(situation.rules.zone).date()
    terms = facility.terms_on(on, situation.member.category_id)
    if terms is None:
        return False
    ask = situation.ask(facility, terms, interval, party)
    return not any(failure for rule in club_rules.ALL for failure in rule.judge(ask))
