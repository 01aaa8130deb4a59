"""The keys of a machine that was given none: made once, kept in the data folder.

For development and demonstrations only; production takes its keys from the environment.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

NAMES = ("SECRET_KEY", "JWT_KEY", "OTP_KEY")


def local_keys(data_dir: Path) -> dict[str, str]:
    """The keys in ``data_dir/keys.json``, made at the first call, readable by their owner only.

    Two processes that start together get the same ones: each writes a file of its own, and only
    the first is linked to the name. Raises ImproperlyConfigured where the folder cannot be written.
    """
    path = data_dir / "keys.json"
    try:
        return _kept_or_made(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {data_dir} cannot be used ({error.strerror}). Choose another one with "
            "DATA_DIR, or let this user write there."
        ) from error


def _kept_or_made(path: Path) -> dict[str, str]:
    data_dir = path.parent
    data_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(data_dir, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if not path.exists():
        fresh = {name: secrets.token_urlsafe(48) for name in NAMES}
        handle, name = tempfile.mkstemp(dir=data_dir, prefix=".keys-")  # mkstemp's mode is 0600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(fresh, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(name)
        finally:
            Path(name).unlink()
    keys: dict[str, str] = json.loads(path.read_text())
    return {name: keys[name] for name in NAMES}
