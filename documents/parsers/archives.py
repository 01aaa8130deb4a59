"""ZIP archives of strangers, read member by member, without ever unpacking by name.

Everything that the directory tells is checked before the first member is given; what only the bytes tell
(length, checksum) while a member is read. Nothing is written, and a member's bytes pass in chunks.
"""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from documents.isolation import Refusal

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK: Final = 64 * 1024
_END: Final = b"PK\x05\x06"
_END_LENGTH: Final = 22
_LONGEST_COMMENT: Final = 65_535
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64: Final = struct.Struct("<4sIQI")
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_MARK: Final = b"PK\x03\x04"
# An entry of the directory: its fixed part, a long name, and the fields that archivers add.
_LONGEST_ENTRY: Final = 46 + 400 + 200
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_DESCRIPTOR: Final = 0x8
_UTF8: Final = 0x800
# From here on a ratio says something: a statement of blanks packs well, and is short.
_RATIO_FROM: Final = 1024 * 1024
_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh")
_ARCHIVE_NAMES: Final = (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".cab", ".iso")


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
    """One file of an archive. ``ordinal`` counts from 1, ``name`` with its folders, ``size`` unpacked.

    ``refusal`` is a code of ``codes.MEMBER_REFUSALS`` where the directory alone tells that it will not be
    read; else empty.
    """

    ordinal: int
    name: str
    size: int
    refusal: str
    _file: IO[bytes]
    _entry: zipfile.ZipInfo
    _start: int

    def open(self) -> IO[bytes]:
        """The bytes, to be read to the end and closed; while ``members`` is not exhausted or closed.

        It and every ``read`` raise Refusal with one of ``codes.MEMBER_REFUSALS``; only after the read that
        gave ``b""`` is the member known to be whole. So: write it aside, then use it.
        """
        if self.refusal:
            raise Refusal(self.refusal, self.name)
        return io.BufferedReader(_Unpacked(self._file, self._entry, self._start), _CHUNK)


def members(path: Path, limits: ArchiveLimits = ArchiveLimits()) -> Iterator[ArchiveMember]:
    """The members in the directory's order; folders are skipped, and so is what macOS adds by itself.

    Raises Refusal with one of ``codes.ARCHIVE_REFUSALS`` at the first ``next``, before any member.
    """
    with path.open("rb") as file:
        _check_end(file, limits)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
            raise Refusal("zip_damaged", f"{type(error).__name__}: {error}") from error
        with archive:
            yield from _members(file, archive, limits)


