"""Issuing accounts from a file: read and judged at once, applied row by row, the same file again a no-op."""

from accounts.services.issuing.batches import (
    carry_on,
    find_unattended,
    run_import,
    start_import,
    take_file,
)
from accounts.services.issuing.known import Known
from accounts.services.issuing.rows import judge_rows

__all__ = [
    "Known",
    "carry_on",
    "find_unattended",
    "judge_rows",
    "run_import",
    "start_import",
    "take_file",
]
