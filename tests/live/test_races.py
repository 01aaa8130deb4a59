"""Changes of what stands, at one instant and from both sides, on each engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live import races
from tests.live.audit import TWO_WINNERS
from tests.live.clubs import unguarded_on_postgres, unguarded_on_sqlite
from tests.live.scenarios import Club, InvariantError

pytestmark = [pytest.mark.server, pytest.mark.soak]


class TestAtOneInstant:
    def test_two_who_change_places_never_stand_in_one(self, club: Club) -> None:
        races.swap(club)

    def test_a_hold_is_confirmed_or_expired_and_never_both(self, club: Club) -> None:
        races.confirm_or_expire(club)


class TestWithoutTheGuard:
    """Without locks and comparison a confirmation stands over an expiry that has freed the place."""

    @pytest.mark.parametrize(
        "served", [unguarded_on_sqlite, unguarded_on_postgres], ids=["sqlite", "postgresql"]
    )
    def test_both_win(self, request: pytest.FixtureRequest, tmp_path: Path, served: Any) -> None:
        with served(request, tmp_path) as club, pytest.raises(InvariantError) as caught:
            # Early enough to look before the runner, whatever the machine's load; it waits for it there.
            races.confirm_or_expire(club, rounds=3, lead=0.5)
        assert TWO_WINNERS in caught.value.broken
