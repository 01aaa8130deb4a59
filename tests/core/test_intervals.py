from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcc.core.intervals import Interval, merged

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def between(start: int, end: int) -> Interval:
    """Minutes from noon."""
    return Interval(NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))


intervals = st.builds(
    lambda start, length: between(start, start + length), st.integers(-200, 200), st.integers(1, 100)
)


def minutes_of(*several: Interval) -> set[int]:
    """The minutes from noon that any of them holds."""
    return {
        minute
        for minute in range(-300, 400)
        if any(interval.contains(NOON + timedelta(minutes=minute)) for interval in several)
    }


class TestInterval:
    @pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 0)])
    def test_is_never_empty_or_backward(self, start: int, end: int) -> None:
        with pytest.raises(ValueError, match="ends after"):
            between(start, end)

    def test_holds_its_start_and_not_its_end(self) -> None:
        interval = between(0, 60)
        assert interval.contains(interval.starts_at)
        assert not interval.contains(interval.ends_at)

    @pytest.mark.parametrize(
        ("other", "overlaps"),
        [((-30, 0), False), ((-30, 1), True), ((0, 60), True), ((59, 90), True), ((60, 90), False)],
    )
    def test_overlaps_but_not_where_it_only_touches(self, other: tuple[int, int], overlaps: bool) -> None:
        assert between(0, 60).overlaps(between(*other)) is overlaps

    @given(one=intervals, other=intervals)
    def test_overlaps_exactly_where_a_minute_is_shared(self, one: Interval, other: Interval) -> None:
        shared = minutes_of(one) & minutes_of(other)
        assert one.overlaps(other) == other.overlaps(one) == bool(shared)

    @given(one=intervals, other=intervals)
    def test_covers_exactly_where_every_minute_is_its_own(self, one: Interval, other: Interval) -> None:
        assert one.covers(other) == (minutes_of(other) <= minutes_of(one))

    def test_counts_whole_minutes(self) -> None:
        assert between(0, 90).minutes == 90
        assert Interval(NOON, NOON + timedelta(seconds=119)).minutes == 1

    @given(interval=intervals, by=st.integers(-500, 500))
    def test_keeps_its_length_when_shifted(self, interval: Interval, by: int) -> None:
        shifted = interval.shifted(timedelta(minutes=by))
        assert shifted.minutes == interval.minutes
        assert shifted.starts_at - interval.starts_at == timedelta(minutes=by)

    def test_widens_on_each_side(self) -> None:
        widened = between(0, 60).widened(before=timedelta(minutes=10), after=timedelta(minutes=5))
        assert widened == between(-10, 65)


class TestMerged:
    @given(several=st.lists(intervals, max_size=8))
    def test_holds_the_same_time_in_disjoint_sorted_pieces(self, several: list[Interval]) -> None:
        pieces = merged(several)
        assert minutes_of(*pieces) == minutes_of(*several)
        assert all(one.ends_at < two.starts_at for one, two in pairwise(pieces))

    def test_joins_those_that_touch(self) -> None:
        assert merged([between(60, 90), between(0, 60)]) == [between(0, 90)]

    def test_swallows_what_lies_inside(self) -> None:
        assert merged([between(0, 90), between(10, 20)]) == [between(0, 90)]
