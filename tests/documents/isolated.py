"""What the tests of isolation let a child do. Imported by the child, so nothing of Django here."""

from __future__ import annotations

import os
import time
from pathlib import Path

from documents.isolation.errors import Refusal


def double(number: int) -> int:
    print("a library that talks")
    return number * 2


def environment() -> dict[str, str]:
    return dict(os.environ)


def refuse(code: str) -> None:
    raise Refusal(code, "because")


def fail() -> None:
    raise KeyError("unforeseen")


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def hoard(megabytes: int) -> int:
    return len(bytearray(megabytes * 1024 * 1024))


def abort() -> None:
    os.abort()


def write(megabytes: int) -> str:
    path = Path("made")
    path.write_bytes(b"x" * megabytes * 1024 * 1024)
    return str(path)


def spin() -> None:
    while True:
        pass


def number_of_process(then: str = "") -> int:
    if then == "abort":
        os.abort()
    return os.getpid()
