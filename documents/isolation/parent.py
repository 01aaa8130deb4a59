"""The parent's side of a child that decodes what nobody trusts."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from documents.isolation.errors import ChildFailedError, Refusal
from documents.isolation.folders import WorkFolder

_ROOT: Final = Path(__file__).resolve().parents[2]
_MEGABYTE: Final = 1024 * 1024
# An answer is a few numbers and names; more is a child that has lost its way.
_LONGEST_ANSWER: Final = 8 * _MEGABYTE
_START_SECONDS: Final = 20.0
# What the loader, the interpreter and the time zone need; nothing of ours, so no secret can be read.
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``seconds`` for one call by the wall's clock; ``cpu_seconds`` of processor for the child's life.

    ``megabytes`` of address space, which is more than is used: an interpreter with a decoder takes about
    200 before it opens anything. ``file_megabytes`` is the largest file that it may write.
    """

    seconds: float
    megabytes: int = 1024
    cpu_seconds: int = 600
    file_megabytes: int = 256


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: IO[bytes]


class Child:
    """One child that runs one function, again and again. A context manager; not for several threads.

    ``folder`` is its working directory, empty at the start and removed at the end: files to read are put
    there or named by their path, files that it makes are there. After ``ChildFailedError`` the next call
    starts another child.
    """

    def __init__(self, target: str, limits: Limits) -> None:
        """``target`` is ``package.module:function``, of keyword arguments and an answer made of JSON."""
        self._target, self._limits = target, limits
        self._running: _Running | None = None
        self._folder = WorkFolder()
        self.folder = Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._end()
        self._folder.cleanup()

    def call(self, **arguments: Any) -> Any:
        """The function's answer. Raises Refusal as the function did, and ChildFailedError."""
        running = self._running or self._start()
        try:
            running.questions.write(json.dumps(arguments).encode() + b"\n")
            running.questions.flush()
        except BrokenPipeError:
            raise self._post_mortem(running) from None
        answer = self._read(running, self._limits.seconds)
        if "answer" in answer:
            return answer["answer"]
        if "refused" in answer:
            raise Refusal(str(answer["refused"]), str(answer.get("detail", "")))
        detail = str(answer.get("detail", ""))
        if answer.get("failed") != "memory":
            raise ChildFailedError("error", detail)
        self._end()  # what it holds is not given back
        raise ChildFailedError("memory", detail)

    def _start(self) -> _Running:
        bounds = {
            "bytes": self._limits.megabytes * _MEGABYTE,
            "cpu_seconds": self._limits.cpu_seconds,
            "file_bytes": self._limits.file_megabytes * _MEGABYTE,
        }
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {
            "PYTHONPATH": str(_ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.folder),
            # One decoder, one core: the pool of the callers decides how many run at once. And without
            # an arena for each thread the address space says something about the memory in use.
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        command = [sys.executable, "-s", "-m", "documents.isolation.child", self._target, json.dumps(bounds)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self.folder,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise TypeError("Both were asked for.")
        self._running = _Running(process, process.stdin, process.stdout)
        self._read(self._running, _START_SECONDS)
        return self._running

    def _read(self, running: _Running, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        line = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(running.answers, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                left = end - time.monotonic()
                if left <= 0 or not selector.select(left):
                    self._end()
                    raise ChildFailedError("time", f"no answer within {seconds:g} s")
                part = os.read(running.answers.fileno(), 65_536)
                if not part:
                    raise self._post_mortem(running)
                line += part
                if len(line) > _LONGEST_ANSWER:
                    self._end()
                    raise ChildFailedError("error", "an answer without end")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _post_mortem(self, running: _Running) -> ChildFailedError:
        """Why the child is gone."""
        try:
            code = running.process.wait(2)
        except subprocess.TimeoutExpired:
            code = 0
        self._end()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return ChildFailedError("time", "its processor time is used up")
        if code < 0:
            return ChildFailedError("crash", f"signal {-code}")
        return ChildFailedError("error", f"it ended with {code}")

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        # What was still to be written has nobody to read it.
        with contextlib.suppress(BrokenPipeError):
            running.questions.close()
        running.answers.close()
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()


def once(target: str, limits: Limits, **arguments: Any) -> Any:
    """One call in a child of its own, for a function that makes no files. Raises as ``Child.call``."""
    with Child(target, limits) as child:
        return child.call(**arguments)
