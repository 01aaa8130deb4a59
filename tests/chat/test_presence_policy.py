"""What presence is, from stored times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chat.policies.presence import ACTIVE, alive_since, state_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class TestStateOf:
    @pytest.mark.parametrize(
        ("is_connected", "ago", "is_shown", "expected"),
        [
            (True, timedelta(0), True, "online"),
            (True, ACTIVE - timedelta(microseconds=1), True, "online"),
            (True, ACTIVE, True, "idle"),
            (True, None, True, "idle"),
            (False, timedelta(0), True, "offline"),
            (True, timedelta(0), False, "offline"),
        ],
    )
    def test_at_its_edges(
        self, is_connected: bool, ago: timedelta | None, is_shown: bool, expected: str
    ) -> None:
        at = None if ago is None else NOW - ago
        found = state_of(is_connected=is_connected, last_active_at=at, is_shown=is_shown, now=NOW)
        assert found == expected

    def test_a_killed_process_is_given_up_well_within_a_minute(self) -> None:
        assert NOW - alive_since(NOW) < timedelta(seconds=45)
