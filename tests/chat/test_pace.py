from __future__ import annotations

from chat.policies.pace import Pace


class TestPace:
    def test_allows_so_many_at_once_and_then_none(self) -> None:
        pace = Pace(per_second=2, at_once=3)
        assert [pace.allows(10.0) for _ in range(4)] == [True, True, True, False]

    def test_allows_as_many_as_time_has_brought_and_no_more_than_at_once(self) -> None:
        pace = Pace(per_second=2, at_once=3)
        for _ in range(3):
            pace.allows(0.0)
        assert not pace.allows(0.49)
        assert pace.allows(0.5)
        assert not pace.allows(0.5)
        assert [pace.allows(100.0) for _ in range(4)] == [True, True, True, False]

    def test_gains_nothing_when_its_clock_goes_back(self) -> None:
        pace = Pace(per_second=1, at_once=1)
        assert pace.allows(10.0)
        assert not pace.allows(5.0)
        assert pace.allows(6.0)

    def test_says_how_long_to_wait_in_whole_seconds(self) -> None:
        slow = Pace(per_second=0.1, at_once=1)
        slow.allows(0.0)
        assert slow.wait == 10
        assert not slow.allows(5.0)
        assert slow.wait == 5
        quick = Pace(per_second=10, at_once=1)
        quick.allows(0.0)
        assert quick.wait == 1
