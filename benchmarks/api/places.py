"""Where a run lives: a folder, a Redis, and a database of either engine; gone when the block ends.

PostgreSQL is started anew rather than taken from ``tests.services``, which does not wait for the disk:
here a commit is one that a power cut leaves alone (fsync and synchronous_commit are on).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import psycopg

from tests.services import make_cluster, redis_server

Engine = Literal["postgres", "sqlite"]
ENGINES: tuple[Engine, ...] = ("postgres", "sqlite")
_KEYS = ("SECRET_KEY", "JWT_KEY", "OTP_KEY")
ROOT = Path(__file__).resolve().parents[2]
SERVER_CORE, OTHER_CORE = 0, 1
# Of the machine, before this process keeps off one of them.
CORES = frozenset(os.sched_getaffinity(0))
HOST = "club.example.com"
START_SECONDS = 30
POSTGRES_SETTINGS = (
    "max_connections=100",
    "shared_buffers=256MB",
    "synchronous_commit=on",
    # One checkpoint in the middle of a round would be one side's and not the other's.
    "max_wal_size=8GB",
    "checkpoint_timeout=60min",
)


@dataclass(slots=True)
class Place:
    """``postgres_pid`` is the postmaster's; None where the database is a file."""

    engine: Engine
    data_dir: Path
    database_url: str
    redis_url: str
    postgres_pid: int | None = None
    keys: dict[str, str] = field(default_factory=lambda: {k: secrets.token_urlsafe(48) for k in _KEYS})

    def environment(self) -> dict[str, str]:
        """Production settings as docker-compose.yml has them; limits are counted, and never reached."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            **self.keys,
            "DJANGO_SETTINGS_MODULE": "bcc.settings.production",
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
            "EMAIL_URL": "smtp://127.0.0.1:1",
            "CLUB_NAME": "Bench Club",
            "CLUB_EMAIL": f"desk@{HOST}",
            "CLUB_TIME_ZONE": "Asia/Manila",
            "PUBLIC_URL": f"https://{HOST}",
            "TRUSTED_PROXY_HOPS": "1",
            "RATE_READS": "10000000/m",
            "RATE_BOOKING": "10000000/m",
        }


def on_core(core: int, command: list[str]) -> list[str]:
    """``command``, pinned; as it is on a machine of one core."""
    if core not in CORES or shutil.which("taskset") is None:
        return command
    return ["taskset", "--cpu-list", str(core), *command]


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def place(engine: Engine) -> Iterator[Place]:
    # A run that is told to end takes down what it has started, as one that is interrupted does.
    signal.signal(signal.SIGTERM, _as_interrupt)
    with tempfile.TemporaryDirectory(prefix="club-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        data_dir = folder / "data"
        data_dir.mkdir()
        with _off_the_server_core(), redis_server(folder) as redis_url:
            if engine == "sqlite":
                yield Place(engine, data_dir, f"sqlite:///{data_dir / 'bcc.sqlite3'}", redis_url)
                return
            with _postgres(folder) as (url, pid):
                yield Place(engine, data_dir, url, redis_url, pid)


@contextmanager
def _off_the_server_core() -> Iterator[None]:
    """This process and all it starts keep off the server's core; the servers are pinned to it by name."""
    before = os.sched_getaffinity(0)
    if {SERVER_CORE, OTHER_CORE} <= before:
        os.sched_setaffinity(0, before - {SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """A cluster of its own; its URL and the postmaster's process id."""
    cluster = make_cluster(folder, POSTGRES_SETTINGS)
    with (folder / "postgres.log").open("wb") as out:
        process = subprocess.Popen(
            on_core(OTHER_CORE, cluster.command),
            cwd=folder,
            stdout=out,
            stderr=out,
            start_new_session=True,
            **cluster.owner,
        )
    try:
        _wait_for(cluster.url, process)
        yield cluster.url, process.pid
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(START_SECONDS)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2).close()
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start.")
