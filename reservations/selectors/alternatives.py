"""Times near a refused wish that would pass every rule for this member now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypedDict
from uuid import UUID

from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from reservations.policies import cells
from reservations.policies import rules as club_rules
from reservations.policies.terms import FacilityFacts, MemberFacts, Terms
from reservations.selectors.rulebook import Rules
from reservations.selectors.situation import (
    Party,
    Situation,
    get_member_and_rules,
    load_guest_visits,
    load_situation,
)

AT_MOST = 5
DAYS_FURTHER = 14
DAY = timedelta(days=1)


class Alternative(TypedDict):
    """A time and place that can be booked now; instants in UTC."""

    facility: str
    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Moving:
    """A reservation that is to be moved: to another time of its own facility, under its own terms.

    It does not stand in its own way, and where it is now is no alternative.
    """

    reservation_id: int
    version_id: int | None
    interval: Interval
    reschedules: int


def find_alternatives(
    *,
    facility_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    party: Party,
    member_id: int,
    now: datetime,
    moving: Moving | None = None,
    known: tuple[MemberFacts, Rules] | None = None,
) -> list[Alternative]:
    """Up to five, nearest first: other times of the day here and at sister facilities, then further days.

    Sister facilities are of the same kind. Empty where nothing passes or the wish is no interval. At
    most five queries: the member, then what is taken and what the household has, of the day and of the
    days after it; what no time of a day can mend is judged before anything of that day is read.
    ``known`` is the member and the rules where the caller has just read them.
    """
    member, rules = known or get_member_and_rules(member_id=member_id, now=now)
    facility = rules.facility(facility_id)
    if facility is None or ends_at <= starts_at:
        return []
    search = _Search(rules, member, now, Interval(starts_at, ends_at), facility, party, moving)
    on = max(starts_at.astimezone(rules.zone).date(), now.astimezone(rules.zone).date())
    found: list[Alternative] = []
    for days in ([on], [on + n * DAY for n in range(1, DAYS_FURTHER + 1)]):
        for other, interval in search.find(days):
            found.append(
                Alternative(
                    facility=str(other.public_id),
                    name=other.name,
                    starts_at=interval.starts_at,
                    ends_at=interval.ends_at,
                )
            )
            if len(found) == AT_MOST:
                return found
    return found


@dataclass(slots=True)
class _Search:
    rules: Rules
    member: MemberFacts
    now: datetime
    wish: Interval
    facility: FacilityFacts
    party: Party
    moving: Moving | None
    _parties: dict[tuple[int, date], Party] = field(default_factory=dict)
    _hopes: dict[tuple[int, date], Terms | None] = field(default_factory=dict)

    def find(self, days: list[date]) -> Iterator[tuple[FacilityFacts, Interval]]:
        """What passes on these days, which follow each other: by day, then nearest in time."""
        hopeful = [
            other
            for other in self._facilities()
            # Hours of an evening reach into the day after.
            if any(self._hope(other, on) for on in (*days, days[-1] + DAY))
        ]
        if not hopeful:
            return
        situation = load_situation(
            rules=self.rules,
            member=self.member,
            facilities=hopeful,
            window=Interval(
                day_bounds(days[0], self.rules.zone)[0], day_bounds(days[-1] + DAY, self.rules.zone)[1]
            ),
            now=self.now,
            ignoring=self._ignoring,
        )
        for on in days:
            for other, interval in self._candidates(hopeful, on):
                if self._passes(situation, other, interval):
                    yield other, interval

    @property
    def _ignoring(self) -> int | None:
        return None if self.moving is None else self.moving.reservation_id

    def _facilities(self) -> list[FacilityFacts]:
        if self.moving is not None:
            return [self.facility]
        return [
            other
            for other in self.rules.facilities.values()
            if other.kind == self.facility.kind and other.is_shown(self.now)
        ]

    def _terms_on(self, facility: FacilityFacts, on: date) -> Terms | None:
        if self.moving is not None:
            return self.rules.terms.get(self.moving.version_id or 0)
        return facility.terms_on(on, self.member.category_id)

    def _hope(self, facility: FacilityFacts, on: date) -> Terms | None:
        """The terms of a day, unless a rule that says the same of each of its slots refuses them all."""
        key = (facility.id, on)
        if key not in self._hopes:
            terms = self._terms_on(facility, on)
            passes = terms is not None and self._may_come_on(facility, terms, on)
            self._hopes[key] = terms if passes else None
        return self._hopes[key]

    def _may_come_on(self, facility: FacilityFacts, terms: Terms, on: date) -> bool:
        nothing_read = Situation(self.rules, self.now, self.member, (), {})
        day = Interval(*day_bounds(on, self.rules.zone))
        ask = nothing_read.ask(facility, terms, day, self._party_on(terms, on), reschedules=self._reschedules)
        return club_rules.passes(ask, club_rules.OF_THE_DAY)

    @property
    def _reschedules(self) -> int | None:
        return None if self.moving is None else self.moving.reschedules

    def _party_on(self, terms: Terms, on: date) -> Party:
        """The party with its known guests' visits around the day; read only where visits are limited."""
        known = [guest.guest_id for guest in self.party.guests if guest.guest_id is not None]
        if not known or terms.same_guest_limit is None:
            return self.party
        key = (terms.version_id, on)
        if key not in self._parties:
            visits = iter(
                load_guest_visits(guest_ids=known, on=on, terms=terms, now=self.now, ignoring=self._ignoring)
            )
            guests = (guest if guest.guest_id is None else next(visits) for guest in self.party.guests)
            self._parties[key] = replace(self.party, guests=tuple(guests))
        return self._parties[key]

    def _candidates(
        self, facilities: list[FacilityFacts], on: date
    ) -> Iterator[tuple[FacilityFacts, Interval]]:
        """By distance from the wished time of day; the wished facility before its sisters."""
        wished_at = self.wish.starts_at + (on - self.wish.starts_at.astimezone(self.rules.zone).date())
        of_day = [
            (abs(interval.starts_at - wished_at), other.id != self.facility.id, other.name, other, interval)
            for other in facilities
            if self._hope(other, on) or self._hope(other, on + DAY)
            if (terms := self._terms_on(other, on)) is not None
            for interval in self._intervals(other, terms, on)
        ]
        for _distance, _sister, _name, other, interval in sorted(of_day, key=lambda one: one[:3]):
            yield other, interval

    def _intervals(self, facility: FacilityFacts, terms: Terms, on: date) -> Iterator[Interval]:
        """Every interval of the day that is as long as the wish, or as the policy's own limits make it."""
        if facility.is_nightly:
            zone = self.rules.zone
            asked = self.wish.ends_at.astimezone(zone).date() - self.wish.starts_at.astimezone(zone).date()
            nights = min(max(asked.days, terms.min_slots), terms.max_slots)
            stay = cells.night_of(facility.spaces[0], on, zone, nights)
            if stay is not None:
                yield stay
            return
        asked_for = round((self.wish.ends_at - self.wish.starts_at) / terms.slot)
        length = min(max(asked_for, terms.min_slots), terms.max_slots) * terms.slot
        for opening in self.rules.open_on(facility, on):
            for slot in cells.slots_of(opening, terms, self.rules.zone):
                if slot.starts_at + length <= opening.ends_at:
                    yield Interval(slot.starts_at, slot.starts_at + length)

    def _passes(self, situation: Situation, facility: FacilityFacts, interval: Interval) -> bool:
        on = interval.starts_at.astimezone(self.rules.zone).date()
        # Half of a day's slots are over by noon: no need to gather what is known about them.
        terms = self._hope(facility, on) if interval.starts_at > self.now else None
        if terms is None or (self.moving is not None and interval == self.moving.interval):
            return False
        ask = situation.ask(
            facility, terms, interval, self._party_on(terms, on), reschedules=self._reschedules
        )
        return club_rules.passes(ask, club_rules.OF_THE_SLOT)
