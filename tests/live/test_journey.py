"""The demo club, started as ``make run`` starts it, and a program of its own that goes through it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.audit import find_wrongs
from tests.live.server import LOAD_SECONDS, ROOT, START, Server, environment, free_port, serving

pytestmark = pytest.mark.server

PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a club that was started once, on an empty folder, and stopped."""
    data_dir = tmp_path_factory.mktemp("demo")
    # One day of bookings: the rest of the weeks takes a minute and is more of the same.
    with serving(data_dir, program=START, patience=LOAD_SECONDS, DEMO_ARGS="--days 0") as server:
        assert server.stop(signal.SIGTERM) == 0
        assert server.is_gone
    return data_dir


@pytest.fixture
def data_dir(loaded: Path, tmp_path: Path) -> Path:
    """A copy of it, so that no test meets what another did."""
    return Path(shutil.copytree(loaded, tmp_path / "data"))


@pytest.fixture
def server(data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(data_dir, *getattr(request, "param", ()), program=START) as live:
        yield live
    assert not find_wrongs(live.database)


def travel(server: Server, *chapters: str) -> str:
    """Send the client on its way; what it said. It moves the demo's clock instead of waiting for minutes."""
    chosen = [part for chapter in chapters for part in ("--chapter", chapter)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.live.journey", "--hurry"),
            *("--url", server.url, "--data-dir", str(server.data_dir), *chosen),
        ],
        cwd=ROOT,
        env=environment(server.data_dir),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr + server.log.read_text()[-4000:]
    return done.stdout


class TestJourney:
    def test_goes_from_sign_in_to_the_quota_and_lets_a_hold_expire_by_itself(self, server: Server) -> None:
        assert "stays as it is" in server.log.read_text()  # the data of the first start
        said = travel(server, "booking", "hold")
        assert "refused: quota_exceeded" in said
        assert "the scheduler expired it" in said
        assert server.stop() == 0
        assert server.is_gone
        assert "Traceback" not in server.log.read_text()

    @pytest.mark.soak
    @pytest.mark.parametrize("server", [("--no-scheduler",)], indirect=True, ids=["no scheduler"])
    def test_a_booking_ends_a_hold_in_its_way(self, server: Server) -> None:
        assert "ended the hold" in travel(server, "without-scheduler")


class TestClient:
    def test_says_in_a_sentence_that_nobody_answers(self, loaded: Path) -> None:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.live.journey"),
                *("--url", f"http://127.0.0.1:{free_port()}", "--data-dir", str(loaded)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 1
        assert "not as it should be" in done.stderr
        assert "Traceback" not in done.stderr
