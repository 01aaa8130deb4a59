"""How long somebody waits after wrong passwords: a delay that grows, never a lock that stays."""

from __future__ import annotations

from typing import Final

FREE_TRIES: Final = 3
LONGEST: Final = 300


def delay_after(failures: int) -> int:
    """Seconds until the next try after so many wrong ones in a row.

    None for the first three; then 2, 4, 8 and so on up to five minutes.
    """
    if failures <= FREE_TRIES:
        return 0
    return int(min(LONGEST, 2 ** min(failures - FREE_TRIES, 16)))
