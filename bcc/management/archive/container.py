"""The file itself: a gzipped tar, written and read as a stream, in constant memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bcc.management.archive.errors import ArchiveError, DamagedArchiveError
from bcc.management.archive.manifest import (
    MANIFEST,
    MANIFEST_LIMIT,
    Manifest,
    Member,
    compare_members,
    is_safe_name,
    parse_manifest,
)

# Photos and PDFs do not get smaller; of a database the first level takes most of what there is.
COMPRESSION = 1
CHUNK = 256 * 1024

# Where the content of a member goes, None for nowhere: it is read and hashed all the same.
Keep = Callable[[str], Path | None]


class ArchiveWriter:
    """Writes an archive to a new file of mode 0600; ``close`` makes it last."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=self._file)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed in close()
        self.members: dict[str, Member] = {}

    def add(self, name: str, source: Path) -> Member:
        """Add the file at ``source`` as ``name``. Raises ArchiveError where it changes meanwhile."""
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            info = _info(name, found.st_size, int(found.st_mtime), found.st_mode & 0o777)
            reader = _HashingReader(file)
            try:
                self._tar.addfile(info, reader)
            except OSError as error:
                if reader.has_ended:
                    raise ArchiveError(
                        f"{source} became shorter while it was read; nothing is kept, run it again."
                    ) from error
                raise
        self._tar.members = []  # type: ignore[attr-defined]  # else it remembers every one
        self.members[name] = Member(found.st_size, reader.hexdigest())
        return self.members[name]

    def close(self, manifest: Manifest) -> None:
        """Write the manifest as the last member, and everything to the disk."""
        text = manifest.to_json().encode()
        self._tar.addfile(_info(MANIFEST, len(text), int(time.time()), 0o600), io.BytesIO(text))
        self._tar.close()
        self._gzip.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _info(name: str, size: int, changed_at: int, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, changed_at, mode
    return info


class _HashingReader:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.has_ended = False

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._file.read(size)
        self.has_ended = len(chunk) < size
        self._hash.update(chunk)
        return chunk

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def unpack(archive: Path, keep: Keep) -> Manifest:
    """Read ``archive`` to its last byte, write what ``keep`` wants, and return its manifest.

    Raises DamagedArchiveError unless every member is there, is allowed to be, and has the hash and
    the size that the manifest says. What is written is on the disk by then, with its time and mode.
    """
    try:
        with gzip.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            manifest, found = _read_members(tar, keep)
            _read_to_the_end(tar)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedArchiveError(f"The archive is cut short or damaged: {error}.") from error
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise DamagedArchiveError("Two members of the archive claim one place.") from error
    compare_members(manifest, found)
    return manifest


def _read_members(tar: tarfile.TarFile, keep: Keep) -> tuple[Manifest, dict[str, Member]]:
    manifest: Manifest | None = None
    found: dict[str, Member] = {}
    for info in tar:
        tar.members = []  # type: ignore[attr-defined]  # else it remembers every one
        if manifest is not None:
            raise DamagedArchiveError(f"{info.name!r} follows the manifest, which is the last member.")
        if info.type != tarfile.REGTYPE or info.issparse():
            raise DamagedArchiveError(f"{info.name!r} is a link or no file.")
        if info.name in found:
            raise DamagedArchiveError(f"{info.name!r} is in the archive twice.")
        content = tar.extractfile(info)
        assert content is not None  # noqa: S101 - for the type checker: it is a regular file
        if info.name == MANIFEST:
            if info.size > MANIFEST_LIMIT:
                raise DamagedArchiveError("The manifest is too large to be one of ours.")
            manifest = parse_manifest(content.read())
        elif is_safe_name(info.name):
            found[info.name] = _read_member(content, info, keep(info.name))
        else:
            raise DamagedArchiveError(f"{info.name!r} does not belong into an archive.")
    if manifest is None:
        raise DamagedArchiveError("There is no manifest: the archive is cut short, or none of ours.")
    return manifest, found


def _read_member(content: IO[bytes], info: tarfile.TarInfo, path: Path | None) -> Member:
    if path is None:
        size, digest = _copy(content, None)
        return Member(size, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        size, digest = _copy(content, file)
        file.flush()  # a write after it would be the file's time
        os.fchmod(file.fileno(), info.mode & 0o777 | 0o600)
        os.utime(file.fileno(), (info.mtime, info.mtime))
        os.fsync(file.fileno())
    return Member(size, digest)


def _copy(content: IO[bytes], file: IO[bytes] | None) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while chunk := content.read(CHUNK):
        size += len(chunk)
        digest.update(chunk)
        if file is not None:
            file.write(chunk)
    return size, digest.hexdigest()


def _read_to_the_end(tar: tarfile.TarFile) -> None:
    """The rest is the tar's padding; with its last byte gzip compares the checksum of the whole."""
    rest: Any = tar.fileobj
    while chunk := rest.read(CHUNK):
        if chunk.strip(b"\0"):
            raise DamagedArchiveError("Something follows the end of the archive.")


def hash_file(path: Path) -> Member:
    """The size and the hash of a file on the disk."""
    with path.open("rb") as file:
        size, digest = _copy(file, None)
    return Member(size, digest)
