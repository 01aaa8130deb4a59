"""The one place that reads the time, and the club's zone.

Entry points read ``now()`` and hand it down; services and policies never ask.
In demo mode the club's time can be moved by a file in the data folder, so that
every process of the demo (server, worker, command) moves together.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

OFFSET_FILE = "clock-offset"
_read: tuple[tuple[int, int], timedelta] | None = None


def now() -> datetime:
    """The present instant, aware, in UTC; moved by ``demo_clock`` in demo mode only."""
    return datetime.now(UTC) + moved_by()


def moved_by() -> timedelta:
    """How far the club's time stands from the machine's, which other programs (the proxy) go by."""
    return _demo_offset() if settings.DEMO_MODE else timedelta(0)


def _demo_offset() -> timedelta:
    global _read
    path = settings.DATA_DIR / OFFSET_FILE
    try:
        found = path.stat()
    except FileNotFoundError:
        return timedelta(0)
    # Both: two moves may fall into one tick of the file system's clock, but never into one file.
    version = (found.st_mtime_ns, found.st_ino)
    if _read is None or _read[0] != version:
        _read = (version, timedelta(seconds=float(path.read_text())))
    return _read[1]


def move_demo_clock(offset: timedelta) -> None:
    """Move the club's time by ``offset`` from the machine's; zero moves it back."""
    path = settings.DATA_DIR / OFFSET_FILE
    part = path.with_suffix(".part")
    part.write_text(str(offset.total_seconds()))
    part.replace(path)


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone() -> ZoneInfo:
    return _zone(settings.TIME_ZONE)


def local_date(instant: datetime) -> date:
    """The club's calendar date at ``instant``."""
    return instant.astimezone(zone()).date()


def today() -> date:
    """The club's calendar date now."""
    return local_date(now())


def instant_text(instant: datetime) -> str:
    """``instant`` in UTC, ISO 8601 with ``Z``. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("A naive datetime has no place in a reply.")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
