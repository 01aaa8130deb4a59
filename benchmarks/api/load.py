"""Drives one server with wrk and notes what it cost."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from benchmarks.api import shape
from benchmarks.api.check import LIST_PATH, availability_path
from benchmarks.api.cpu import cpu_seconds
from benchmarks.api.places import OTHER_CORE, Place, on_core
from benchmarks.api.profile import wish_of
from benchmarks.api.rowdump import remove_created
from benchmarks.api.servers import Running

SCRIPT = Path(__file__).with_name("load.lua")
QUIET_SECONDS, LOOK_SECONDS = 30, 0.5
ROUTES = ("availability", "list", "create")


class FailedError(Exception):
    """A run had replies other than 2xx, or lost connections."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a side is driven, in seconds: at its first round of a route, before the others, in each."""

    first_warm_up: int
    warm_up: int
    round: int
    rounds: int

    @classmethod
    def full(cls) -> Times:
        return cls(shape.WARM_UP_SECONDS, 1, shape.ROUND_SECONDS, shape.ROUNDS)

    @classmethod
    def brief(cls) -> Times:
        return cls(shape.BRIEF_WARM_UP_SECONDS, 1, shape.BRIEF_ROUND_SECONDS, shape.BRIEF_ROUNDS)

    @classmethod
    def quick(cls) -> Times:
        return cls(shape.QUICK_WARM_UP_SECONDS, 1, shape.QUICK_ROUND_SECONDS, shape.QUICK_ROUNDS)


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one side. CPU is in milliseconds a request; the database's is 0 where it is a file,
    since it then runs inside the server."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    database_cpu_ms: float
    redis_cpu_ms: float
    body_bytes: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Driver:
    """Knows the club and its files; counts the slots that creations have used."""

    def __init__(self, where: Place, club: dict[str, Any]) -> None:
        self.where = where
        self.club = club
        self.folder = where.data_dir / "load"
        self.folder.mkdir(exist_ok=True)
        for name in ("lookers", "readers", "bookers"):
            (self.folder / name).write_text("\n".join(club[name]) + "\n")
        self.slots = len(club["courts"]) * len(club["hours"])
        wishes = (json.dumps(wish_of(club, number)) for number in range(self.slots))
        (self.folder / "slots").write_text("\n".join(wishes) + "\n")
        self.redis = redis.Redis.from_url(where.redis_url)
        self.redis_pid = int(self.redis.info("server")["process_id"])  # type: ignore[index]  # sync
        self.runs = 0

    def measure(self, route: str, side: Running, times: Times, *, first: bool) -> Measured:
        """Warm the side up and drive it for a round. Raises FailedError."""
        # What the other side left there: counters, and jobs that no worker takes.
        self.redis.flushdb()
        warm = self._wrk(route, side, times.first_warm_up if first else times.warm_up, 0)
        # What was on its way when the time was over may have been booked as well.
        offset = int(warm["requests"]) + 4 * shape.CONNECTIONS
        _wait_until_quiet(side)
        pids = [side.pid, self.where.postgres_pid, self.redis_pid]
        before, lines = _seconds(pids), _lines_in(side.log)
        found = self._wrk(route, side, times.round, offset)
        # The server also answers what the client no longer waits for: its CPU is of those as well.
        _wait_until_quiet(side)
        after, handled = _seconds(pids), max(1, _lines_in(side.log) - lines)
        if route == "create":
            if offset + int(found["requests"]) > self.slots:
                raise FailedError("There were fewer free slots than requests. Raise shape.BOOKED_COURTS.")
            remove_created(self.where, self.club)
        requests = int(found["requests"])
        server, database, queue = ((b - a) / handled * 1e3 for a, b in zip(before, after, strict=True))
        return Measured(
            requests=requests,
            per_second=requests / found["seconds"],
            p50_ms=found["p50_ms"],
            p99_ms=found["p99_ms"],
            server_cpu_ms=server,
            database_cpu_ms=database,
            redis_cpu_ms=queue,
            body_bytes=found["body_bytes"] // max(1, requests),
        )

    def _wrk(self, route: str, side: Running, seconds: int, offset: int) -> dict[str, Any]:
        tokens = {"availability": "lookers", "list": "readers", "create": "bookers"}[route]
        what = {
            "availability": availability_path(self.club),
            "list": LIST_PATH,
            "create": str(self.folder / "slots"),
        }[route]
        self.runs += 1
        command = [
            *("wrk", "--threads", "1", "--connections", str(shape.CONNECTIONS), "--duration", f"{seconds}s"),
            *("--timeout", "20s", "--script", str(SCRIPT), side.url, "--"),
            *(route, str(self.folder / tokens), what, str(offset), f"run-{self.runs}-"),
        ]
        done = subprocess.run(
            on_core(OTHER_CORE, command), capture_output=True, text=True, timeout=seconds + 60, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise FailedError(f"wrk failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        found: dict[str, Any] = json.loads(lines[-1])
        others = {status: n for status, n in found["statuses"].items() if not status.startswith("2")}
        if others or found["socket_errors"] or not found["requests"]:
            end = side.log.read_text(errors="replace")[-1500:]
            raise FailedError(f"{side.name}, {route}: {found}. The end of its log:\n{end}")
        return found


def _seconds(pids: list[int | None]) -> list[float]:
    return [0.0 if pid is None else cpu_seconds(pid) for pid in pids]


def _lines_in(log: Path) -> int:
    """Each side writes one line a request, when it is done with it."""
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _wait_until_quiet(side: Running) -> None:
    """Until the server has ended what the client no longer waits for: it may still be writing."""
    until = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < until:
        before = cpu_seconds(side.pid)
        time.sleep(LOOK_SECONDS)
        if cpu_seconds(side.pid) - before < LOOK_SECONDS / 10:
            return
    raise FailedError(f"{side.name} does not come to rest.")
