"""The servers that are compared, each a process of its own on one core."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.api.places import ROOT, SERVER_CORE, START_SECONDS, Engine, Place, on_core
from tests.live.processes import command_of
from tests.services import free_port

OURS = "ours"
PEERS: dict[Engine, dict[str, str]] = {
    "postgres": {"express-pg": "pg", "express-sequelize": "sequelize"},
    "sqlite": {"express-sqlite": "sqlite"},
}
PEER_FOLDER = Path(__file__).parent / "peer"
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Running:
    name: str
    url: str
    pid: int
    log: Path


def names_on(engine: Engine) -> list[str]:
    """Ours first, then the peer that ratios are of, then the others."""
    return [OURS, *PEERS[engine]]


def command_of_ours(port: int) -> list[str]:
    """The web service's command as docker-compose.yml has it, with one worker."""
    words = command_of("web", port)
    words[words.index("--workers") + 1] = "1"
    program = Path(sys.executable).parent / words[0]
    return [str(program), *words[1:]]


def install_peer() -> None:
    """Fetch what package.json names, at its exact versions, unless it is there already.

    Raises RuntimeError where npm is missing or fails.
    """
    wanted, stamp = PEER_FOLDER / "package.json", PEER_FOLDER / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm was not found. Install Node.js 20 or newer.")
    print("── installing the peer's packages (a few minutes where better-sqlite3 is compiled)")
    # Where Node's headers are on the machine a compiler uses those instead of fetching them.
    include = Path(shutil.which("node") or "/usr/bin/node").resolve().parents[1]
    options = [f"--nodedir={include}"] if (include / "include/node/node.h").exists() else []
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", *options],
        cwd=PEER_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm install failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    stamp.write_text(wanted.read_text())


@contextmanager
def serving(name: str, where: Place) -> Iterator[Running]:
    """One of the servers until the block ends. Raises RuntimeError with its log where it does not start."""
    port = free_port()
    env = where.environment()
    if name == OURS:
        command, folder = command_of_ours(port), ROOT
    else:
        command, folder = ["node", "server.js"], PEER_FOLDER
        env |= {"NODE_ENV": "production", "PORT": str(port), "STORE": PEERS[where.engine][name]}
    log = where.data_dir / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            on_core(SERVER_CORE, command),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(name, f"http://127.0.0.1:{port}", process.pid, log)
    try:
        _wait_for(running, process)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


def _wait_for(running: Running, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{running.url}/health/live", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"{running.name} did not start:\n{running.log.read_text()[-4000:]}")
