"""Sound files, damaged by a seeded hand in the ways that readers trip over."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from typing import Final

_NUMBER: Final = re.compile(rb"\d{1,10}")
_HUGE: Final = (b"0", b"-1", b"65536", b"2147483647", b"4294967296", b"99999999999999999999")
_WORDS: Final = (
    b"\0",
    b"\xff\xfe",
    b"<<",
    b">>",
    b"endobj",
    b"stream",
    b"PK\x03\x04",
    b'"',
    b"\r\n",
    b"&a;",
    b"=",
)


def _flip(content: bytearray, dice: random.Random) -> None:
    for _time in range(dice.choice((1, 4, 40))):
        content[dice.randrange(len(content))] = dice.randrange(256)


def _cut(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    del content[at : at + dice.choice((1, 10, 500, len(content)))]


def _repeat(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    part = content[at : at + dice.choice((4, 60, 2_000))]
    content[at:at] = part * dice.choice((1, 3, 200))


def _insert(content: bytearray, dice: random.Random) -> None:
    for _time in range(dice.choice((1, 5))):
        at = dice.randrange(len(content) + 1)
        content[at:at] = dice.choice(_WORDS)


def _renumber(content: bytearray, dice: random.Random) -> None:
    places = list(_NUMBER.finditer(bytes(content)))
    for place in sorted(dice.sample(places, min(3, len(places))), key=lambda one: -one.start()):
        content[place.start() : place.end()] = dice.choice(_HUGE)


def _swap(content: bytearray, dice: random.Random) -> None:
    size = min(200, len(content) // 3)
    first = dice.randrange(len(content) - size + 1)
    second = dice.randrange(len(content) - size + 1)
    content[first : first + size], content[second : second + size] = (
        content[second : second + size],
        content[first : first + size],
    )


_WAYS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip,
    _cut,
    _repeat,
    _insert,
    _renumber,
    _swap,
)


def mutated(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _time in range(dice.choice((1, 1, 2, 3))):
        if len(changed) > 3:
            dice.choice(_WAYS)(changed, dice)
    return bytes(changed)


def mutated_inside(content: bytes, dice: random.Random) -> bytes:
    """A ZIP that is sound, of which one member is not: so that its own reader meets the damage."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        hit = dice.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, mutated(part, dice) if name == hit else part)
    return made.getvalue()
