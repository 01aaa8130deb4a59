"""``python -m benchmarks.chat``: the chat's fan-out beside Socket.IO with its Redis adapter.

Both on PostgreSQL and Redis, the server on one core and everything else on the other. Rounds of the two are
interleaved. What is told: deliveries a second, median and 99th percentile of the time from sending to a
delivery, CPU microseconds a delivery, kB a connection, and what was not delivered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.api.cpu import cpu_seconds, model_name
from benchmarks.chat.load import Ours, Result, SocketIo, drive
from tests.live.engines import scratch_database, scratch_redis
from tests.live.server import free_port, run_json, serving

HERE = Path(__file__).parent
PEER = HERE / "peer"
SPEAKERS = 4
SERVER_CORE, LOAD_CORE = 0, 1
SQL = """
CREATE TABLE rooms (id text PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);
CREATE TABLE messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  room text NOT NULL REFERENCES rooms, seq bigint NOT NULL,
  sender text NOT NULL, client_id text NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL,
  UNIQUE (room, seq), UNIQUE (sender, client_id));
"""
LIMITS: dict[str, Any] = dict.fromkeys(
    (
        "SOCKET_FRAMES_PER_SECOND",
        "SOCKET_FRAMES_AT_ONCE",
        "CHAT_MESSAGES_PER_SECOND",
        "CHAT_MESSAGES_AT_ONCE",
    ),
    "1000000",
)


@dataclass(frozen=True)
class Case:
    server: str
    clients: int
    window: int
    persists: bool
    processes: int = 1


@contextmanager
def ours(case: Case, stack: ExitStack) -> Iterator[tuple[list[int], list[int], Any, str]]:
    """(ports, process ids, dialect, room)"""
    data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcc-chat-")))
    url, redis = stack.enter_context(scratch_database()), stack.enter_context(scratch_redis())
    env = {**LIMITS, "DATABASE_URL": url, "REDIS_URL": redis, "LOG_LEVEL": "WARNING"}
    if not case.persists:
        env["CHAT_BENCHMARK_WITHOUT_ROWS"] = "1"
    made = run_json(["tests/live/prepare_chat.py"], data_dir, CHAT_MEMBERS=str(case.clients), **env)
    servers = [
        stack.enter_context(
            serving(
                data_dir,
                "--no-scheduler",
                "--no-worker",
                program=[*pinned(SERVER_CORE), sys.executable, *program(case)],
                **env,
            )
        )
        for _ in range(case.processes)
    ]
    tokens = [one["token"] for one in made["people"]]
    ports = [int(one.url.rsplit(":", 1)[1]) for one in servers]
    yield ports, [one.process.pid for one in servers], Ours(tokens), made["room"]


def program(case: Case) -> list[str]:
    if case.persists:
        return ["manage.py", "serve"]
    return ["-m", "benchmarks.chat.without_rows", "serve"]


@contextmanager
def socket_io(case: Case, stack: ExitStack) -> Iterator[tuple[list[int], list[int], Any, str]]:
    import jwt  # of simplejwt; the peer has its own

    url, redis = stack.enter_context(scratch_database()), stack.enter_context(scratch_redis())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL)
        connection.execute("INSERT INTO rooms (id) VALUES ('room')")
    key = secrets.token_hex(32)
    claims = [{"sub": f"user-{n}", "name": f"Test Caller {n}", "room": "room"} for n in range(case.clients)]
    tokens = [jwt.encode(one, key, algorithm="HS256") for one in claims]
    ports, pids = [], []
    for _ in range(case.processes):
        port = free_port()
        env = {
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "KEY": key,
            "REDIS_URL": redis,
            "DATABASE_URL": url,
            "PERSIST": "1" if case.persists else "0",
            "NODE_ENV": "production",
        }
        process = subprocess.Popen([*pinned(SERVER_CORE), "node", "server.js"], cwd=PEER, env=env)
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        wait_for(port)
        ports.append(port)
        pids.append(process.pid)
    yield ports, pids, SocketIo(tokens), "room"


def pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]


def wait_for(port: int) -> None:
    import httpx

    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The peer did not start.")


SERVERS = {"ours": ours, "socket.io": socket_io}


def rss_kb(pids: list[int]) -> int:
    return sum(
        int(line.split()[1])
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


def run(case: Case, seconds: float) -> dict[str, Any]:
    """One server, started for the occasion, under one load."""
    with ExitStack() as stack:
        ports, pids, dialect, room = stack.enter_context(SERVERS[case.server](case, stack))
        idle = rss_kb(pids)
        marks: dict[str, Any] = {}

        def begin() -> None:
            marks["connected"] = rss_kb(pids)
            marks["cpu"] = sum(map(cpu_seconds, pids))

        def end() -> None:
            marks["cpu"] = sum(map(cpu_seconds, pids)) - marks["cpu"]

        result: Result = asyncio.run(
            drive(
                dialect,
                ports,
                room=room,
                clients=case.clients,
                window=case.window,
                seconds=seconds,
                speakers=SPEAKERS,
                begin=begin,
                end=end,
            )
        )
    return {
        **asdict(case),
        "deliveries_per_second": result.delivered / result.seconds,
        "deliveries_per_core_second": result.delivered / marks["cpu"],
        "cpu_us_per_delivery": marks["cpu"] / result.delivered * 1e6,
        "messages_per_second": result.sent / result.seconds,
        "p50_ms": result.p50,
        "p99_ms": result.p99,
        "undelivered": result.undelivered,
        "kb_per_connection": (marks["connected"] - idle) / case.clients,
        "load_share_of_a_core": result.load_cpu / result.seconds,
    }


def install_peer() -> None:
    stamp = PEER / "node_modules" / ".installed"
    wanted = (PEER / "package.json").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is missing: install Node.js 20 or newer.")
    subprocess.run([npm, "install", "--no-audit", "--no-fund"], cwd=PEER, check=True)
    stamp.write_text(wanted)


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The medians of each case over its rounds."""
    found: dict[Case, list[dict[str, Any]]] = {}
    for row in rows:
        case = Case(**{name: row[name] for name in Case.__dataclass_fields__})
        found.setdefault(case, []).append(row)
    return [
        {
            **asdict(case),
            **{
                name: statistics.median(one[name] for one in several)
                for name in several[0]
                if name not in Case.__dataclass_fields__
            },
            "undelivered": max(one["undelivered"] for one in several),
        }
        for case, several in found.items()
    ]


