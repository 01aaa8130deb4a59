"""Opening hours and prime time as instants, in zones that change their clocks and in one that does not.

The clocks of Berlin go from 02:00 to 03:00 on 29 March 2026 and from 03:00 back to 02:00 on
25 October; Lord Howe moves by half an hour, on 4 October and 5 April.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcc.core.intervals import Interval
from facilities.policies.hours import (
    HOLIDAY,
    Band,
    Period,
    Span,
    in_bands,
    opening_intervals,
    span_interval,
    spans_on,
    wall_edge,
)

MANILA = ZoneInfo("Asia/Manila")
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
MONDAY = date(2026, 6, 1)
ALWAYS = date(2020, 1, 1)
STEP = timedelta(minutes=15)

zones = st.sampled_from([MANILA, BERLIN, LORD_HOWE, ZoneInfo("America/New_York")])
changes = [SPRING, AUTUMN, date(2026, 4, 5), date(2026, 10, 4), date(2026, 3, 8), date(2026, 11, 1)]
days = st.one_of(st.sampled_from(changes), st.dates(date(2025, 1, 1), date(2027, 12, 31)))
quarters = st.builds(lambda quarter: time(quarter // 4, quarter % 4 * 15), st.integers(0, 95))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    opens, closes = draw(quarters), draw(quarters)
    return Span(draw(st.integers(0, HOLIDAY)), opens, closes, next_day=closes <= opens)


def week(opens: int, closes: int, *, days: range = range(7), next_day: bool = False) -> tuple[Span, ...]:
    return tuple(Span(day, time(opens), time(closes), next_day) for day in days)


def period(
    *spans: Span, priority: int = 0, override: bool = True, since: date = ALWAYS, until: date | None = None
) -> Period:
    return Period(since, until, priority, override, spans)


def at(on: date, hour: int, minute: int = 0, *, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(on, time(hour, minute, fold=fold), tzinfo=zone).astimezone(UTC)


def walls(intervals: list[Interval], zone: ZoneInfo) -> list[tuple[str, str]]:
    """The edges as the clocks on the wall show them."""
    return [
        (f"{one.starts_at.astimezone(zone):%d %H:%M}", f"{one.ends_at.astimezone(zone):%d %H:%M}")
        for one in intervals
    ]


def first_instant_showing(on: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first quarter of an hour at which the clocks show this wall time or a later one."""
    wanted = datetime.combine(on, wall)
    instant = datetime.combine(on, wall, tzinfo=UTC) - timedelta(hours=16)
    while instant.astimezone(zone).replace(tzinfo=None) < wanted:
        instant += STEP
    return instant


