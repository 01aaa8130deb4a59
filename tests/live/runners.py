"""Processes that expire what is due, at an instant."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from tests.live.server import ROOT, STOP_SECONDS


@dataclass(frozen=True, slots=True)
class Run:
    """What a runner did at one instant: how many it expired, and from when to when by the clock."""

    expired: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Runner:
    process: subprocess.Popen[str]

    @property
    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def send(self, *, at: float, now: float) -> None:
        """Begin at a second of the clock, and go by the time ``now``."""
        orders, _said = self._pipes
        orders.write(f"{at} {now}\n")
        orders.flush()

    def result(self) -> Run:
        _orders, said = self._pipes
        for line in said:
            if line.startswith("{"):
                return Run(**json.loads(line))
        raise RuntimeError(f"A runner ended with {self.process.wait(STOP_SECONDS)}.")


@contextmanager
def runners(env: Mapping[str, str], number: int) -> Iterator[list[Runner]]:
    """So many processes with their connections open, until the block ends."""
    with ExitStack() as stack:
        made = []
        for _one in range(number):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "tests/live/runner.py"],
                    cwd=ROOT,
                    env=dict(env),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            stack.callback(process.kill)
            made.append(Runner(process))
        for runner in made:
            _orders, said = runner._pipes
            if not any(line == "ready\n" for line in said):
                raise RuntimeError("A runner did not start.")
        yield made
