"""The keys of a machine that was given none: made once, kept in the data folder.

For development and demonstrations only; production takes its keys from the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from pathlib import Path

NAMES = ("SECRET_KEY", "JWT_KEY", "OTP_KEY")


def local_keys(data_dir: Path) -> dict[str, str]:
    """The keys in ``data_dir/keys.json``, made at the first call, readable by their owner only.

    Two processes that start together get the same ones: each writes a file of its own, and only
    the first is linked to the name.
    """
    path = data_dir / "keys.json"
    data_dir.mkdir(parents=True, exist_ok=True)
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
