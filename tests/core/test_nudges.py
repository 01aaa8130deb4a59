"""Hints that a thread of the process sends: in order, on one loop, and none that stops the next."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from bcc.core import nudges
from bcc.core.nudges import Gatherer, Nudger


@pytest.fixture
def nudger() -> Nudger:
    return Nudger("test-nudger")


class TestNudger:
    def test_makes_them_in_order_on_another_thread(self, nudger: Nudger) -> None:
        made: list[tuple[int, str]] = []
        for number in range(200):
            nudger.submit(lambda number=number: made.append((number, threading.current_thread().name)))  # type: ignore[misc]
        assert nudger.settle()
        assert made == [(number, "test-nudger") for number in range(200)]

    def test_awaits_on_one_loop_for_ever(self, nudger: Nudger) -> None:
        loops: list[Any] = []

        async def look() -> None:
            await asyncio.sleep(0)
            loops.append(asyncio.get_running_loop())

        for _nudge in range(3):
            nudger.submit(look)
        assert nudger.settle()
        assert len(loops) == 3
        assert len(set(map(id, loops))) == 1

    def test_goes_on_after_one_that_fails(self, nudger: Nudger) -> None:
        made: list[str] = []

        def fail() -> None:
            raise ValueError("This one is broken.")

        nudger.submit(fail)
        nudger.submit(lambda: made.append("next"))
        assert nudger.settle()
        assert made == ["next"]

    def test_drops_the_newest_where_too_many_wait(
        self, nudger: Nudger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nudges, "MOST_WAITING", 2)
        gate, begun, made = threading.Event(), threading.Event(), []

        def hold() -> None:
            begun.set()
            gate.wait(5)

        nudger.submit(hold)
        assert begun.wait(5)
        for number in range(4):
            nudger.submit(lambda number=number: made.append(number))  # type: ignore[misc]
        gate.set()
        assert nudger.settle()
        assert made == [0, 1]

    def test_says_when_it_did_not_settle(self, nudger: Nudger) -> None:
        gate = threading.Event()

        def hold() -> None:
            gate.wait(5)

        nudger.submit(hold)
        assert not nudger.settle(0.05)
        gate.set()
        assert nudger.settle()

    def test_begins_anew_in_a_forked_child(self, nudger: Nudger) -> None:
        nudger.submit(lambda: None)
        assert nudger.settle()
        reader, writer = os.pipe()
        child = os.fork()

        def tell() -> None:
            os.write(writer, b"x")

        if child == 0:
            nudger.forget()
            nudger.submit(tell)
            os._exit(0 if nudger.settle() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert os.read(reader, 1) == b"x"
        os.close(reader)
        os.close(writer)


class TestGatherer:
    def test_sends_together_what_comes_within_a_moment(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = True
        sent: list[list[str]] = []
        gatherer = Gatherer(sent.append)
        for name in "abc":
            gatherer.add(name)
        nudges.settle()
        gatherer.add("d")
        nudges.settle()
        assert sent == [["a", "b", "c"], ["d"]]

    def test_sends_at_once_where_there_is_no_thread(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = False
        sent: list[list[str]] = []
        gatherer = Gatherer(sent.append)
        gatherer.add("a")
        gatherer.add("b")
        assert sent == [["a"], ["b"]]

    def test_goes_on_after_it_was_dropped(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.NUDGES_IN_BACKGROUND = True
        sent: list[list[str]] = []
        gatherer = Gatherer(sent.append)
        with monkeypatch.context() as full:
            full.setattr(nudges, "MOST_WAITING", 0)
            gatherer.add("dropped")
        gatherer.add("sent")
        nudges.settle()
        assert sent == [["sent"]]

    def test_leaves_to_the_parent_what_is_the_parents(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = False
        gatherer = Gatherer(lambda items: None)
        gatherer._items.append("the parent's")
        child = os.fork()
        if child == 0:
            os._exit(len(gatherer._items))
        assert os.waitpid(child, 0)[1] == 0
        assert gatherer._items == ["the parent's"]

    def test_loses_none_of_many_threads(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = True
        sent: list[list[str]] = []
        gatherer = Gatherer(sent.append)

        def add(first: int) -> None:
            for number in range(first, first + 500):
                gatherer.add(str(number))

        threads = [threading.Thread(target=add, args=(first * 500,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        nudges.settle()
        assert sorted(int(item) for items in sent for item in items) == list(range(2_000))
        assert len(sent) < 100


class TestInline:
    def test_is_at_once_where_there_is_no_thread(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = False
        made: list[str] = []

        async def push() -> None:
            made.append("awaited")

        nudges.push(push, inline=lambda: made.append("inline"))
        nudges.task(lambda: made.append("task"))
        assert made == ["inline", "task"]

    def test_is_on_the_threads_otherwise(self, settings: Any) -> None:
        settings.NUDGES_IN_BACKGROUND = True
        made: list[str] = []

        async def push() -> None:
            made.append(threading.current_thread().name)

        nudges.push(push, inline=lambda: made.append("inline"))
        nudges.task(lambda: made.append(threading.current_thread().name))
        nudges.settle()
        assert sorted(made) == ["bcc-pushes", "bcc-tasks"]
