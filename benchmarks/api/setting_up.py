"""The club's rows in a place, and the report of what a client needs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.api.places import ROOT, Place


def load_club(where: Place, *, scale: int) -> dict[str, Any]:
    """Make the club or grow it to ``scale``. Raises CalledProcessError with what the loader printed."""
    report = where.data_dir / "club.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.api.club", str(report), "--scale", str(scale)],
        cwd=ROOT,
        env=where.environment(),
        check=True,
    )
    found: dict[str, Any] = json.loads(report.read_text())
    return found
