"""Storms against a running server: its own process, a file database, real HTTP; and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live import scenarios
from tests.live.audit import OVER_QUOTA, OVERBOOKED
from tests.live.clubs import unguarded_on_postgres, unguarded_on_sqlite
from tests.live.scenarios import Club, InvariantError

pytestmark = [pytest.mark.server, pytest.mark.soak]

SCENARIOS = [
    scenarios.one_slot,
    scenarios.capacity,
    scenarios.nights,
    scenarios.quota,
    scenarios.intervals,
    scenarios.hall,
    scenarios.one_key,
]


class TestUnderLoad:
    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
    def test_holds(self, club: Club, scenario: Callable[[Club], None]) -> None:
        scenario(club)


class TestWithoutTheGuard:
    """The same storms on a server whose guard was patched away break what must hold.

    On SQLite it is the transaction. The unique constraint on claims still refuses the second of two; but
    its booking was written before and nothing takes it back, so two reservations stand over one slot. On
    PostgreSQL it is the locks of the parents and, of a slot, the unique constraint as well.
    """

    @pytest.mark.parametrize(
        ("scenario", "broken"),
        [
            pytest.param(scenarios.one_slot, OVERBOOKED, id="one_slot"),
            pytest.param(scenarios.nights, OVERBOOKED, id="nights"),
            pytest.param(scenarios.quota, OVER_QUOTA, id="quota"),
        ],
    )
    def test_breaks(
        self, request: pytest.FixtureRequest, tmp_path: Path, scenario: Callable[[Club], None], broken: str
    ) -> None:
        with unguarded_on_sqlite(request, tmp_path) as club, pytest.raises(InvariantError) as caught:
            scenario(club)
        assert broken in caught.value.broken

    @pytest.mark.parametrize(
        ("scenario", "broken"),
        [
            pytest.param(scenarios.one_slot, OVERBOOKED, id="one_slot"),
            pytest.param(scenarios.quota, OVER_QUOTA, id="quota"),
        ],
    )
    def test_breaks_on_postgresql(
        self, request: pytest.FixtureRequest, tmp_path: Path, scenario: Callable[[Club], None], broken: str
    ) -> None:
        with unguarded_on_postgres(request, tmp_path) as club, pytest.raises(InvariantError) as caught:
            scenario(club)
        assert broken in caught.value.broken
