"""Hints that leave after commit, off the request: one thread of the process sends them, in order.

A push over the channel layer costs a loop and, with Redis, a connection when a request's own thread
makes it; here both live as long as the process. What is sent is a hint: whoever it was for finds the
truth by the API or in a sweep, so a crash may lose some, and a full queue drops the newest with a line
in the log.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from django.conf import settings

MOST_WAITING: Final = 10_000
# How long a process that ends waits for what is still on its way.
FAREWELL_SECONDS: Final = 2.0
# How long the first of several items waits for company.
GATHER_SECONDS: Final = 0.05

Nudge = Callable[[], Awaitable[Any] | None]
log = structlog.get_logger(__name__)


class Nudger:
    """A thread that makes nudges one after the other on a loop of its own. Started by the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._guard = threading.Condition()
        self._waiting: deque[Nudge] = deque()
        self._busy = False
        self._thread: threading.Thread | None = None

    def submit(self, nudge: Nudge) -> bool:
        """Make ``nudge`` soon; it handles its own errors. False where too many wait: it is dropped."""
        with self._guard:
            if len(self._waiting) >= MOST_WAITING:
                log.warning("nudge_dropped", nudger=self._name, waiting=len(self._waiting))
                return False
            self._waiting.append(nudge)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._guard.notify()
        return True

    def settle(self, seconds: float = FAREWELL_SECONDS) -> bool:
        """Wait until nothing is on its way; whether it came to that in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._guard:
                if not self._waiting and not self._busy:
                    return True
            time.sleep(0.005)
        return False

    def forget(self) -> None:
        """A forked child has neither the thread nor its parent's nudges."""
        self._guard = threading.Condition()
        self._waiting.clear()
        self._busy = False
        self._thread = None

    def _work(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                with self._guard:
                    self._busy = False
                    while not self._waiting:
                        self._guard.wait()
                    together = list(self._waiting)
                    self._waiting.clear()
                    self._busy = True
                # Called outside of the loop, where Django lets nobody ask the database, and awaited together:
                # starting the loop is dearer than most of what it awaits.
                awaited = [one for nudge in together if (one := self._called(nudge)) is not None]
                if awaited:
                    runner.run(self._awaited(awaited))

    def _called(self, nudge: Nudge) -> Awaitable[Any] | None:
        try:
            return nudge()
        except Exception:
            # A fault of ours must not end the thread; it is logged with its trace.
            log.exception("nudge_failed", nudger=self._name)
            return None

    async def _awaited(self, several: list[Awaitable[Any]]) -> None:
        for one in several:
            try:
                await one
            except Exception:
                log.exception("nudge_failed", nudger=self._name)  # as above


class Gatherer:
    """Items that came within a moment leave together, by one call; at once where there is no thread."""

    def __init__(self, send: Callable[[list[str]], None]) -> None:
        self._send = send
        self._guard = threading.Lock()
        self._items: list[str] = []
        os.register_at_fork(after_in_child=self._begin_anew)

    def add(self, item: str) -> None:
        with self._guard:
            self._items.append(item)
            if len(self._items) > 1:
                return  # whoever was first has seen to it
        if not task(self._leave):
            self.forget()  # dropped; the next one is the first again

    def forget(self) -> None:
        """Nobody sends these: they were dropped, or are another process's."""
        with self._guard:
            self._items = []

    def _begin_anew(self) -> None:
        self._guard = threading.Lock()  # the parent's thread may have held it
        self._items = []

    def _leave(self) -> None:
        if settings.NUDGES_IN_BACKGROUND:
            time.sleep(GATHER_SECONDS)
        with self._guard:
            items, self._items = self._items, []
        self._send(items)


# Two, so that a broker that hangs holds up no push.
_pushes = Nudger("bcc-pushes")
_tasks = Nudger("bcc-tasks")


def push(nudge: Nudge, inline: Callable[[], Any]) -> None:
    """Have ``nudge`` called and awaited by the thread of pushes; ``inline`` is called where there is none."""
    if settings.NUDGES_IN_BACKGROUND:
        _pushes.submit(nudge)
    else:
        inline()


def task(nudge: Callable[[], None]) -> bool:
    """Have ``nudge`` called by the thread of tasks, at once without one; False where it is dropped."""
    if settings.NUDGES_IN_BACKGROUND:
        return _tasks.submit(nudge)
    nudge()
    return True


def settle() -> None:
    """Wait, for a moment, until what was handed over has left."""
    for nudger in (_pushes, _tasks):
        if not nudger.settle():
            log.warning("nudges_left_behind", nudger=nudger._name)


def _forget() -> None:
    for nudger in (_pushes, _tasks):
        nudger.forget()


atexit.register(settle)
os.register_at_fork(after_in_child=_forget)