class TestWallEdge:
    @given(on=days, wall=quarters, zone=zones)
    def test_is_the_first_instant_at_which_the_clocks_have_come_so_far(
        self, on: date, wall: time, zone: ZoneInfo
    ) -> None:
        assert wall_edge(on, wall, zone) == first_instant_showing(on, wall, zone)

    @pytest.mark.parametrize("minute", [0, 1, 30, 59])
    def test_of_a_skipped_time_is_the_change_itself(self, minute: int) -> None:
        assert wall_edge(SPRING, time(2, minute), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)

    def test_of_a_doubled_time_is_the_first_of_the_two(self) -> None:
        assert wall_edge(AUTUMN, time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class TestSpanInterval:
    @pytest.mark.parametrize(
        ("on", "hours"),
        [(MONDAY, 4), (SPRING, 3), (AUTUMN, 5)],
        ids=["plain", "an hour is skipped", "an hour is doubled"],
    )
    def test_takes_the_time_that_passes_between_the_walls(self, on: date, hours: int) -> None:
        interval = span_interval(on, Span(0, time(1), time(5)), BERLIN)

        assert interval is not None
        assert interval.minutes == hours * 60

    def test_is_nothing_where_the_change_leaves_nothing(self) -> None:
        assert span_interval(SPRING, Span(6, time(2), time(3)), BERLIN) is None
        assert span_interval(SPRING, Span(6, time(2, 15), time(2, 45)), BERLIN) is None

    def test_over_midnight_belongs_to_the_day_it_opens(self) -> None:
        interval = span_interval(MONDAY, Span(0, time(18), time(2), next_day=True), MANILA)

        assert interval == Interval(at(MONDAY, 18, zone=MANILA), at(date(2026, 6, 2), 2, zone=MANILA))

    def test_from_midnight_to_midnight_is_the_whole_day(self) -> None:
        whole = Span(0, time(0), time(0), next_day=True)

        lengths = {day: span_interval(day, whole, BERLIN) for day in (MONDAY, SPRING, AUTUMN)}

        assert [interval.minutes // 60 for interval in lengths.values() if interval] == [24, 23, 25]


class TestSpansOn:
    def test_are_those_of_the_weekday_by_opening_time(self) -> None:
        late, early = Span(0, time(14), time(20)), Span(0, time(6), time(12))
        tuesday = Span(1, time(8), time(9))

        assert spans_on(MONDAY, [period(late, tuesday, early)], set()) == [early, late]

    def test_a_period_without_the_day_is_closed_on_it(self) -> None:
        weekdays = period(*week(6, 22, days=range(5)))

        assert spans_on(date(2026, 6, 6), [weekdays], set()) == []

    @pytest.mark.parametrize(
        ("on", "is_open"),
        [(date(2026, 5, 31), False), (date(2026, 6, 1), True), (date(2026, 6, 30), True),
         (date(2026, 7, 1), False)],
        ids=str,
    )  # fmt: skip
    def test_both_dates_of_a_period_are_in_it(self, on: date, is_open: bool) -> None:
        june = period(*week(6, 22), since=date(2026, 6, 1), until=date(2026, 6, 30))

        assert bool(spans_on(on, [june], set())) is is_open

    def test_the_highest_priority_replaces_those_below(self) -> None:
        plain, special = period(*week(6, 22)), period(*week(9, 12), priority=1)

        for order in ([plain, special], [special, plain]):
            assert [span.opens.hour for span in spans_on(MONDAY, order, set())] == [9]

    def test_one_that_replaces_without_hours_closes(self) -> None:
        closed = period(priority=1, since=MONDAY, until=MONDAY)

        assert spans_on(MONDAY, [period(*week(6, 22)), closed], set()) == []
        assert spans_on(date(2026, 6, 2), [period(*week(6, 22)), closed], set()) != []

    def test_one_that_adds_is_joined_down_to_the_first_that_replaces(self) -> None:
        lowest = period(*week(1, 2), priority=0)
        base = period(*week(6, 12), priority=1)
        evening = period(*week(18, 22), priority=2, override=False)

        assert [span.opens.hour for span in spans_on(MONDAY, [lowest, evening, base], set())] == [6, 18]

    def test_among_equals_the_later_start_wins_then_the_sooner_end(self) -> None:
        year = period(*week(6, 22))
        summer = period(*week(5, 23), since=date(2026, 5, 1))
        june = period(*week(4, 23), since=date(2026, 5, 1), until=date(2026, 6, 30))

        assert [span.opens.hour for span in spans_on(MONDAY, [year, summer], set())] == [5]
        assert [span.opens.hour for span in spans_on(MONDAY, [june, year, summer], set())] == [4]

    def test_on_a_holiday_its_hours_replace_the_weekday(self) -> None:
        hours = period(*week(6, 22), Span(HOLIDAY, time(9), time(18)))

        assert [span.opens.hour for span in spans_on(MONDAY, [hours], {MONDAY})] == [9]
        assert [span.opens.hour for span in spans_on(MONDAY, [hours], {date(2026, 6, 2)})] == [6]

    def test_without_hours_for_holidays_the_weekday_holds(self) -> None:
        assert [span.opens.hour for span in spans_on(MONDAY, [period(*week(6, 22))], {MONDAY})] == [6]

    def test_each_period_looks_at_its_own_hours_for_holidays(self) -> None:
        base = period(*week(6, 12))
        evening = period(*week(18, 22), Span(HOLIDAY, time(17), time(20)), priority=1, override=False)

        assert [span.opens.hour for span in spans_on(MONDAY, [base, evening], {MONDAY})] == [6, 17]

    @given(on=days, periods=st.lists(spans(), max_size=6), is_holiday=st.booleans())
    def test_never_mixes_a_weekday_with_a_holiday(
        self, on: date, periods: list[Span], is_holiday: bool
    ) -> None:
        found = spans_on(on, [period(*periods)], {on} if is_holiday else set())

        assert len({span.weekday for span in found}) <= 1
        assert {span.weekday for span in found} <= {on.weekday(), HOLIDAY}


class TestOpeningIntervals:
    def test_what_touches_or_overlaps_is_one(self) -> None:
        hours = period(
            Span(0, time(6), time(12)), Span(0, time(12), time(15)), Span(0, time(14), time(20)),
            Span(0, time(21), time(1), next_day=True),
        )  # fmt: skip

        found = opening_intervals(MONDAY, [hours], set(), MANILA)

        assert walls(found, MANILA) == [("01 06:00", "01 20:00"), ("01 21:00", "02 01:00")]

    def test_a_night_before_the_change_ends_by_the_new_clock(self) -> None:
        night = period(*week(20, 4, next_day=True))

        (spring,) = opening_intervals(SPRING - timedelta(days=1), [night], set(), BERLIN)
        (autumn,) = opening_intervals(AUTUMN - timedelta(days=1), [night], set(), BERLIN)

        assert (spring.minutes, autumn.minutes) == (7 * 60, 9 * 60)
        assert walls([spring], BERLIN) == [("28 20:00", "29 04:00")]

    def test_hours_at_the_change_lose_what_is_skipped(self) -> None:
        split = period(Span(6, time(0), time(2, 30)), Span(6, time(2, 30), time(6)))

        assert walls(opening_intervals(SPRING, [split], set(), BERLIN), BERLIN) == [("29 00:00", "29 06:00")]

    @given(on=days, all_spans=st.lists(spans(), max_size=5), zone=zones, is_holiday=st.booleans())
    def test_hold_exactly_the_quarters_between_the_walls(
        self, on: date, all_spans: list[Span], zone: ZoneInfo, is_holiday: bool
    ) -> None:
        holidays = {on} if is_holiday else set()
        wanted = HOLIDAY if is_holiday and any(one.weekday == HOLIDAY for one in all_spans) else on.weekday()
        edges = [
            (
                first_instant_showing(on, one.opens, zone),
                first_instant_showing(on + timedelta(days=one.next_day), one.closes, zone),
            )
            for one in all_spans
            if one.weekday == wanted
        ]

        found = opening_intervals(on, [period(*all_spans)], holidays, zone)

        instant = datetime.combine(on, time.min, tzinfo=UTC) - timedelta(days=1)
        for _quarter in range(4 * 24 * 4):
            is_open = any(first <= instant < last for first, last in edges)
            assert any(one.contains(instant) for one in found) is is_open
            instant += STEP
        assert all(one.ends_at < other.starts_at for one, other in pairwise(found))


class TestInBands:
    def evening(self, weekday: int = 0, **dates: date) -> Band:
        return Band(weekday, time(17), time(21), **dates)

    @pytest.mark.parametrize(
        ("hour", "minute", "is_prime"), [(16, 59, False), (17, 0, True), (20, 59, True), (21, 0, False)]
    )
    def test_holds_its_start_and_not_its_end(self, hour: int, minute: int, is_prime: bool) -> None:
        instant = at(MONDAY, hour, minute, zone=MANILA)

        assert in_bands(instant, [self.evening()], set(), MANILA) is is_prime

    def test_until_midnight_is_the_end_of_the_day(self) -> None:
        late = [Band(0, time(17), time(0))]

        assert in_bands(at(MONDAY, 23, 59, zone=MANILA), late, set(), MANILA)
        assert not in_bands(at(date(2026, 6, 2), 0, zone=MANILA), late, set(), MANILA)

    def test_both_dates_are_in_it(self) -> None:
        mondays = [date(2026, 6, 1), date(2026, 6, 8), date(2026, 6, 15)]
        band = [self.evening(valid_from=mondays[0], valid_until=mondays[1])]

        assert [in_bands(at(on, 18, zone=MANILA), band, set(), MANILA) for on in mondays] == [
            True,
            True,
            False,
        ]
        early = [self.evening(valid_from=mondays[1])]
        assert not in_bands(at(mondays[0], 18, zone=MANILA), early, set(), MANILA)

    def test_bands_for_holidays_replace_those_of_the_weekday(self) -> None:
        bands = [self.evening(), Band(HOLIDAY, time(6), time(10))]

        assert in_bands(at(MONDAY, 7, zone=MANILA), bands, {MONDAY}, MANILA)
        assert not in_bands(at(MONDAY, 18, zone=MANILA), bands, {MONDAY}, MANILA)
        assert in_bands(at(MONDAY, 18, zone=MANILA), [self.evening()], {MONDAY}, MANILA)

    def test_a_holiday_band_of_other_dates_replaces_nothing(self) -> None:
        over = Band(HOLIDAY, time(6), time(10), valid_until=date(2026, 5, 31))

        assert in_bands(at(MONDAY, 18, zone=MANILA), [self.evening(), over], {MONDAY}, MANILA)

    def test_both_passes_of_a_doubled_hour_count(self) -> None:
        band = [Band(6, time(2), time(3))]

        assert all(
            in_bands(at(AUTUMN, 2, 30, zone=BERLIN, fold=fold), band, set(), BERLIN) for fold in (0, 1)
        )

    def test_nothing_is_prime_without_bands(self) -> None:
        assert not in_bands(at(MONDAY, 18, zone=MANILA), [], {MONDAY}, MANILA)
