"""The club on one of its dates, as the front desk works on it.

Six queries with the rulebook in memory, however much is booked: facilities, bookings, their people,
what is taken of spaces by the hour and by the night, and the rulebook's mark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from bcc.core.intervals import Interval
from bcc.core.walltime import day_bounds
from facilities.models import Facility
from reservations.policies import cells, occupancy
from reservations.policies.occupancy import SpaceOccupancy, Taken
from reservations.policies.states import State
from reservations.policies.terms import ClosureFacts, FacilityFacts, Terms
from reservations.selectors.board import Board, Plan, board_of, sheet_of, written
from reservations.selectors.desk import DeskBooking, load_bookings
from reservations.selectors.rulebook import Rules, current_rules
from reservations.selectors.situation import load_taken

DAY: Final = timedelta(days=1)
NIGHTS_AHEAD: Final = 7
# Slots shorter than this get a row for each hour: in one row they would be too narrow to read.
SHEET_UNDER_MINUTES: Final = 30


@dataclass(frozen=True, slots=True)
class Night:
    on: date
    interval: Interval
    used: int
    rooms: int

    @property
    def at(self) -> str:
        """The check-in as addresses and forms carry it."""
        return written(self.interval.starts_at)

    @property
    def left(self) -> int:
        return max(0, self.rooms - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One facility on the day. ``gone`` are bookings that no longer stand and never took place."""

    facility: FacilityFacts
    on: date
    area: str
    location: str
    terms: Terms | None
    openings: tuple[Interval, ...]
    slots: tuple[Interval, ...]
    closures: tuple[ClosureFacts, ...]
    bookings: tuple[DeskBooking, ...]
    gone: tuple[DeskBooking, ...]
    nights: tuple[Night, ...] = ()

    @property
    def arrivals(self) -> list[DeskBooking]:
        return [one for one in self.bookings if one.row.starts_on == self.on]

    @property
    def staying(self) -> list[DeskBooking]:
        return [one for one in self.bookings if one.row.starts_on < self.on < self._leaves_on(one)]

    @property
    def departures(self) -> list[DeskBooking]:
        return [one for one in self.bookings if self._leaves_on(one) == self.on]

    @staticmethod
    def _leaves_on(one: DeskBooking) -> date:
        return one.row.starts_on + one.row.nights * DAY

    def slot_at(self, instant: datetime) -> Interval | None:
        """The slot, or the night, that begins at an instant."""
        starting = [*self.slots, *(night.interval for night in self.nights)]
        return next((slot for slot in starting if slot.starts_at == instant), None)


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    boards: tuple[Board, ...]
    places: tuple[Place, ...]

    @property
    def rooms(self) -> list[Place]:
        return [place for place in self.places if place.facility.is_nightly]


@dataclass(frozen=True)
class Day:
    on: date
    now: datetime
    areas: tuple[Area, ...]
    all_areas: tuple[str, ...]

    @cached_property
    def places(self) -> list[Place]:
        return [place for area in self.areas for place in area.places]

    @cached_property
    def bookings(self) -> list[DeskBooking]:
        return [one for place in self.places for one in place.bookings]

    @cached_property
    def attention(self) -> list[DeskBooking]:
        """What the desk should look at, by time."""
        wanting = [one for one in self.bookings if one.attention]
        return sorted(wanting, key=lambda one: (one.row.starts_at, one.row.pk))

    @cached_property
    def counts(self) -> Counter[str]:
        """Of members' bookings: those to come, here, over, not come; and all people."""
        told: Counter[str] = Counter()
        for one in self.bookings:
            if not one.is_for_member:
                told["club"] += 1
                continue
            told["bookings"] += 1
            told["people"] += one.row.party
            told[str(one.row.state).lower()] += 1
            told["to_come"] += one.row.state == State.CONFIRMED and one.row.ends_at > self.now
        return told

    def place(self, public_id: UUID) -> Place | None:
        return next((place for place in self.places if place.facility.public_id == public_id), None)

    def booking(self, public_id: UUID) -> DeskBooking | None:
        found = [*self.bookings, *(one for place in self.places for one in place.gone)]
        return next((one for one in found if one.row.public_id == public_id), None)


