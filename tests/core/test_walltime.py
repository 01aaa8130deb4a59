from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcc.core.walltime import day_bounds, wall_instant

MANILA = ZoneInfo("Asia/Manila")
MADRID = ZoneInfo("Europe/Madrid")
BEIRUT = ZoneInfo("Asia/Beirut")  # its clocks go forward at midnight

zones = st.sampled_from(
    [MANILA, MADRID, BEIRUT, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
)
dates = st.dates(date(2000, 1, 2), date(2099, 12, 30))
times = st.times().map(lambda at: at.replace(microsecond=0))


class TestWallInstant:
    @pytest.mark.parametrize(
        ("on", "at", "zone", "instant"),
        [
            (date(2026, 3, 1), time(6, 30), MANILA, datetime(2026, 2, 28, 22, 30, tzinfo=UTC)),
            (date(2028, 2, 29), time(0, 0), MANILA, datetime(2028, 2, 28, 16, 0, tzinfo=UTC)),
            (date(2026, 3, 29), time(1, 59), MADRID, datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
            (date(2026, 3, 29), time(3, 0), MADRID, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ],
    )
    def test_is_the_instant_of_the_wall_time(
        self, on: date, at: time, zone: ZoneInfo, instant: datetime
    ) -> None:
        assert wall_instant(on, at, zone) == instant

    @pytest.mark.parametrize("at", [time(2, 0), time(2, 30), time(2, 59, 59)])
    def test_is_none_where_the_clocks_skip_it(self, at: time) -> None:
        assert wall_instant(date(2026, 3, 29), at, MADRID) is None

    def test_is_the_first_of_two_where_the_clocks_double_it(self) -> None:
        doubled = wall_instant(date(2026, 10, 25), time(2, 30), MADRID)
        assert doubled == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert doubled == wall_instant(date(2026, 10, 25), time(2, 30, fold=1), MADRID)

    @given(on=dates, at=times, zone=zones)
    def test_reads_back_as_the_same_wall_time(self, on: date, at: time, zone: ZoneInfo) -> None:
        instant = wall_instant(on, at, zone)
        if instant is not None:
            assert instant.astimezone(zone).replace(tzinfo=None) == datetime.combine(on, at)


class TestDayBounds:
    @given(on=dates, zone=zones)
    def test_is_the_day_and_nothing_but_the_day(self, on: date, zone: ZoneInfo) -> None:
        first, end = day_bounds(on, zone)
        assert first.astimezone(zone).date() == on
        assert (first - timedelta(microseconds=1)).astimezone(zone).date() < on
        assert (end - timedelta(microseconds=1)).astimezone(zone).date() == on
        assert end == day_bounds(on + timedelta(days=1), zone)[0]

    @pytest.mark.parametrize(
        ("on", "zone", "hours"),
        [
            (date(2026, 3, 1), MANILA, 24),
            (date(2026, 3, 29), MADRID, 23),
            (date(2026, 10, 25), MADRID, 25),
            (date(2026, 3, 29), BEIRUT, 23),
        ],
    )
    def test_is_as_long_as_the_clocks_make_it(self, on: date, zone: ZoneInfo, hours: int) -> None:
        first, end = day_bounds(on, zone)
        assert end - first == timedelta(hours=hours)
