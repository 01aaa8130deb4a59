"""The keys that tokens are signed with: the newest signs, the one before it is still accepted.

``JWT_KEY`` is the first. ``rotate_keys`` writes the others to a file that the processes of a deployment
share (``JWT_KEYS_FILE``); each looks at it at most once a second, and at once when a token names a key
that it does not know.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from accounts.policies.tokens import DEFAULT_KEY_ID

# Two: whatever the older one signed has died (an access token) or is exchanged (a refresh token) long
# before the next rotation.
KEPT: Final = 2
LOOK_EVERY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``made_at`` is None for ``JWT_KEY``, whose age nobody knows."""

    kid: str
    key: str
    made_at: datetime | None


_seen: tuple[float, tuple[int, int] | None, tuple[SigningKey, ...]] | None = None


def signing_keys() -> Mapping[str, str]:
    """kid → key; the first signs."""
    return {one.kid: one.key for one in current_keys()}


def current_keys() -> tuple[SigningKey, ...]:
    """The newest first, from memory if it was looked up within the last second."""
    global _seen
    now = time.monotonic()
    if _seen is not None and now - _seen[0] < LOOK_EVERY_SECONDS:
        return _seen[2]
    version = _version()
    keys = _seen[2] if _seen is not None and _seen[1] == version else _read()
    _seen = (now, version, keys)
    return keys


def forget_keys() -> None:
    """Look at the file again at the next question."""
    global _seen
    _seen = None


def rotate_keys(*, now: datetime) -> SigningKey:
    """Sign with a new key from now on; the one that signed until now is accepted still, older ones are not.

    Raises OSError where the file cannot be written.
    """
    forget_keys()
    fresh = SigningKey(f"{now:%Y%m%d}-{secrets.token_hex(4)}", secrets.token_urlsafe(48), now)
    kept = (fresh, *current_keys())[:KEPT]
    _write(kept)
    forget_keys()
    return fresh


def _path() -> Path:
    return Path(settings.JWT_KEYS_FILE)


def _version() -> tuple[int, int] | None:
    try:
        found = _path().stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino


def _read() -> tuple[SigningKey, ...]:
    try:
        rows = json.loads(_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (SigningKey(DEFAULT_KEY_ID, settings.JWT_KEY, None),)
    return tuple(
        SigningKey(
            row["kid"], row["key"], None if row["made_at"] is None else datetime.fromisoformat(row["made_at"])
        )
        for row in rows
    )


def _write(keys: tuple[SigningKey, ...]) -> None:
    path = _path()
    rows = [asdict(one) | {"made_at": one.made_at and one.made_at.isoformat()} for one in keys]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jwt-keys-")  # mkstemp's mode is 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
