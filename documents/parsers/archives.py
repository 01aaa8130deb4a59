"""ZIP archives of strangers, read member by member, without ever unpacking by name.

Everything that the directory tells is checked before the first member is given; what only the bytes tell
(length, checksum) while a member is read. Nothing is written, and a member's bytes pass in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """``ratio`` is of a member's length to its packed length, and holds from 1 MiB on."""

    entries: int = 10_000
    total_bytes: int = 2 * 1024**3
    member_bytes: int = 64 * 1024**2
    ratio: int = 100
    name_length: int = 200


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file of an archive. ``ordinal`` counts from 1, ``name`` with its folders, ``size`` unpacked."""

    ordinal: int
    name: str
    size: int

    def open(self) -> IO[bytes]:
        """The bytes, to be read to the end and closed; while ``members`` is not exhausted or closed.

        It and every ``read`` raise Refusal with one of ``codes.MEMBER_REFUSALS``; only after the read that
        gave ``b""`` is the member known to be whole. So: write it aside, then use it.
        """
        raise NotImplementedError


def members(path: Path, limits: ArchiveLimits = ArchiveLimits()) -> Iterator[ArchiveMember]:
    """The members in the directory's order; folders are skipped, and so is what macOS adds by itself.

    Raises Refusal with one of ``codes.ARCHIVE_REFUSALS`` at the first ``next``, before any member.
    """
    raise NotImplementedError
