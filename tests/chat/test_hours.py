"""When a desk is staffed, at its edges."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from chat.policies.hours import Span, is_staffed, next_opening

ZONE = ZoneInfo("Asia/Manila")
# Monday and Tuesday mornings, and Monday afternoon.
SPANS = [Span(0, time(8), time(12)), Span(1, time(8), time(12)), Span(0, time(13), time(17))]


def monday(hour: int, minute: int = 0, *, day: int = 1) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZONE)


class TestIsStaffed:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (monday(7, 59), False),
            (monday(8), True),
            (monday(11, 59), True),
            (monday(12), False),
            (monday(13), True),
            (monday(9, day=3), False),
        ],
    )
    def test_opens_at_the_first_minute_and_not_at_the_last(self, at: datetime, expected: bool) -> None:
        assert is_staffed(SPANS, at) is expected

    def test_never_without_hours(self) -> None:
        assert not is_staffed([], monday(9))


class TestNextOpening:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (monday(7), monday(8)),
            (monday(8), monday(13)),
            (monday(18), monday(8, day=2)),
            (monday(12, day=2), monday(8, day=8)),
        ],
    )
    def test_is_the_first_after_that_moment(self, at: datetime, expected: datetime) -> None:
        assert next_opening(SPANS, at) == expected

    def test_is_none_for_a_desk_that_never_opens(self) -> None:
        assert next_opening([], monday(9)) is None
