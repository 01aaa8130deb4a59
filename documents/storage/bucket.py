"""Files in a bucket of an S3-compatible store. Needs the extra ``[s3]``; imported where settings name it."""

from __future__ import annotations

import io
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

# What is asked of the store at once; a file is never in memory, and on no disk of ours.
BLOCK: Final = 1024 * 1024
# Seconds, and tries: a store that hangs must not keep a worker.
CONNECT, READ, TRIES = 5, 30, 3
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class BucketStorage(S3Storage):
    """Private objects under their hashes. A put is whole or it is not there, as the store promises."""

    def get_default_settings(self) -> dict[str, Any]:
        wanted = {
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
            "client_config": Config(
                connect_timeout=CONNECT,
                read_timeout=READ,
                retries={"max_attempts": TRIES, "mode": "standard"},
                signature_version="s3v4",
            ),
        }
        return {**super().get_default_settings(), **wanted}

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """To be read: block by block from where it is wanted, so that a range costs its own bytes."""
        if mode != "rb":
            return super()._open(name, mode)  # type: ignore[no-any-return]  # django-storages has no types
        return BucketFile(self.bucket.Object(self._normalize_name(name)), name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name


class BucketFile(File[bytes]):
    """An object of the store, whose size is known when it is opened. Raises FileNotFoundError."""

    def __init__(self, stored: Any, name: str) -> None:
        reader = _ObjectReader(stored)
        self.size = reader.size
        super().__init__(io.BufferedReader(reader, BLOCK), name)


class _ObjectReader(io.RawIOBase):
    def __init__(self, stored: Any) -> None:
        self._stored = stored
        self._at = 0
        try:
            stored.load()
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                raise FileNotFoundError(stored.key) from error
            raise
        self.size: int = stored.content_length
        # A part of another version is never put behind a part of this one.
        self._version: str = stored.e_tag

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        last = min(self._at + len(buffer), self.size) - 1
        if last < self._at:
            return 0
        answer = self._stored.get(Range=f"bytes={self._at}-{last}", IfMatch=self._version)
        with answer["Body"] as body:
            found: bytes = body.read()
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
