"""Storms against a running server: its own process, a file database, real HTTP."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.live import scenarios
from tests.live.audit import OVER_QUOTA, OVERBOOKED
from tests.live.scenarios import Club, InvariantError
from tests.live.server import Server, run_json, serving

pytestmark = pytest.mark.server


def open_club(server: Server, made: dict[str, object]) -> Club:
    return Club(server, made["members"], made["facilities"], date.fromisoformat(str(made["today"])))  # type: ignore[arg-type]  # JSON


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A data folder that no server has seen, for every server to have a copy of, and what is in it."""
    data_dir = tmp_path_factory.mktemp("prepared")
    return data_dir, run_json(["tests/live/prepare.py"], data_dir)


@pytest.fixture(scope="module")
def club(
    prepared: tuple[Path, dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Club]:
    data_dir = tmp_path_factory.mktemp("club") / "data"
    shutil.copytree(prepared[0], data_dir)
    with serving(data_dir, "--no-scheduler") as server:
        yield open_club(server, prepared[1])


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


UNGUARDED = (sys.executable, "tests/live/unguarded.py")


class TestWithoutTheGuard:
    """The same storms on a server whose transactions were patched away break what must hold.

    The unique constraint on claims still refuses the second of two; but its booking was written before
    and nothing takes it back, so two reservations stand over one slot.
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
        self,
        prepared: tuple[Path, dict[str, object]],
        tmp_path: Path,
        scenario: Callable[[Club], None],
        broken: str,
    ) -> None:
        data_dir = tmp_path / "data"
        shutil.copytree(prepared[0], data_dir)
        with (
            serving(data_dir, "--no-scheduler", "--no-worker", program=UNGUARDED) as server,
            pytest.raises(InvariantError) as caught,
        ):
            scenario(open_club(server, prepared[1]))
        assert broken in caught.value.broken
