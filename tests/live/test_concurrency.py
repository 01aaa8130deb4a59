"""Storms against a running server: its own process, a file database, real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.live import scenarios
from tests.live.scenarios import Club
from tests.live.server import Server, run_json, serving


def open_club(server: Server, made: dict[str, object]) -> Club:
    return Club(server, made["members"], made["facilities"], date.fromisoformat(str(made["today"])))  # type: ignore[arg-type]  # JSON


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    data_dir = tmp_path_factory.mktemp("club")
    made = run_json(["tests/live/prepare.py"], data_dir)
    with serving(data_dir, "--no-scheduler") as server:
        yield open_club(server, made)


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
    """The same storms on a server whose transactions were patched away must fail."""

    @pytest.mark.parametrize(
        "scenario", [scenarios.quota, scenarios.nights, scenarios.one_slot], ids=lambda one: one.__name__
    )
    def test_fails(self, tmp_path: Path, scenario: Callable[[Club], None]) -> None:
        made = run_json(["tests/live/prepare.py"], tmp_path)
        with (
            serving(tmp_path, "--no-scheduler", "--no-worker", program=["tests/live/unguarded.py"]) as server,
            pytest.raises(AssertionError),
        ):
            scenario(open_club(server, made))