def get_day(*, on: date, now: datetime, area: str = "", kind: str = "") -> Day:
    """Everything of a date; of one ``area`` or ``kind`` of facility where they are given."""
    rules = current_rules()
    midnight, after = day_bounds(on, rules.zone)
    labels = {
        row[0]: (row[1], row[2])
        for row in Facility.objects.order_by("pk").values_list("pk", "area", "location")
    }
    openings = {pk: openings_on(rules, one, on) for pk, one in rules.facilities.items()}
    ends_at = max([after, *(one.ends_at for intervals in openings.values() for one in intervals)])
    window = Interval(midnight, ends_at)
    bookings = load_bookings(rules, window, now, on)
    wanted = [
        one
        for one in rules.facilities.values()
        if one.spaces
        and (one.is_shown(now) or any(row.facility.id == one.id for row in bookings.values()))
        and (not area or labels[one.id][0] == area)
        and (not kind or one.kind == kind)
    ]
    taken, occupied = _load_spaces(rules, wanted, window, now, on)
    places = []
    plans: dict[int, Plan] = {}
    for facility in wanted:
        place = _place(facility, rules, on, labels[facility.id], openings[facility.id], bookings, occupied)
        places.append(place)
        if not facility.is_nightly:
            plans[facility.id] = _plan(place, taken, occupied, bookings, now)
    return Day(on, now, _areas(places, plans, rules), tuple(_areas_shown(rules, labels, now)))


def terms_for_desk(rules: Rules, facility: FacilityFacts, on: date) -> Terms | None:
    """The terms that draw the slots: those for everybody, else of a category that has some."""
    terms = facility.terms_on(on, None)
    if terms is not None:
        return terms
    categories = sorted({one.category_id for one in facility.bound_terms if one.category_id is not None})
    found = (facility.terms_on(on, category) for category in categories)
    return next((one for one in found if one is not None), None)


def openings_on(rules: Rules, facility: FacilityFacts, on: date) -> list[Interval]:
    """What is open on a date: its own hours, and what the evening before left over past midnight."""
    midnight, _after = day_bounds(on, rules.zone)
    left_over = [one for one in rules.open_on(facility, on - DAY) if one.ends_at > midnight]
    return [*(Interval(midnight, one.ends_at) for one in left_over), *rules.open_on(facility, on)]


def _slots_on(rules: Rules, facility: FacilityFacts, on: date, terms: Terms | None) -> list[Interval]:
    if terms is None or facility.is_nightly:
        return []
    midnight, _after = day_bounds(on, rules.zone)
    evening = [
        slot
        for opening in rules.open_on(facility, on - DAY)
        for slot in cells.slots_of(opening, terms, rules.zone)
        if slot.starts_at >= midnight
    ]
    of_day = [
        slot for opening in rules.open_on(facility, on) for slot in cells.slots_of(opening, terms, rules.zone)
    ]
    return sorted({*evening, *of_day})


def _load_spaces(
    rules: Rules, facilities: Sequence[FacilityFacts], window: Interval, now: datetime, on: date
) -> tuple[dict[int, list[Taken]], dict[int, SpaceOccupancy]]:
    """What is taken of each space: by the hour of the day, and of the nights ahead. Two queries."""
    by_day = {space.id: space for one in facilities for space in one.spaces if space.grid}
    by_night = {space.id: space for one in facilities for space in one.spaces if not space.grid}
    week = Interval(window.starts_at, day_bounds(on + NIGHTS_AHEAD * DAY, rules.zone)[1])
    taken = load_taken(rules=rules, spaces=list(by_day.values()), window=window, now=now)
    taken |= load_taken(rules=rules, spaces=list(by_night.values()), window=week, now=now)
    spaces = {**by_day, **by_night}
    return taken, {pk: SpaceOccupancy(space, taken.get(pk, ()), rules.zone) for pk, space in spaces.items()}


