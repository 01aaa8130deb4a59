"""What archives are called, and which of them are old. Pure, but for the folder that is listed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bcc.health import BACKUP_NAME, backup_made_at


def archive_name(made_at: datetime) -> str:
    """``bcc-20261224T065900Z.tar.gz``: sorts by age."""
    return made_at.astimezone(UTC).strftime(BACKUP_NAME)


def target_of(wanted: Path, made_at: datetime) -> Path:
    """The file to write: ``wanted`` itself, or a name of its own in ``wanted`` where that is a folder.

    What exists decides; of what does not, ``….tar.gz`` is a file and everything else a folder.
    """
    is_file = not wanted.is_dir() and (wanted.exists() or wanted.name.endswith((".tar.gz", ".tgz")))
    return wanted if is_file else wanted / archive_name(made_at)


def outdated(names: Iterable[str], keep: int) -> list[str]:
    """Those of our archives among ``names`` that are beyond the newest ``keep``, oldest first.

    Files under other names, and what is still being written, are nobody's to remove.
    """
    ours = sorted(name for name in names if backup_made_at(name) is not None)
    return ours[: max(0, len(ours) - keep)]
