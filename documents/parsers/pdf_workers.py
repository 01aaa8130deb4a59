"""The children that decode PDFs, kept between calls, and work spread over them in order."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from documents.isolation import Child, ChildFailedError, Limits, Refusal
from documents.isolation.folders import WorkFolder

_PAGES: Final = "documents.parsers.pdf_pages:work"
_STRUCTURE: Final = "documents.parsers.pdf_structure:work"
_PICTURES: Final = "documents.parsers.pdf_pictures:work"
# One call is a slice of pages or one small file: seconds are far more than it takes. A child that reads has
# 30 MiB in use and 40 of addresses, one that draws 100; a page that needs more than this is made to need it.
_LIMITS: Final = Limits(seconds=8, megabytes=192, cpu_seconds=300, file_megabytes=256)
# The processor time of a child is bounded for its life; well before that it is replaced.
_LIFE_SECONDS: Final = 120.0

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class _Kept:
    """A child, and how long it has worked. It is at one question at a time: a second one would be given the
    answer to the first."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._child: Child | None = None
        self._worked = 0.0
        self._at_work = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[Child]:
        with self._at_work:
            if self._child is not None and self._worked > _LIFE_SECONDS:
                self.close()
            if self._child is None:
                self._child, self._worked = Child(self._target, _LIMITS), 0.0
            began = time.monotonic()
            try:
                yield self._child
            finally:
                self._worked += time.monotonic() - began

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


class Workers:
    """The children, kept between calls: a context manager, for one thread at a time.

    Starting a child takes a fifth of a second, so whoever looks at 2,000 files opens this once and passes
    it to each call; a call without one starts its own.
    """

    def __init__(self, processes: int = 2) -> None:
        self.processes = max(1, processes)
        self._readers = [_Kept(_PAGES) for _number in range(self.processes)]
        self._structure, self._pictures = _Kept(_STRUCTURE), _Kept(_PICTURES)
        self._rare = threading.Lock()
        self._folder = WorkFolder()
        self._repaired: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children and remove what they left."""
        for kept in (*self._readers, self._structure, self._pictures):
            kept.close()
        self._folder.cleanup()

    def pages(self, **arguments: Any) -> Any:
        """One call of ``pdf_pages.work``."""
        with self._readers[0].at_work() as child:
            return asked(child, **arguments)

    def structure(self, **arguments: Any) -> Any:
        """One call of ``pdf_structure.work``."""
        with self._rare, self._structure.at_work() as child:
            return asked(child, **arguments)

    def picture(self, **arguments: Any) -> bytes:
        """One call of ``pdf_pictures.work``: the bytes that it made."""
        with self._pictures.at_work() as child:
            return _taken(child.folder / str(asked(child, **arguments)))

    def cleaned(self, made: Path, name: str) -> None:
        """Put in the place of ``made`` what ``pdf_structure.clean`` leaves of it."""
        with self._rare, self._structure.at_work() as child:
            shutil.copyfile(made, child.folder / name)
            try:
                shutil.move(child.folder / str(asked(child, action="clean", name=name)), made)
            finally:
                (child.folder / name).unlink(missing_ok=True)

    def readable(self, path: Path) -> Path:
        """The file itself, or what was made of it where PDFium could not read it."""
        return self._repaired.get(path, path)

    def repair(self, path: Path) -> Path:
        """Make a file that PDFium can read of one that it cannot. Raises Refusal."""
        with self._rare, self._structure.at_work() as child:
            name = str(asked(child, action="repair", path=str(path)))
            place = Path(self._folder.name) / f"{len(self._repaired)}.pdf"
            shutil.move(child.folder / name, place)
        self._repaired[path] = place
        return place

    def spread(
        self, jobs: Iterable[Job], work: Callable[[Child, Job], Answer], *, ahead: int
    ) -> Generator[Answer, None, None]:
        """``work`` of each job in the children, answers in the order of the jobs; ``ahead`` at most are made.

        The first error ends it, when its turn comes.
        """
        free = deque(self._readers)
        waiting: deque[Future[Answer]] = deque()

        def run(job: Job) -> Answer:
            kept = free.pop()
            try:
                with kept.at_work() as child:
                    return work(child, job)
            finally:
                free.append(kept)

        with ThreadPoolExecutor(self.processes, "pdf") as pool:
            try:
                for job in jobs:
                    waiting.append(pool.submit(run, job))
                    if len(waiting) >= ahead:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def asked(child: Child, **arguments: Any) -> Any:
    """The child's answer; what it cannot do within its limits is a refusal of the file."""
    try:
        return child.call(**arguments)
    except ChildFailedError as error:
        code = "pdf_too_complex" if error.why in ("time", "memory") else "pdf_damaged"
        raise Refusal(code, f"{error.why}: {error.detail}") from error


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    return content