def _place(
    facility: FacilityFacts,
    rules: Rules,
    on: date,
    labels: tuple[str, str],
    openings: Sequence[Interval],
    bookings: Mapping[int, DeskBooking],
    occupied: Mapping[int, SpaceOccupancy],
) -> Place:
    terms = terms_for_desk(rules, facility, on)
    here = [one for one in bookings.values() if one.row.facility_id == facility.id]
    bounds = Interval(*day_bounds(on, rules.zone))
    return Place(
        facility=facility,
        on=on,
        area=labels[0],
        location=labels[1],
        terms=terms,
        openings=tuple(openings),
        slots=tuple(_slots_on(rules, facility, on, terms)),
        closures=tuple(one for one in facility.closures if one.interval.overlaps(bounds)),
        bookings=tuple(one for one in here if one.is_standing or one.took_place),
        gone=tuple(one for one in here if not (one.is_standing or one.took_place)),
        nights=tuple(_nights(facility, rules, on, occupied)) if facility.is_nightly else (),
    )


def _nights(
    facility: FacilityFacts, rules: Rules, on: date, occupied: Mapping[int, SpaceOccupancy]
) -> Iterable[Night]:
    rooms = min(space.lanes for space in facility.spaces)
    for number in range(NIGHTS_AHEAD):
        night = cells.night_of(facility.spaces[0], on + number * DAY, rules.zone)
        if night is not None:
            left = occupancy.lanes_left(facility, night, occupied)
            yield Night(on + number * DAY, night, rooms - left, rooms)


def _plan(
    place: Place,
    taken: Mapping[int, Sequence[Taken]],
    occupied: Mapping[int, SpaceOccupancy],
    bookings: Mapping[int, DeskBooking],
    now: datetime,
) -> Plan:
    facility, terms = place.facility, place.terms
    lanes = min(space.lanes for space in facility.spaces)
    bars = _bars(place, taken, bookings, now) if lanes == 1 else ()

    def is_free(slot: Interval) -> bool:
        return (
            terms is not None
            and not any(closure.interval.overlaps(slot) for closure in facility.closures)
            and occupancy.lanes_left(facility, slot, occupied) > 0
            and not occupancy.breaks_buffer(facility, slot, terms, occupied)
        )

    return Plan(
        facility=facility,
        openings=place.openings,
        slots=place.slots,
        closures=place.closures,
        bars=bars,
        used=lambda step: lanes - occupancy.lanes_left(facility, step, occupied),
        is_free=is_free,
        lanes=lanes,
        now=now,
    )


def _bars(
    place: Place, taken: Mapping[int, Sequence[Taken]], bookings: Mapping[int, DeskBooking], now: datetime
) -> list[tuple[Interval, DeskBooking]]:
    """What stands on the facility's spaces, whoever's booking it is, then what took place beside it.

    What ended before its time is on the list only: until then its place can be booked again.
    """
    ids = {row.reservation_id for space in place.facility.spaces for row in taken.get(space.id, ())}
    bars = [(bookings[pk].row.interval, bookings[pk]) for pk in ids if pk in bookings]
    for one in place.bookings:
        interval = one.row.interval
        if one.took_place and interval.ends_at <= now and not any(bar.overlaps(interval) for bar, _ in bars):
            bars.append((interval, one))
    return sorted(bars, key=lambda bar: (bar[0], bar[1].row.pk))


def _areas(places: Sequence[Place], plans: Mapping[int, Plan], rules: Rules) -> tuple[Area, ...]:
    by_area: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_area[place.area].append(place)
    areas = []
    for name, here in by_area.items():
        drawn = [plans[place.facility.id] for place in here if place.facility.id in plans]
        in_rows = [plan for plan in drawn if not _is_sheet(plan)]
        boards = [board_of(in_rows, rules.zone)] if in_rows else []
        boards += [sheet_of(plan, rules.zone) for plan in drawn if _is_sheet(plan)]
        areas.append(Area(name, tuple(board for board in boards if board is not None), tuple(here)))
    return tuple(areas)


def _is_sheet(plan: Plan) -> bool:
    return plan.lanes == 1 and bool(plan.slots) and plan.slots[0].minutes < SHEET_UNDER_MINUTES


def _areas_shown(rules: Rules, labels: Mapping[int, tuple[str, str]], now: datetime) -> list[str]:
    shown = (labels[pk][0] for pk, one in rules.facilities.items() if one.is_shown(now))
    return list(dict.fromkeys(area for area in shown if area))
