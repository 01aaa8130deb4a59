from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcc.core.intervals import Interval
from reservations.policies.cells import cells_of
from reservations.policies.occupancy import SpaceOccupancy, Taken, breaks_buffer, lanes_left
from reservations.policies.terms import SpaceFacts, Terms
from tests.reservations.policies.asks import MANILA, MINUTE, SPACE, facility_of, local, taken_of

BASE = local(2, 6)
QUARTER = 15 * MINUTE


def between(start: int, end: int) -> Interval:
    """Quarters of an hour from six."""
    return Interval(BASE + start * QUARTER, BASE + end * QUARTER)


def row(
    start: int, end: int, *, lanes: int = 1, before: int = 0, after: int = 0, space: int = SPACE
) -> Taken:
    return Taken(1, space, between(start, end), lanes, before * MINUTE, after * MINUTE)


quarters = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda one: (one[0], one[0] + one[1]))


class TestLanesLeft:
    def test_are_all_of_an_empty_space(self) -> None:
        assert SpaceOccupancy(SpaceFacts(SPACE, 15, 5), [], MANILA).lanes_left(between(0, 4)) == 5

    def test_are_those_of_the_fullest_cell(self) -> None:
        occupancy = SpaceOccupancy(
            SpaceFacts(SPACE, 15, 5), [row(0, 4, lanes=2), row(3, 6, lanes=1), row(9, 10, lanes=5)], MANILA
        )

        left = [occupancy.lanes_left(between(*each)) for each in ((0, 3), (0, 4), (4, 6), (6, 9), (8, 10))]

        assert left == [3, 2, 4, 5, 0]

    def test_are_never_less_than_none(self) -> None:
        """The lanes of a space were lowered under what was booked."""
        assert (
            SpaceOccupancy(SpaceFacts(SPACE, 15, 1), [row(0, 4, lanes=3)], MANILA).lanes_left(between(0, 1))
            == 0
        )

    def test_are_none_where_the_interval_touches_no_cell(self) -> None:
        rooms = SpaceOccupancy(SpaceFacts(SPACE, 0, 3), [], MANILA)

        assert rooms.lanes_left(Interval(local(3, 12), local(3, 14))) == 0

    def test_of_a_facility_are_those_of_its_fullest_space(self) -> None:
        facility = facility_of(SpaceFacts(1, 15, 4), SpaceFacts(2, 15, 3))
        occupancy = taken_of(facility, [row(0, 4, space=1), row(0, 4, lanes=2, space=2)])

        assert lanes_left(facility, between(0, 4), occupancy) == 1
        assert lanes_left(facility, between(4, 8), occupancy) == 3

    @given(
        rows=st.lists(st.tuples(quarters, st.integers(1, 3)), max_size=8),
        wish=quarters,
        lanes=st.integers(1, 6),
    )
    def test_agree_with_counting_cell_by_cell(
        self, rows: list[tuple[tuple[int, int], int]], wish: tuple[int, int], lanes: int
    ) -> None:
        space = SpaceFacts(SPACE, 15, lanes)
        taken = [row(*edges, lanes=number) for edges, number in rows]

        left = SpaceOccupancy(space, taken, MANILA).lanes_left(between(*wish))

        used = [
            sum(one.lanes for one in taken if one.interval.contains(cell))
            for cell in cells_of(space, between(*wish), MANILA)
        ]
        assert left == max(0, lanes - max(used))