def _check_end(file: IO[bytes], limits: ArchiveLimits) -> None:
    """That the directory is small enough to be read at all, and the archive the whole file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_LENGTH - _LONGEST_COMMENT))
    start_of_tail = file.tell()
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_LENGTH:
        raise Refusal("zip_damaged", "no end of a directory")
    _mark, disk, first_disk, here, entries, length, offset, comment = struct.unpack_from("<4s4H2LH", tail, at)
    end = start_of_tail + at
    if end + _END_LENGTH + comment != size:
        raise Refusal("zip_damaged", "something stands behind the archive")
    if offset + length != end:
        entries, length, offset, end = _end64(file, end, (entries, length, offset))
    elif disk or first_disk or here != entries:
        raise Refusal("zip_damaged", "one part of several")
    if entries > limits.entries or length > limits.entries * _LONGEST_ENTRY:
        raise Refusal("zip_too_many", f"{entries} entries, a directory of {length} bytes")
    if offset + length != end:
        raise Refusal("zip_prefix", "the directory is not where it says")
    file.seek(0)
    if entries and file.read(4) != _LOCAL_MARK:
        raise Refusal("zip_prefix", "something stands before the archive")


def _end64(file: IO[bytes], end: int, small: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """(entries, length, offset, where the directory ends) of a long archive."""
    file.seek(max(0, end - _LOCATOR64.size))
    locator = file.read(_LOCATOR64.size)
    if len(locator) < _LOCATOR64.size or not locator.startswith(b"PK\x06\x07"):
        return *small, end
    _mark, _disk, at, _disks = _LOCATOR64.unpack(locator)
    if at > end:
        raise Refusal("zip_damaged", "the end of a long directory is not where it says")
    file.seek(at)
    record = file.read(_END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        raise Refusal("zip_damaged", "the end of a long directory is not where it says")
    *_about, entries, length, offset = _END64.unpack(record)
    return entries, length, offset, at


def _members(file: IO[bytes], archive: zipfile.ZipFile, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise Refusal("zip_too_many", f"{len(entries)} entries")
    for entry in entries:
        _check_entry(entry, limits)
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise Refusal("zip_too_large", f"more than {limits.total_bytes} bytes")
    starts = _check_places(file, entries, archive.start_dir)
    seen: set[str] = set()
    ordinal = 0
    for entry in entries:
        if entry.filename.endswith("/") or _is_of_the_system(entry.filename):
            continue
        ordinal += 1
        name = unicodedata.normalize("NFC", entry.filename)
        refusal = _refusal_of(entry, name in seen, limits)
        seen.add(name)
        yield ArchiveMember(ordinal, name, entry.file_size, refusal, file, entry, starts[entry.header_offset])


def _check_entry(entry: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    # What zipfile cut off at a NUL, or turned from a backslash, must not pass as something else.
    name = entry.orig_filename
    parts = name.replace("\\", "/").split("/")
    if (
        not name
        or len(name) > limits.name_length
        or any(unicodedata.category(letter)[0] == "C" for letter in name)
        or ".." in parts
        or parts[0] == ""
        or ":" in parts[0]
    ):
        raise Refusal("zip_name", repr(name[:200]))
    if entry.flag_bits & _ENCRYPTED:
        raise Refusal("zip_encrypted", name)
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refusal("zip_link", name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refusal("zip_method", f"{name}: {entry.compress_type}")
    if name.endswith("/") and entry.file_size:
        raise Refusal("zip_damaged", f"{name} is a folder with content")


def _check_places(file: IO[bytes], entries: Sequence[zipfile.ZipInfo], end: int) -> dict[int, int]:
    """Where each entry's bytes begin, by the offset of its header; each header agrees with the directory.

    Readers differ in which of the two they believe, and an archive that says two things is made to fool one.
    """
    starts: dict[int, int] = {}
    before = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < before:
            raise Refusal("zip_overlap", entry.filename)
        file.seek(entry.header_offset)
        header = file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MARK):
            raise Refusal("zip_damaged", f"{entry.filename} is not where the directory says")
        _mark, _version, flags, method, _time, _date, crc, packed, size, name_length, extra_length = (
            _LOCAL.unpack(header)
        )
        name = file.read(name_length)
        is_utf8 = bool(flags & _UTF8)
        if name.decode("utf-8" if is_utf8 else "cp437", "replace") != entry.orig_filename:
            raise Refusal("zip_damaged", f"{entry.filename} has another name at its place")
        if method != entry.compress_type or flags & _ENCRYPTED:
            raise Refusal("zip_damaged", f"{entry.filename} is packed otherwise than the directory says")
        told = (crc, packed, size)
        meant = (entry.CRC, entry.compress_size, entry.file_size)
        # Before a descriptor the header has zeros, and in a long archive it points to its extra field.
        if not flags & _DESCRIPTOR and any(
            one not in (other, 0xFFFFFFFF) for one, other in zip(told, meant, strict=True)
        ):
            raise Refusal("zip_damaged", f"{entry.filename} has other sizes at its place")
        start = entry.header_offset + _LOCAL.size + name_length + extra_length
        before = start + entry.compress_size
        if before > end:
            raise Refusal("zip_overlap", entry.filename)
        starts[entry.header_offset] = start
    return starts


def _refusal_of(entry: zipfile.ZipInfo, is_twice: bool, limits: ArchiveLimits) -> str:
    if is_twice:
        return "member_twice"
    if entry.filename.lower().endswith(_ARCHIVE_NAMES):
        return "nested_archive"
    if not entry.file_size:
        return "member_empty"
    if entry.file_size > limits.member_bytes:
        return "member_too_large"
    if entry.file_size > _RATIO_FROM and entry.file_size > entry.compress_size * limits.ratio:
        return "member_ratio"
    return ""


def _is_of_the_system(name: str) -> bool:
    """What a computer puts beside somebody's files: no item of Finance's."""
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last in (".DS_Store", "Thumbs.db", "desktop.ini")


class _Unpacked(io.RawIOBase):
    """A member's bytes: never more than the directory says, and an error at the end if fewer or others."""

    def __init__(self, file: IO[bytes], entry: zipfile.ZipInfo, start: int) -> None:
        super().__init__()
        self._file, self._name = file, entry.filename
        self._at, self._left = start, entry.compress_size
        self._size, self._given, self._crc, self._wanted = entry.file_size, 0, 0, entry.CRC
        self._inflate: Any = zlib.decompressobj(-15) if entry.compress_type else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        place = memoryview(buffer).cast("B")
        part = self._next(len(place))
        if not self._given and part.startswith(_ARCHIVES):
            raise Refusal("nested_archive", self._name)
        self._given += len(part)
        self._crc = zlib.crc32(part, self._crc)
        if self._given > self._size:
            raise Refusal("member_size", f"{self._name} is longer than it says")
        if not part:
            self._check_whole()
        place[: len(part)] = part
        return len(part)

    def _next(self, room: int) -> bytes:
        """At most ``room`` bytes; empty at the end alone."""
        if self._inflate is None:
            return self._packed(room)
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._packed(_CHUNK)
            try:
                part: bytes = self._inflate.decompress(packed, room)
            except zlib.error as error:
                raise Refusal("member_damaged", f"{self._name}: {error}") from error
            if part:
                return part
            if not packed:
                raise Refusal("member_damaged", f"{self._name} ends too early")
        return b""

    def _packed(self, most: int) -> bytes:
        # Others read from the same file in between.
        self._file.seek(self._at)
        packed = self._file.read(min(most, self._left))
        self._at += len(packed)
        self._left -= len(packed)
        return packed

    def _check_whole(self) -> None:
        if self._given != self._size:
            raise Refusal("member_size", f"{self._name} is shorter than it says")
        if self._left or (self._inflate is not None and self._inflate.unused_data):
            raise Refusal("member_damaged", f"{self._name} has something behind its end")
        if self._crc != self._wanted:
            raise Refusal("member_checksum", self._name)
