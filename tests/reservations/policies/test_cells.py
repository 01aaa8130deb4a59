from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bcc.core.intervals import Interval
from facilities.policies.hours import Span, span_interval
from reservations.policies.cells import cells_of, night_of, pick_lanes, slots_of, starts_slot
from reservations.policies.terms import SpaceFacts, Terms
from tests.reservations.policies.asks import (
    BERLIN,
    DAY,
    HOUR,
    MANILA,
    MINUTE,
    NEW_YORK,
    SECOND,
    ZONES,
    instants,
    local,
)

KATHMANDU = ZoneInfo("Asia/Kathmandu")  # its hours begin at a quarter past those of UTC
grids = st.sampled_from([5, 10, 15, 30, 60])
zones = st.sampled_from([*ZONES, KATHMANDU])
intervals = st.builds(
    lambda start, length: Interval(start, start + length * MINUTE), instants, st.integers(1, 600)
)
# The dates around which clocks change, and plain ones.
dates = st.sampled_from(
    [
        date(2026, 3, 8),
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 10, 25),
        date(2026, 11, 1),
        date(2026, 6, 2),
    ]
)
check_times = st.tuples(st.integers(0, 47), st.integers(0, 47)).map(
    lambda halves: tuple(time(half // 2, 30 * (half % 2)) for half in sorted(halves))
)


class TestMinuteCells:
    @pytest.mark.parametrize(
        ("start", "minutes", "cells"),
        [
            ((10, 0), 60, ["02:00", "02:15", "02:30", "02:45"]),
            ((10, 0), 1, ["02:00"]),
            ((10, 14), 1, ["02:00"]),
            ((10, 14), 2, ["02:00", "02:15"]),
            ((10, 15), 15, ["02:15"]),
        ],
        ids=["an-hour", "its-first-minute", "its-last-minute", "over-the-edge", "one-exactly"],
    )
    def test_are_those_that_the_interval_touches(
        self, start: tuple[int, int], minutes: int, cells: list[str]
    ) -> None:
        starts_at = local(2, *start)

        found = cells_of(SpaceFacts(1, 15, 1), Interval(starts_at, starts_at + minutes * MINUTE), MANILA)

        assert [f"{cell:%H:%M}" for cell in found] == cells

    @given(grid=grids, zone=zones, interval=intervals)
    def test_cover_the_interval_and_no_cell_beyond_it(
        self, grid: int, zone: ZoneInfo, interval: Interval
    ) -> None:
        cells = cells_of(SpaceFacts(1, grid, 1), interval, zone)
        step = grid * MINUTE

        assert cells == [cells[0] + number * step for number in range(len(cells))]
        assert cells[0] <= interval.starts_at < cells[0] + step
        assert cells[-1] < interval.ends_at <= cells[-1] + step
        assert all(cell.minute % grid == cell.second == cell.microsecond == 0 for cell in cells)

    @given(grid=grids, one=intervals, shift=st.integers(-700, 700), length=st.integers(1, 600))
    def test_are_shared_by_what_overlaps_and_by_nothing_else_that_stands_on_the_grid(
        self, grid: int, one: Interval, shift: int, length: int
    ) -> None:
        space = SpaceFacts(1, grid, 1)
        start = one.starts_at + shift * MINUTE
        two = Interval(start, start + length * MINUTE)
        shared = set(cells_of(space, one, MANILA)) & set(cells_of(space, two, MANILA))

        if one.overlaps(two):
            assert shared
        elif all(edge.minute % grid == 0 for each in (one, two) for edge in (each.starts_at, each.ends_at)):
            assert not shared

    def test_do_not_see_a_change_of_the_clocks(self) -> None:
        """Two bookings in the doubled hour of Berlin are an hour apart and share nothing."""
        first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        space = SpaceFacts(1, 15, 1)

        one = cells_of(space, Interval(first, first + HOUR), BERLIN)
        two = cells_of(space, Interval(first + HOUR, first + 2 * HOUR), BERLIN)

        assert len(one) == len(two) == 4
        assert not set(one) & set(two)


class TestNightCells:
    space = SpaceFacts(1, 0, 3, time(14), time(12))

    def cells(self, starts_at: datetime, ends_at: datetime, zone: ZoneInfo = MANILA) -> list[datetime]:
        return cells_of(self.space, Interval(starts_at, ends_at), zone)

    def test_start_at_check_in_one_a_night(self) -> None:
        assert self.cells(local(2, 14), local(5, 12)) == [local(day, 14) for day in (2, 3, 4)]

    def test_a_departure_and_an_arrival_on_one_day_share_none(self) -> None:
        assert not set(self.cells(local(2, 14), local(3, 12))) & set(self.cells(local(3, 14), local(4, 12)))

    @pytest.mark.parametrize(
        ("starts_at", "ends_at", "nights"),
        [
            (local(3, 12), local(3, 14), 0),  # between check-out and check-in the room is nobody's
            (local(3, 12) - SECOND, local(3, 14), 1),
            (local(3, 12), local(3, 14) + SECOND, 1),
            (local(3, 11), local(3, 15), 2),
        ],
        ids=["the-gap", "a-second-before", "a-second-after", "both"],
    )
    def test_what_stands_at_odd_hours_takes_the_nights_it_touches(
        self, starts_at: datetime, ends_at: datetime, nights: int
    ) -> None:
        assert len(self.cells(starts_at, ends_at)) == nights

    @given(
        zone=zones,
        times=check_times,
        one=dates,
        two=st.integers(-4, 4),
        nights=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    )
    @example(  # check-in falls into the hour that Berlin's clocks skip: the night still has its cell
        zone=BERLIN, times=(time(2), time(2, 30)), one=date(2026, 3, 28), two=-1, nights=(3, 4)
    )
    def test_are_shared_by_stays_that_overlap_and_only_by_those(
        self, zone: ZoneInfo, times: tuple[time, time], one: date, two: int, nights: tuple[int, int]
    ) -> None:
        space = SpaceFacts(1, 0, 1, times[1], times[0])
        first = night_of(space, one, zone, nights[0])
        second = night_of(space, one + two * DAY, zone, nights[1])
        if first is None or second is None:
            return

        cells = cells_of(space, first, zone)
        shared = set(cells) & set(cells_of(space, second, zone))

        assert len(cells) == nights[0]
        assert bool(shared) is first.overlaps(second)


class TestNightOf:
    space = SpaceFacts(1, 0, 3, time(14), time(12))

    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_is_from_check_in_to_check_out_by_the_wall(self, zone: ZoneInfo) -> None:
        assert night_of(self.space, date(2026, 6, 2), zone, 2) == Interval(
            local(2, 14, zone=zone), local(4, 12, zone=zone)
        )

    def test_is_an_hour_shorter_where_the_clocks_go_forward(self) -> None:
        night = night_of(self.space, date(2026, 3, 28), BERLIN)

        assert night is not None
        assert night.minutes == 21 * 60

    @pytest.mark.parametrize(
        ("check_in", "check_out"), [(time(2, 30), time(1)), (time(23), time(2, 30))], ids=["in", "out"]
    )
    def test_does_not_exist_where_the_clocks_skip_an_edge_of_it(
        self, check_in: time, check_out: time
    ) -> None:
        space = SpaceFacts(1, 0, 1, check_in, check_out)
        on = date(2026, 3, 29) if check_in == time(2, 30) else date(2026, 3, 28)

        assert night_of(space, on, BERLIN) is None
        assert night_of(space, on + DAY, BERLIN) is not None


class TestPickLanes:
    @pytest.mark.parametrize(
        ("taken", "wanted", "lanes", "expected"),
        [
            ([], 1, 1, [0]),
            ([0], 1, 1, None),
            ([0, 2], 2, 4, [1, 3]),
            ([0, 2], 3, 4, None),
            ([5, 0, 0], 1, 3, [1]),
            ([], 3, 2, None),
        ],
    )
    def test_are_the_lowest_that_are_free(
        self, taken: list[int], wanted: int, lanes: int, expected: list[int] | None
    ) -> None:
        assert pick_lanes(taken, wanted, lanes) == expected

    @given(taken=st.sets(st.integers(0, 9)), wanted=st.integers(1, 10), lanes=st.integers(1, 10))
    def test_never_give_a_lane_twice_and_always_where_there_is_room(
        self, taken: set[int], wanted: int, lanes: int
    ) -> None:
        picked = pick_lanes(taken, wanted, lanes)

        free = set(range(lanes)) - taken
        if picked is None:
            assert len(free) < wanted
        else:
            assert len(set(picked)) == wanted
            assert set(picked) <= free
            assert max(picked) < min(free - set(picked), default=lanes)


def opening(on: date, zone: ZoneInfo, opens: time = time(0), closes: time = time(6)) -> Interval:
    found = span_interval(on, Span(0, opens, closes), zone)
    assert found is not None
    return found


def walls(slots: list[Interval], zone: ZoneInfo) -> list[str]:
    return [f"{slot.starts_at.astimezone(zone):%H:%M}" for slot in slots]


class TestSlotsOf:
    def test_follow_each_other_from_opening_to_closing(self) -> None:
        slots = slots_of(opening(date(2026, 6, 2), MANILA, time(6, 30), time(10)), Terms(), MANILA)

        assert walls(slots, MANILA) == ["06:30", "07:30", "08:30"]
        assert all(slot.minutes == 60 for slot in slots)

    def test_the_last_ends_at_closing_and_none_after_it(self) -> None:
        exact = slots_of(opening(date(2026, 6, 2), MANILA, time(6), time(8)), Terms(), MANILA)
        short = slots_of(opening(date(2026, 6, 2), MANILA, time(6), time(7, 59)), Terms(), MANILA)

        assert (len(exact), len(short)) == (2, 1)

    @pytest.mark.parametrize(
        ("zone", "on", "expected"),
        [
            (BERLIN, date(2026, 3, 29), ["00:00", "01:00", "03:00", "04:00", "05:00"]),
            (NEW_YORK, date(2026, 3, 8), ["00:00", "01:00", "03:00", "04:00", "05:00"]),
            (MANILA, date(2026, 3, 29), ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00"]),
        ],
        ids=["berlin", "new-york", "manila"],
    )
    def test_one_in_the_hour_that_the_clocks_skip_does_not_exist(
        self, zone: ZoneInfo, on: date, expected: list[str]
    ) -> None:
        assert walls(slots_of(opening(on, zone), Terms(), zone), zone) == expected

    @pytest.mark.parametrize(
        ("zone", "on", "first"),
        [
            (BERLIN, date(2026, 10, 25), datetime(2026, 10, 25, 0, tzinfo=UTC)),
            (NEW_YORK, date(2026, 11, 1), datetime(2026, 11, 1, 5, tzinfo=UTC)),
        ],
        ids=["berlin", "new-york"],
    )
    def test_one_in_the_doubled_hour_is_the_first(self, zone: ZoneInfo, on: date, first: datetime) -> None:
        starts = [slot.starts_at for slot in slots_of(opening(on, zone), Terms(), zone)]

        assert len(starts) == 6
        assert first in starts
        assert first + HOUR not in starts

    @given(
        zone=zones,
        on=dates,
        opens=st.integers(0, 80),
        length=st.integers(1, 96),
        slot=st.sampled_from([5, 15, 20, 45, 60, 90, 150]),
    )
    def test_lie_inside_in_order_and_never_overlap(
        self, zone: ZoneInfo, on: date, opens: int, length: int, slot: int
    ) -> None:
        start = time(opens // 4, opens % 4 * 15)
        end = opens + length
        inside = span_interval(on, Span(0, start, time(end // 4 % 24, end % 4 * 15), end >= 96), zone)
        if inside is None:
            return
        terms = Terms(slot_minutes=slot)

        slots = slots_of(inside, terms, zone)

        assert all(inside.covers(one) and one.minutes == slot for one in slots)
        assert all(one.ends_at <= two.starts_at for one, two in pairwise(slots))
        starts = {one.starts_at for one in slots}
        step = inside.starts_at - 2 * HOUR
        while step < inside.ends_at + 2 * HOUR:
            assert starts_slot(inside, terms, zone, step) is (step in starts)
            step += timedelta(minutes=5)
