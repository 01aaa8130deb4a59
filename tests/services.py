"""Redis and PostgreSQL for the tests: brought up in a folder of their own, and taken down again.

    python -m tests.services -- COMMAND…

runs COMMAND with ``TEST_REDIS_URL`` and ``TEST_POSTGRES_URL`` set. A server that one of them already
names is used as it is. The others are started from Debian's packages on free ports of 127.0.0.1,
PostgreSQL as a user that is not root, and are stopped when COMMAND ends, however it ends. The exit
code is COMMAND's.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import redis

START_SECONDS = 30
STOP_SECONDS = 20
NOBODY_ELSE = "postgres"  # who runs the server where root starts it: PostgreSQL refuses root
BIN_FOLDERS = "/usr/lib/postgresql"
# What everything that is started for a run of the tests carries in its environment.
MARK = "BCC_TEST_RUN"
LEFTOVER_SECONDS = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def redis_command(folder: Path, port: int) -> list[str]:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    return [*command, "--save", "", "--appendonly", "no", "--loglevel", "warning"]


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing; its URL."""
    port = free_port()
    command = redis_command(folder, port)

    def ask() -> None:
        with redis.Redis(port=port) as client:
            client.ping()

    with _running(command, folder / "redis.log", ask):
        yield f"redis://127.0.0.1:{port}/0"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL cluster made for the occasion: what starts it, and as whom; its URL."""

    command: list[str]
    owner: dict[str, Any]
    url: str


# It does not wait for the disk: a killed process loses nothing by that, only a power cut would.
QUICK = ("fsync=off", "max_connections=200")


def make_cluster(folder: Path, settings: Sequence[str] = QUICK) -> Cluster:
    """A cluster in ``folder``, not started, with a database that may be dropped."""
    port, password = free_port(), secrets.token_hex(16)
    owner: dict[str, Any] = {}
    data = folder / "postgres"
    data.mkdir()
    secret = folder / "secret"
    secret.write_text(password)
    secret.chmod(0o600)
    if os.getuid() == 0:
        account = pwd.getpwnam(NOBODY_ELSE)
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        for path in (data, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    subprocess.run(
        [
            *(_postgres("initdb"), "--pgdata", str(data), "--username", "bcc", "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        **owner,
    )
    secret.unlink()
    command = [_postgres("postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    for setting in ("listen_addresses=127.0.0.1", *settings):
        command += ["-c", setting]
    return Cluster(command, owner, f"postgres://bcc:{password}@127.0.0.1:{port}/postgres")


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The server of a cluster made for the occasion; its URL."""
    cluster = make_cluster(folder)

    def ask() -> None:
        psycopg.connect(cluster.url, connect_timeout=2).close()

    # SIGINT is its "fast" stop: it ends the sessions and writes what it has.
    with _running(cluster.command, folder / "postgres.log", ask, stop=signal.SIGINT, **cluster.owner):
        yield cluster.url


@contextmanager
def _running(
    command: list[str],
    log: Path,
    ask: Callable[[], None],
    stop: signal.Signals = signal.SIGTERM,
    **owner: Any,
) -> Iterator[None]:
    """``command`` from when ``ask`` no longer raises until the block ends. Raises RuntimeError."""
    with log.open("wb") as out:
        # A session of its own: Ctrl-C is for the tests, which may still need it while they end.
        process = subprocess.Popen(
            command, cwd=log.parent, stdout=out, stderr=out, start_new_session=True, **owner
        )
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                ask()
                break
            except (redis.RedisError, psycopg.Error):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}") from None
                time.sleep(0.05)
        yield
    finally:
        if process.poll() is None:
            process.send_signal(stop)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


def _postgres(program: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian keeps out of PATH; the newest version's."""
    found = sorted(Path(BIN_FOLDERS).glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} was not found. Install the package postgresql.")
    return path


def run(command: list[str]) -> int:
    """Run ``command`` with both services; its exit code."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcc-services-")))
        folder.chmod(0o711)
        found = dict(os.environ)
        if "TEST_REDIS_URL" not in found:
            found["TEST_REDIS_URL"] = stack.enter_context(redis_server(folder))
        if "TEST_POSTGRES_URL" not in found:
            found["TEST_POSTGRES_URL"] = stack.enter_context(postgres_server(folder))
        found[MARK] = secrets.token_hex(8)
        stack.callback(end_leftovers, found[MARK])
        with subprocess.Popen(command, env=found) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    # Ctrl-C reached the command as well: it ends in its own time. SIGTERM did not.
                    process.send_signal(signal.SIGINT)


def end_leftovers(mark: str) -> None:
    """End what COMMAND has started and left behind, as when its own end was cut short."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        left = list(_marked(f"{MARK}={mark}".encode()))
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
        until = time.monotonic() + LEFTOVER_SECONDS
        while any(Path(f"/proc/{pid}").exists() for pid in left) and time.monotonic() < until:
            time.sleep(0.1)


def _marked(text: bytes) -> Iterator[int]:
    """The processes, other than this one, that were started with ``text`` in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        with suppress(OSError):
            if pid != os.getpid() and text in path.read_bytes().split(b"\0"):
                yield pid


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, _as_interrupt)
    sys.exit(run(command))


if __name__ == "__main__":
    main()
