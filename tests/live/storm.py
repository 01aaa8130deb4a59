"""Many clients at once, each with a connection of its own, and the proof that they were."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT = 60


@dataclass(slots=True)
class Reply:
    status: int
    body: Any
    headers: httpx.Headers
    started: float
    ended: float

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


@dataclass(slots=True)
class Storm:
    """What came back, in no order."""

    replies: list[Reply] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(reply.status for reply in self.replies)

    @property
    def overlap(self) -> int:
        """The most requests that were under way at one instant, by the clients' own clocks."""
        marks = sorted(
            [(reply.started, 1) for reply in self.replies] + [(reply.ended, -1) for reply in self.replies]
        )
        most = current = 0
        for _at, step in marks:
            current += step
            most = max(most, current)
        return most

    def percentile(self, share: float) -> float:
        """Milliseconds within which ``share`` of the replies came."""
        times = sorted(reply.ended - reply.started for reply in self.replies)
        return 1000 * times[min(len(times) - 1, int(share * len(times)))]

    def report(self, name: str) -> str:
        return (
            f"{name}: {len(self.replies)} requests, at most {self.overlap} in flight together, "
            f"p50 {self.percentile(0.5):.0f} ms, p99 {self.percentile(0.99):.0f} ms, {dict(self.statuses)}"
        )


Call = tuple[str, dict[str, Any], dict[str, str]]  # path, body, headers


def unleash(url: str, clients: Sequence[Sequence[Call]]) -> Storm:
    """Each client sends its calls one after the other; all begin together."""
    gate = threading.Barrier(len(clients))
    storm = Storm()
    add = storm.replies.append

    def run(calls: Sequence[Call]) -> None:
        with httpx.Client(base_url=url, timeout=TIMEOUT) as client:
            client.get("/health/live")  # the connection is open before the gate is
            gate.wait()
            for path, body, headers in calls:
                started = time.perf_counter()
                response = client.post(path, json=body, headers=headers)
                ended = time.perf_counter()
                add(Reply(response.status_code, response.json(), response.headers, started, ended))

    with ThreadPoolExecutor(len(clients)) as pool:
        for done in [pool.submit(run, calls) for calls in clients]:
            done.result()
    return storm


class Duel:
    """Clients whose connections stay open, who send one call each at one instant, round after round."""

    def __init__(self, clients: Sequence[httpx.Client], pool: ThreadPoolExecutor) -> None:
        self._clients, self._pool = clients, pool
        self.storm = Storm()

    def round(self, calls: Sequence[Call], at: Sequence[float] = ()) -> list[Reply]:
        """One call for each client, in their order; together, or each ``at`` its second of the clock."""
        gate = threading.Barrier(len(self._clients))

        def run(client: httpx.Client, call: Call, instant: float) -> Reply:
            path, body, headers = call
            gate.wait()
            time.sleep(max(0.0, instant - time.time()))
            started = time.perf_counter()
            response = client.post(path, json=body, headers=headers)
            return Reply(
                response.status_code, response.json(), response.headers, started, time.perf_counter()
            )

        instants = at or [0.0] * len(calls)
        running = [self._pool.submit(run, *one) for one in zip(self._clients, calls, instants, strict=True)]
        replies = [one.result() for one in running]
        self.storm.replies += replies
        return replies


@contextmanager
def duel(url: str, clients: int) -> Iterator[Duel]:
    with ExitStack() as stack:
        opened = [stack.enter_context(httpx.Client(base_url=url, timeout=TIMEOUT)) for _one in range(clients)]
        for client in opened:
            client.get("/health/live")
        yield Duel(opened, stack.enter_context(ThreadPoolExecutor(clients)))