class TestBreaksBuffer:
    @pytest.mark.parametrize(
        ("before", "after", "theirs_before", "theirs_after", "gap", "breaks"),
        [
            (0, 0, 0, 0, 0, False),
            (15, 0, 0, 0, 0, True),
            (15, 0, 0, 0, 15, False),
            (0, 0, 0, 15, 0, True),
            (0, 0, 0, 15, 15, False),
            (15, 0, 0, 30, 15, True),  # the larger of the two, not their sum
            (15, 0, 0, 30, 30, False),
            (0, 60, 60, 0, 0, False),  # what lies on the other side does not matter
        ],
    )
    def test_keeps_the_larger_of_both_after_an_earlier_booking(
        self, before: int, after: int, theirs_before: int, theirs_after: int, gap: int, breaks: bool
    ) -> None:
        occupancy = SpaceOccupancy(
            SpaceFacts(SPACE, 15, 1), [row(0, 4, before=theirs_before, after=theirs_after)], MANILA
        )
        wish = between(4, 8).shifted(gap * MINUTE)

        assert occupancy.breaks_buffer(wish, before * MINUTE, after * MINUTE) is breaks

    @pytest.mark.parametrize(
        ("after", "theirs_before", "gap", "breaks"),
        [
            (0, 0, 0, False),
            (15, 0, 0, True),
            (15, 0, 15, False),
            (0, 15, 0, True),
            (15, 30, 15, True),
            (15, 30, 30, False),
        ],
    )
    def test_keeps_the_larger_of_both_before_a_later_booking(
        self, after: int, theirs_before: int, gap: int, breaks: bool
    ) -> None:
        occupancy = SpaceOccupancy(SpaceFacts(SPACE, 15, 1), [row(8, 12, before=theirs_before)], MANILA)
        wish = between(4, 8).shifted(-gap * MINUTE)

        assert occupancy.breaks_buffer(wish, timedelta(0), after * MINUTE) is breaks

    def test_a_second_too_little_is_too_little(self) -> None:
        occupancy = SpaceOccupancy(SpaceFacts(SPACE, 15, 1), [row(0, 4, after=15)], MANILA)
        wish = between(5, 8)

        assert not occupancy.breaks_buffer(wish, timedelta(0), timedelta(0))
        assert occupancy.breaks_buffer(wish.shifted(-timedelta(seconds=1)), timedelta(0), timedelta(0))

    def test_spaces_of_many_lanes_keep_none(self) -> None:
        occupancy = SpaceOccupancy(SpaceFacts(SPACE, 15, 2), [row(0, 4, after=60)], MANILA)

        assert not occupancy.breaks_buffer(between(4, 8), 60 * MINUTE, 60 * MINUTE)

    def test_of_a_facility_is_that_of_any_of_its_spaces(self) -> None:
        facility = facility_of(SpaceFacts(1, 15, 1), SpaceFacts(2, 15, 1))
        occupancy = taken_of(facility, [row(0, 4, after=15, space=2)])

        assert breaks_buffer(facility, between(4, 8), Terms(), occupancy)
        assert not breaks_buffer(facility, between(5, 8), Terms(), occupancy)

    @given(
        lengths=st.lists(
            st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(0, 4), st.integers(0, 4)), max_size=6
        ),
        wish=quarters,
        before=st.integers(0, 4),
        after=st.integers(0, 4),
    )
    def test_agrees_with_looking_at_every_neighbour(
        self, lengths: list[tuple[int, int, int, int]], wish: tuple[int, int], before: int, after: int
    ) -> None:
        taken, at = [], 0
        for gap, length, its_before, its_after in lengths:
            taken.append(row(at + gap, at + gap + length, before=its_before * 15, after=its_after * 15))
            at += gap + length
        interval = between(*wish)
        if any(one.interval.overlaps(interval) for one in taken):
            return  # taken anyway

        found = SpaceOccupancy(SpaceFacts(SPACE, 15, 1), taken, MANILA).breaks_buffer(
            interval, before * QUARTER, after * QUARTER
        )

        # Who stands next to the wish in time; those beyond have these between them.
        earlier = [one for one in taken if one.interval.ends_at <= interval.starts_at][-1:]
        later = [one for one in taken if one.interval.starts_at >= interval.ends_at][:1]
        assert found is (
            any(
                interval.starts_at - one.interval.ends_at < max(one.buffer_after, before * QUARTER)
                for one in earlier
            )
            or any(
                one.interval.starts_at - interval.ends_at < max(one.buffer_before, after * QUARTER)
                for one in later
            )
        )
