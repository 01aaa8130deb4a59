"""Bytes into storage and out of it: the one place that knows how a file is named there."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

import structlog
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import IntegrityError, transaction

from bcc.core import transactions
from bcc.core.errors import DomainError, NotFoundError
from documents.models import Asset

CHUNK: Final = 1024 * 1024
# A file without a row is somebody's who is about to write the row, or was: after so long it was.
ORPHAN_AGE: Final = timedelta(hours=6)
FOLDER: Final = "assets"

log = structlog.get_logger(__name__)


class FileTooLargeError(DomainError):
    status = 413
    code = "file_too_large"


def hash_of(content: IO[bytes]) -> tuple[str, int]:
    """(SHA-256 in hex, bytes) of what is left to read; ``content`` stands at its end then."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


@contextmanager
def spooled(chunks: Iterable[bytes], *, limit: int) -> Iterator[IO[bytes]]:
    """What is streamed in, on the disk beyond a megabyte, from its start. Raises FileTooLargeError."""
    with tempfile.SpooledTemporaryFile(max_size=CHUNK) as spool:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise FileTooLargeError(code="file_too_large", limit=limit)
            spool.write(chunk)
        spool.seek(0)
        yield spool


def keep(content: IO[bytes], *, media_type: str, now: datetime) -> Asset:
    """Store ``content`` from its start, once for the same bytes, and return its row.

    The file is synced under its hash before the row is written: call it before the transaction that
    names the asset, or inside of it when the bytes are small. Bytes that are there already are looked at
    (one that was lost from the disk is written again) and not written twice.
    """
    content.seek(0)
    sha256, size = hash_of(content)
    found = _renewed(sha256, now)
    key = found.key if found else key_of(sha256)
    _write(key, content, size, is_named=found is not None)
    if found is not None:
        return found
    return _row_of(sha256, size=size, key=key, media_type=media_type, now=now)


def _write(key: str, content: IO[bytes], size: int, *, is_named: bool) -> None:
    """Write the bytes unless they are there; a file of another size is a damaged one, and is replaced.

    What is there and no row names is made young, so that no sweep takes it before the row is written.
    """
    try:
        is_whole = default_storage.size(key) == size
    except FileNotFoundError:
        is_whole = False
    if is_whole and is_named:
        return
    if is_whole and isinstance(default_storage, FileSystemStorage):
        Path(default_storage.path(key)).touch()
        return
    content.seek(0)
    default_storage.save(key, File(content))


def _renewed(sha256: str, now: datetime) -> Asset | None:
    """The row of these bytes. One that a sweep might take as nobody's is young again first."""
    found = Asset.objects.filter(sha256=sha256).first()
    if found is None or found.created_at > now - ORPHAN_AGE / 2:
        return found
    is_there = Asset.objects.filter(pk=found.pk).update(created_at=now)
    return found if is_there else None


def keep_bytes(content: bytes, *, media_type: str, now: datetime) -> Asset:
    """``keep`` for what is in memory."""
    with spooled([content], limit=len(content)) as spool:
        return keep(spool, media_type=media_type, now=now)


@transactions.writes
def _row_of(sha256: str, *, size: int, key: str, media_type: str, now: datetime) -> Asset:
    try:
        # A savepoint: the refusal of the index must not undo what the caller did before.
        with transaction.atomic():
            return Asset.objects.create(
                sha256=sha256, size=size, key=key, media_type=media_type, created_at=now
            )
    except IntegrityError:
        # Somebody stored the same bytes at this moment.
        return Asset.objects.get(sha256=sha256)


def key_of(sha256: str) -> str:
    """Two levels of folders, so that none holds more than a few thousand names."""
    return f"{FOLDER}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def open_asset(asset: Asset) -> File[bytes]:
    """The bytes to be read; the caller closes. Raises NotFoundError when storage lost them."""
    try:
        return default_storage.open(asset.key, "rb")
    except FileNotFoundError as error:
        log.exception("asset_missing", key=asset.key)
        raise NotFoundError from error


def read_asset(asset: Asset) -> bytes:
    with open_asset(asset) as content:
        return bytes(content.read())


def local_path(asset: Asset) -> Path | None:
    """Where the proxy or a child process can read it itself; None where storage is not a disk."""
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.path(asset.key))
    return None
