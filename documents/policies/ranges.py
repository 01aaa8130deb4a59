"""``Range`` and ``If-Range`` (RFC 9110, 14): which bytes of a file a request asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII | re.IGNORECASE)
# A file has fewer bytes than a number of so many digits says; longer ones are not even read.
_DIGITS: Final = 18


class UnsatisfiableRangeError(Exception):
    """The range begins beyond the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """``first`` to ``last``, both included, of a file of ``size`` bytes."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def header(self) -> str:
        """``Content-Range``."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def asked_range(header: str | None, *, if_range: str | None, etag: str, size: int) -> ByteRange | None:
    """The one range that is asked for, or None for the whole file.

    The whole file also answers what is no range in bytes, several ranges at once (a client that
    cannot take it asks one by one), and an ``If-Range`` that names another version or a date: we give
    no dates. Raises UnsatisfiableRangeError for one that begins beyond the end.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        wanted = _number(match[2])
        if wanted == 0 or size == 0:
            raise UnsatisfiableRangeError
        return ByteRange(max(size - wanted, 0), size - 1, size)
    first, last = _number(match[1]), _number(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None  # not a range at all, by the grammar
    if first >= size:
        raise UnsatisfiableRangeError
    return ByteRange(first, min(last, size - 1), size)


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS
