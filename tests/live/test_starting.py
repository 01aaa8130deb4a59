"""Starts that cannot succeed: a sentence that says what to do, an exit code, and nothing left behind."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.live.server import ROOT, START, environment, free_port

pytestmark = pytest.mark.server

A_MINUTE = 60


def start(data_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start as ``make run`` does, and wait for the end that must come."""
    return subprocess.run(
        [*START, *options],
        cwd=ROOT,
        env=environment(data_dir),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=A_MINUTE,
        check=False,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


class TestStart:
    def test_says_that_the_port_is_taken_before_it_makes_anything(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = start(tmp_path / "data", "--port", port)
        assert done.returncode == 1
        assert last_line(done) == f"CommandError: Port {port} is taken. Stop what uses it, or choose another."
        assert not (tmp_path / "data" / "bcc.sqlite3").exists()

    def test_says_what_a_port_is(self, tmp_path: Path) -> None:
        done = start(tmp_path, "--port=-1")
        assert done.returncode == 2
        assert last_line(done).endswith("-1 is no port. Give a number from 1 to 65535.")

    @pytest.mark.parametrize("folder", ["file", "file/below"])
    def test_says_that_the_data_folder_cannot_be_used(self, tmp_path: Path, folder: str) -> None:
        (tmp_path / "file").write_text("This is no folder.")
        data_dir = tmp_path / folder
        done = start(data_dir, "--port", str(free_port()))
        assert done.returncode == 1
        said = last_line(done)
        assert said.startswith(f"manage.py: The data folder {data_dir} cannot be used (")
        assert said.endswith("Choose another one with DATA_DIR, or let this user write there.")

    def test_says_that_a_second_process_needs_redis(self, tmp_path: Path) -> None:
        done = start(tmp_path, "--port", str(free_port()), "--workers", "2")
        assert done.returncode == 1
        assert "needs REDIS_URL" in last_line(done)

    def test_shows_the_traceback_to_who_asks_for_it(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("This is no folder.")
        done = start(tmp_path / "file", "--port", str(free_port()), "--traceback")
        assert done.returncode == 1
        assert "Traceback" in done.stderr
