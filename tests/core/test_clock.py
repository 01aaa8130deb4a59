from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bcc.core import clock


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.DEMO_MODE = True
    settings.TIME_ZONE = "Asia/Manila"


def ahead() -> timedelta:
    """How far the club's time is ahead of the machine's, to the second."""
    return timedelta(seconds=round((clock.now() - datetime.now(UTC)).total_seconds()))


class TestNow:
    def test_is_aware_and_in_utc(self) -> None:
        assert clock.now().tzinfo is UTC

    def test_is_the_machines_where_nothing_moved_it(self) -> None:
        assert ahead() == timedelta(0)

    def test_moves_with_the_demo_clock_at_once_and_back(self) -> None:
        for offset in (timedelta(days=31, hours=7), timedelta(hours=-3), timedelta(0)):
            clock.move_demo_clock(offset)
            assert ahead() == offset

    def test_sees_each_of_many_quick_moves(self) -> None:
        for hours in range(1, 50):
            clock.move_demo_clock(timedelta(hours=hours))
            assert ahead() == timedelta(hours=hours)

    def test_never_moves_outside_of_demo_mode(self, settings: Any) -> None:
        clock.move_demo_clock(timedelta(days=1))
        settings.DEMO_MODE = False
        assert ahead() == timedelta(0)


class TestLocalDate:
    @pytest.mark.parametrize(
        ("instant", "on"),
        [
            (datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
            (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), date(2026, 3, 2)),
            (datetime(2028, 2, 28, 16, 0, tzinfo=UTC), date(2028, 2, 29)),
            (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
        ],
    )
    def test_changes_at_midnight_in_the_clubs_zone(self, instant: datetime, on: date) -> None:
        assert clock.local_date(instant) == on


class TestToday:
    def test_is_the_date_of_the_clubs_own_time(self) -> None:
        clock.move_demo_clock(timedelta(days=400))
        assert clock.today() == clock.local_date(clock.now())


class TestZone:
    def test_is_the_clubs(self, settings: Any) -> None:
        settings.TIME_ZONE = "Europe/Madrid"
        assert str(clock.zone()) == "Europe/Madrid"
