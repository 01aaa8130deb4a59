"""``python -m tests.services``: both servers while a command runs, and nothing of it afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.server import ROOT
from tests.services import MARK

pytestmark = pytest.mark.server

SECONDS = 60
# Says where they are, leaves a process of its own session behind, and waits to be told to go.
COMMAND = """
import os, subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(os.environ["TEST_REDIS_URL"], os.environ["TEST_POSTGRES_URL"], left.pid, flush=True)
sys.stdin.read()
sys.exit(3)
"""


def start() -> subprocess.Popen[str]:
    hidden = ("TEST_REDIS_URL", "TEST_POSTGRES_URL", MARK)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.services", "--", sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def is_gone(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def ports_of(said: list[str]) -> set[int]:
    return {int(url.rpartition(":")[2].partition("/")[0]) for url in said[:2]}


def listening() -> set[int]:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(row.split()[1].rpartition(":")[2], 16) for row in rows if row.split()[3] == "0A"}


class TestServices:
    @pytest.mark.parametrize(
        ("how", "code"),
        [(None, 3), (signal.SIGINT, None), (signal.SIGTERM, None)],
        ids=["by itself", "Ctrl-C", "SIGTERM"],
    )
    def test_leave_nothing_behind_however_the_command_ends(
        self, how: signal.Signals | None, code: int | None
    ) -> None:
        process = start()
        assert process.stdout is not None
        assert process.stdin is not None
        said = process.stdout.readline().split()
        assert ports_of(said) <= listening()
        if how is None:
            process.stdin.close()
        elif how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does, to everybody in the foreground
        else:
            process.send_signal(how)

        ended = process.wait(SECONDS)

        assert ended == code if code is not None else ended != 0
        until = time.monotonic() + SECONDS
        while not is_gone(int(said[2])) and time.monotonic() < until:
            time.sleep(0.1)
        assert is_gone(int(said[2]))
        assert not ports_of(said) & listening()
        process.stdin.close()
        process.stdout.close()
