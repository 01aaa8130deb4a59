"""The revocation epoch: how every process learns that somebody's sessions ended.

The number lives in one row; a mark of it lives in the shared cache, where each process reads it at
most once a second. The mark changes at every move and is never the same twice, so two movers that
reach the cache in the wrong order cannot bring an old one back.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.models import RevocationEpoch
from bcc.core import transactions

KEY: Final = "accounts.revocation_epoch"
KEPT_SECONDS: Final = 3600
READ_EVERY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


Mark = tuple[int, str]


class _Seen:
    """What this process last read, and when; ``generation`` counts its own moves."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.generation = 0
        self.mark = ""
        self.read_at = float("-inf")


_seen = _Seen()
_on_move: list[Callable[[], None]] = []


def when_moved(forget: Callable[[], None]) -> None:
    """Call ``forget`` in this process as soon as it moves the epoch itself."""
    _on_move.append(forget)


def current_mark() -> Mark:
    """What changes when the epoch moves: at once in this process, within a second in the others."""
    generation = _seen.generation
    if time.monotonic() - _seen.read_at < READ_EVERY_SECONDS:
        return generation, _seen.mark
    mark = _read_mark()
    with _seen.guard:
        if _seen.generation == generation:
            _seen.mark, _seen.read_at = mark, time.monotonic()
    return generation, mark


def move() -> None:
    """End what others remember: inside the caller's transaction, told after its commit."""
    RevocationEpoch.move()
    transactions.after_commit(_tell)


def forget() -> None:
    """Drop what this process remembers of the epoch, and of identities."""
    with _seen.guard:
        _seen.generation += 1
        _seen.read_at = float("-inf")
    for one in _on_move:
        one()


def _tell() -> None:
    try:
        cache.set(KEY, _new_mark(), KEPT_SECONDS)
    except (RedisError, OSError) as error:
        # The others read the row while the cache is away, and drop an identity after a minute anyway.
        log.warning("revocation_epoch_not_told", reason=type(error).__name__)
    forget()


def _read_mark() -> str:
    try:
        mark = cache.get(KEY)
        if isinstance(mark, str):
            return mark
        # Only if it is still missing: a move that was told in the meantime must not be covered up.
        cache.add(KEY, _new_mark(), KEPT_SECONDS)
        mark = cache.get(KEY)
        if isinstance(mark, str):
            return mark
    except (RedisError, OSError) as error:
        log.warning("revocation_epoch_cache_away", reason=type(error).__name__)
    return f"row-{RevocationEpoch.current_number()}"


def _new_mark() -> str:
    return uuid.uuid4().hex
