"""A server of its own process, on a file database and a free port, for tests that speak HTTP to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.once import made_once
from tests.services import MARK
from tests.services import free_port as free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
# The first start of the demo club fills its database.
LOAD_SECONDS = 240
SERVE = (sys.executable, "manage.py", "serve")
START = ("deploy/start.sh", "--host", "127.0.0.1")
STOP_SECONDS = 30
UNLIMITED = dict.fromkeys(
    (
        "RATE_BOOKING",
        "RATE_READS",
        "RATE_ANONYMOUS",
        "RATE_LOGIN_IDENTIFIER",
        "RATE_LOGIN_ADDRESS",
        "RATE_LOGIN_EVERYWHERE",
        "RATE_LOGIN_EVERYBODY",
        "RATE_OTP_REQUEST",
        "RATE_OTP_EVERYWHERE",
        "RATE_OTP_ADDRESS",
        "RATE_STEP_UP",
        "RATE_OTP_VERIFY",
        "RATE_TOKEN_REFRESH",
    ),
    "1000000/m",
)


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]
    database_url: str = ""

    @property
    def database(self) -> Path | str:
        """What the audit asks: the file of the embedded default, or a URL."""
        return self.database_url or self.data_dir / "bcc.sqlite3"

    def stop(self, sent: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, as a person would, unless another signal is given; the exit code."""
        self.process.send_signal(sent)
        return self.process.wait(STOP_SECONDS)

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left: no process of its group, and nobody listens at its port."""
        with socket.socket() as probe:
            listens = probe.connect_ex(("127.0.0.1", int(self.url.rsplit(":", 1)[1]))) == 0
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return not listens
        return False


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The embedded default in ``data_dir``, whatever the shell of the test run has set."""
    wanted = ("PATH", "HOME", "LANG", "TMPDIR", MARK)
    kept = {name: value for name, value in os.environ.items() if name in wanted}
    return {
        **kept,
        **UNLIMITED,
        "DJANGO_SETTINGS_MODULE": "bcc.settings.development",
        "DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def run_script(script: Sequence[str], data_dir: Path, **env: str) -> str:
    """Run a Python command of the project to its end; its standard output. Raises with what it printed."""
    done = subprocess.run(
        [sys.executable, *script],
        cwd=ROOT,
        env=environment(data_dir, **env),
        capture_output=True,
        text=True,
        timeout=LOAD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"{script} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout


def run_json(script: Sequence[str], data_dir: Path, **env: str) -> Any:
    """The JSON that a script prints as its last line."""
    return json.loads(run_script(script, data_dir, **env).strip().splitlines()[-1])


def tables_once() -> Path:
    """The embedded default's data folder with every table and no row, made once a run. Copy it."""

    def make(folder: Path) -> None:
        run_script(["manage.py", "migrate", "--verbosity", "0"], folder)

    return made_once("migrated", make)


def migrated(data_dir: Path) -> Path:
    """``data_dir`` as a copy of that."""
    shutil.copytree(tables_once(), data_dir, dirs_exist_ok=True)
    return data_dir


@contextmanager
def serving(
    data_dir: Path,
    *options: str,
    program: Sequence[str] = SERVE,
    patience: float = START_SECONDS,
    **env: str,
) -> Iterator[Server]:
    """A live server until the block ends, in a process group of its own; its log is in the data folder.

    ``program`` takes ``--port`` and the options, and becomes the server. Raises RuntimeError with the
    end of its log where it does not answer in time.
    """
    port = free_port()
    log = data_dir / f"server-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*program, "--port", str(port), *options],
            cwd=ROOT,
            env=environment(data_dir, **env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = Server(
            f"http://127.0.0.1:{port}", data_dir, log, process, database_url=env.get("DATABASE_URL", "")
        )
        try:
            _wait_until_live(server, patience)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(STOP_SECONDS)


def _wait_until_live(server: Server, patience: float) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/health/live", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{server.log.read_text()[-4000:]}")