def told(rows: list[dict[str, Any]]) -> str:
    head = (
        f"{'server':<10} {'clients':>7} {'window':>6} {'rows':>5} {'proc':>4} {'deliv/s':>9} "
        f"{'per core s':>10} {'us each':>8} {'p50 ms':>7} {'p99 ms':>7} {'kB/conn':>7} "
        f"{'lost':>5} {'load':>5}"
    )
    lines = [
        f"{one['server']:<10} {one['clients']:>7} {one['window']:>6} "
        f"{'yes' if one['persists'] else 'no':>5} {one['processes']:>4} "
        f"{one['deliveries_per_second']:>9.0f} {one['deliveries_per_core_second']:>10.0f} "
        f"{one['cpu_us_per_delivery']:>8.2f} {one['p50_ms']:>7.1f} {one['p99_ms']:>7.1f} "
        f"{one['kb_per_connection']:>7.1f} {one['undelivered']:>5} {one['load_share_of_a_core']:>5.2f}"
        for one in rows
    ]
    return "\n".join([head, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--windows", type=int, nargs="+", default=[8, 1])
    parser.add_argument("--processes", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--name", help="of the file of results; the day's date unless given")
    parser.add_argument("--without-rows", action="store_true", help="without persistence")
    asked = parser.parse_args()
    install_peer()
    os.sched_setaffinity(0, {LOAD_CORE})
    rows = []
    for _round in range(asked.rounds):
        for processes in asked.processes:
            for clients in asked.clients:
                for window in asked.windows:
                    for persists in (False,) if asked.without_rows else (True,):
                        for server in SERVERS:
                            case = Case(server, clients, window, persists, processes)
                            rows.append(run(case, asked.seconds))
                            print(told(rows[-1:]), flush=True)
    found = summary(rows)
    print(told(found))
    name = asked.name or f"{datetime.now(tz=UTC):%Y-%m-%d}"
    target = HERE / "results" / f"{name}.json"
    target.write_text(json.dumps({"machine": model_name(), "cases": found, "rounds": rows}, indent=1) + "\n")
    print(target)


if __name__ == "__main__":
    main()
