"""Reading an archive to its last byte, to say whether it could be restored."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bcc.management.archive.container import unpack
from bcc.management.archive.engines import CHECKS
from bcc.management.archive.manifest import DATABASES, Manifest


def verify_archive(archive: Path) -> Manifest:
    """The manifest of an archive that is whole and whose database is sound; the database is tried out
    in a temporary folder. Raises DamagedArchiveError otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="bcc-verify-") as folder:
        copy = Path(folder) / "database"
        manifest = unpack(archive, lambda name: copy if name in DATABASES.values() else None)
        CHECKS[manifest.contents.engine](copy, manifest)
    return manifest
