"""Availability in another order of work: what is the same for everyone is kept, what is this member's asked.

The answer of ``selectors.availability`` by the same rules. The slots of a day with what the place itself
says of them (hours, closures, what is taken, buffers) are kept in memory by facility, terms, party and
day, under the mark of the rules and the lock versions of the spaces, until the first hold among what is
taken falls due. The member, the household's bookings and the hour are looked at in each request and
never kept: where none of them refuses anything the whole day stands as it is kept, else the rules are
asked slot by slot.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.utils.translation import get_language

from bcc.core.errors import NotFoundError, RuleFailure
from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from reservations.policies import occupancy, quotas
from reservations.policies import rules as club_rules
from reservations.policies.ask import Ask
from reservations.policies.terms import FacilityFacts, MemberFacts, Terms
from reservations.selectors.availability import DAY, Slot, bookable_intervals, state_of
from reservations.selectors.rulebook import Rules, remembered_rules
from reservations.selectors.situation import (
    Party,
    Situation,
    get_member_rules_and_locks,
    load_counted,
    load_occupancy_until,
)

# Days of all facilities together. A slot with its bytes takes some 740 bytes (measured with tracemalloc), a
# day of fifteen slots 11 kB: that many days are 23 MB in each process.
MOST_KEPT: Final = 2_048

_BEFORE_THE_QUOTA: Final = (*club_rules.OF_THE_DAY, *club_rules.OF_THE_MEMBER)

Key = tuple[int, date, int, int, str]


@dataclass(frozen=True, slots=True)
class SharedSlot:
    """A slot as anybody finds it who may book; ``failures`` are of the place alone."""

    slot: Slot
    # Not the day that it is shown under, where the evening's hours run past midnight.
    starts_on: date
    is_prime: bool


@dataclass(slots=True)
class SharedDay:
    """The slots of one day of a facility under one set of terms. ``body`` is for who renders it, to keep."""

    on: date
    slots: tuple[SharedSlot, ...]
    stamp: tuple[int, int]
    made_at: datetime
    until: datetime
    body: bytes | None = field(default=None)

    def stands(self, stamp: tuple[int, int], now: datetime) -> bool:
        return self.stamp == stamp and self.made_at <= now < self.until


@dataclass(frozen=True, slots=True)
class OpenDay:
    """``slots`` None: as ``shared`` has them."""

    on: date
    shared: SharedDay | None
    slots: tuple[Slot, ...] | None


@dataclass(frozen=True, slots=True)
class OpenDays:
    facility: FacilityFacts
    rulebook: int
    days: tuple[OpenDay, ...]


_kept: dict[Key, SharedDay] = {}
_guard = threading.Lock()


def forget() -> None:
    """Drop every day that this process keeps."""
    with _guard:
        _kept.clear()


def get_open_days(
    *, facility_id: UUID, member_id: int, first: date, last: date, party: int | None, now: datetime
) -> OpenDays:
    """As ``get_availability``: two queries where the days are kept, three where not.

    Raises NotFoundError for a facility that is not shown.
    """
    pk = remembered_rules().ids.get(facility_id, 0)
    member, rules, locks = get_member_rules_and_locks(member_id=member_id, facility_id=pk, now=now)
    facility = rules.facility(facility_id)
    if facility is not None and facility.id != pk:  # younger than what this process remembered
        member, rules, locks = get_member_rules_and_locks(
            member_id=member_id, facility_id=facility.id, now=now
        )
        facility = rules.facility(facility_id)
    if facility is None or not facility.is_shown(now):
        raise NotFoundError
    window = Interval(day_bounds(first, rules.zone)[0], day_bounds(last + DAY, rules.zone)[1])
    counted = load_counted(rules=rules, member=member, window=window, now=now)
    situation = Situation(rules=rules, now=now, member=member, counted=counted, occupancy={})
    wanted: list[tuple[date, Terms | None]] = []
    on = first
    while on <= last:
        wanted.append((on, facility.terms_on(on, member.category_id)))
        on += DAY
    judge = _Judge(facility, situation)
    shared = _shared_days(facility, wanted, party, rules, locks, member, window, now)
    return OpenDays(
        facility,
        rules.number,
        tuple(
            OpenDay(on, None, ()) if terms is None else judge.day(shared[on], terms, party or terms.party_min)
            for on, terms in wanted
        ),
    )


def _shared_days(
    facility: FacilityFacts,
    wanted: Sequence[tuple[date, Terms | None]],
    party: int | None,
    rules: Rules,
    locks: int,
    member: MemberFacts,
    window: Interval,
    now: datetime,
) -> dict[date, SharedDay]:
    stamp, language = (rules.mark, locks), get_language()
    found: dict[date, SharedDay] = {}
    missing: list[tuple[Key, Terms]] = []
    for on, terms in wanted:
        if terms is None:
            continue
        key = (facility.id, on, terms.version_id, party or terms.party_min, language)
        kept = _kept.get(key)
        if kept is not None and kept.stands(stamp, now):
            found[on] = kept
        else:
            missing.append((key, terms))
    if missing:
        # What is taken is read after the versions: newer at most, under a stamp that nobody keeps asking for.
        taken, until = load_occupancy_until(rules=rules, facility=facility, window=window, now=now)
        place = Situation(rules=rules, now=now, member=member, counted=(), occupancy=taken)
        for key, terms in missing:
            slots = tuple(
                _of_the_place(interval, facility, terms, place, key[3])
                for interval in bookable_intervals(key[1], facility, terms, rules)
            )
            found[key[1]] = _keep(key, SharedDay(key[1], slots, stamp, now, until))
    return found


def _keep(key: Key, day: SharedDay) -> SharedDay:
    with _guard:
        _kept.pop(key, None)
        while len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]  # the oldest: a dict keeps the order of insertion
        _kept[key] = day
    return day


def _of_the_place(
    interval: Interval, facility: FacilityFacts, terms: Terms, place: Situation, party: int
) -> SharedSlot:
    ask = place.ask(facility, terms, interval, Party(size=party))
    failures = tuple(club_rules.judge(ask, club_rules.PHYSICAL))
    left = occupancy.lanes_left(facility, interval, place.occupancy)
    return SharedSlot(Slot(interval, state_of(failures), left, failures), ask.starts_on, ask.is_prime)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the rules say of every slot that starts on one date in, or out of, prime time.

    ``failures`` are those of the day, the member and the quotas; where a quota has to be asked at each
    hour its own are not among them.
    """

    failures: tuple[RuleFailure, ...]
    asked_until: datetime
    ask_the_quota: bool

    @property
    def is_silent(self) -> bool:
        return not self.failures and not self.ask_the_quota


