"""The club's processes, and the services they use, each of which may be killed and started anew."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from tests.live.processes import Processes, command_of
from tests.services import START_SECONDS, Cluster


@dataclass(slots=True)
class Outside:
    """A server that is no part of the project, at one address for as long as the test goes."""

    command: list[str]
    ask: Callable[[], object]
    log: Path
    owner: dict[str, object] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again where what was killed still holds the place, and wait until it answers."""
        until = time.monotonic() + START_SECONDS
        while True:
            if self.process is None or self.process.poll() is not None:
                with self.log.open("ab") as out:
                    self.process = subprocess.Popen(
                        self.command,
                        cwd=self.log.parent,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        start_new_session=True,
                        **self.owner,  # type: ignore[call-overload]  # who runs it
                    )
            with suppress(redis.RedisError, psycopg.Error):
                self.ask()
                return
            if time.monotonic() > until:
                raise RuntimeError(f"{self.command[0]} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(START_SECONDS)


def private_postgres(cluster: Cluster, folder: Path) -> Outside:
    def ask() -> None:
        psycopg.connect(cluster.url, connect_timeout=2).close()

    return Outside(cluster.command, ask, folder / "postgres.log", cluster.owner)


def private_redis(command: list[str], port: int, folder: Path) -> Outside:
    def ask() -> None:
        with redis.Redis(port=port, socket_timeout=2) as client:
            client.ping()

    return Outside(command, ask, folder / "redis.log")


def kill_a_session(url: str) -> None:
    """``kill -9`` of the process of one of the club's sessions; PostgreSQL then ends them all."""
    with psycopg.connect(url, autocommit=True) as session:
        found = session.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY backend_start LIMIT 1"
        ).fetchone()
        assert found is not None, "the club has no session to kill"
        with suppress(ProcessLookupError):
            os.kill(int(found[0]), signal.SIGKILL)


def kill_group(club: Processes, name: str) -> None:
    """Kill a service of the club with all its processes, as its container's end does."""
    process = club.running[name].process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(START_SECONDS)


def start_again(club: Processes, name: str) -> None:
    club.start(name, command_of(name, club.ports.get(name, 0)))


def revive(club: Processes) -> list[str]:
    """Start what has ended by itself, as Docker does; its names."""
    ended = [name for name, service in club.running.items() if service.process.poll() is not None]
    for name in ended:
        start_again(club, name)
    return ended
