"""Exchanging what is there for what was restored, so that it can be undone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from bcc.management.archive.workplace import sync_file


class Swap(Protocol):
    """One exchange. ``put_back`` undoes a ``put_in`` that failed or succeeded; ``forget`` ends the old."""

    def put_in(self) -> None: ...

    def put_back(self) -> None: ...

    def forget(self) -> None: ...


class PathSwap:
    """``fresh`` takes the place of ``target``; that, and what lies beside it, moves to ``aside``."""

    def __init__(self, *, target: Path, fresh: Path, aside: Path, beside: tuple[Path, ...] = ()) -> None:
        self._target, self._fresh, self._aside, self._beside = target, fresh, aside, beside
        self._moves: list[tuple[Path, Path]] = []

    def put_in(self) -> None:
        """Move the old aside and the new in. What is moved is on the same file system, so it is quick."""
        self._aside.mkdir(parents=True, exist_ok=True)
        for old in (self._target, *self._beside):
            if old.exists():
                self._move(old, self._aside / old.name)
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._move(self._fresh, self._target)
        sync_file(self._aside)
        sync_file(self._target.parent)

    def put_back(self) -> None:
        """Undo every move that was made, the last one first."""
        while self._moves:
            source, goal = self._moves[-1]
            goal.rename(source)
            self._moves.pop()
        sync_file(self._target.parent)

    def forget(self) -> None:
        """Remove the old. It loses its name first: half of an old state is none to go back to."""
        if self._aside.exists():
            gone = self._aside.with_name(f"{self._aside.name}-gone")
            self._aside.rename(gone)
            shutil.rmtree(gone)

    def _move(self, source: Path, goal: Path) -> None:
        source.rename(goal)
        self._moves.append((source, goal))