class _Judge:
    """The member of a request, at one facility."""

    def __init__(self, facility: FacilityFacts, situation: Situation) -> None:
        self.facility = facility
        self.situation = situation
        self._ledger: quotas.Ledger | None = None

    def day(self, shared: SharedDay, terms: Terms, party: int) -> OpenDay:
        """The day for this member now."""
        said: dict[tuple[date, bool], _Said] = {}
        of_the_day: dict[date, list[RuleFailure]] = {}
        stands = True
        for one in shared.slots:
            alike = said.get((one.starts_on, one.is_prime))
            if alike is None:
                alike = said[one.starts_on, one.is_prime] = self._said(one, terms, party, of_the_day)
            stands = stands and alike.is_silent and one.slot.interval.starts_at >= alike.asked_until
        if stands:
            return OpenDay(shared.on, shared, None)
        slots = tuple(
            self._slot(one, said[one.starts_on, one.is_prime], terms, party) for one in shared.slots
        )
        return OpenDay(shared.on, shared, slots)

    def _slot(self, one: SharedSlot, alike: _Said, terms: Terms, party: int) -> Slot:
        failures = alike.failures
        asked = one.slot.interval.starts_at < alike.asked_until
        if asked or alike.ask_the_quota:
            ask = self._ask(one, terms, party)
            # In the order of all the rules, as one judgement would give them.
            of_the_hour = club_rules.judge(ask, club_rules.OF_THE_HOUR) if asked else ()
            of_the_quota = club_rules.judge(ask, club_rules.OF_THE_QUOTA) if alike.ask_the_quota else ()
            failures = (*of_the_hour, *failures, *of_the_quota)
        if not failures:
            return one.slot
        failures = (*failures, *one.slot.reasons)
        return Slot(one.slot.interval, state_of(failures), one.slot.left, failures)

    def _said(
        self, one: SharedSlot, terms: Terms, party: int, of_the_day: dict[date, list[RuleFailure]]
    ) -> _Said:
        ask = self._ask(one, terms, party)
        if self._ledger is None:
            self._ledger = quotas.Ledger(ask)
        failures = of_the_day.get(one.starts_on)
        if failures is None:
            failures = of_the_day[one.starts_on] = club_rules.judge(ask, _BEFORE_THE_QUOTA)
        asked_until = club_rules.asks_of_the_hour(
            terms, one.starts_on, self.situation.now, self.situation.rules.zone
        )
        if not self._ledger.may_refuse(ask):
            return _Said(tuple(failures), asked_until, ask_the_quota=False)
        if self._ledger.reads_the_hour:
            return _Said(tuple(failures), asked_until, ask_the_quota=True)
        of_the_quota = club_rules.judge(ask, club_rules.OF_THE_QUOTA)
        return _Said((*failures, *of_the_quota), asked_until, ask_the_quota=False)

    def _ask(self, one: SharedSlot, terms: Terms, party: int) -> Ask:
        return self.situation.ask(self.facility, terms, one.slot.interval, Party(size=party))
