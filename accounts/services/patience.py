"""The soft lock: who was wrong several times in a row waits, a little longer each time.

Counted under a key that a stranger cannot share with the member: the address it came from, or the
trusted device. So nobody is locked out by somebody else's guesses. The counters live in the cache;
while that is away nobody signs in, because without counters anybody could guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.policies.patience import LONGEST, delay_after
from accounts.services.sign_in import WrongCredentialsError
from bcc.core import clock
from bcc.core.errors import BusyError

# A run of wrong ones is forgotten when nobody tried for so long, in seconds.
FORGOTTEN_AFTER: Final = 3600
_AWAY: Final = 5

log = structlog.get_logger(__name__)


def seconds_to_wait(*, key: str, now: datetime) -> int:
    """How long the next try has to wait; 0 for none. Raises BusyError while the counters are away."""
    with _counters():
        until = cache.get(_name("until", key))
    return max(0, int(until - now.timestamp() + 0.999)) if until else 0


@contextmanager
def noting_failures(key: str | None) -> Iterator[None]:
    """Count a wrong password under ``key``, and forget the run at a right one."""
    try:
        yield
    except WrongCredentialsError:
        if key is not None:
            note_failure(key=key, now=clock.now())
        raise
    if key is not None:
        forget_failures(key=key)


def forget_failures(*, key: str) -> None:
    """Begin anew: it was right. Raises BusyError while the counters are away."""
    with _counters():
        cache.delete_many([_name("wrong", key), _name("until", key)])


def note_failure(*, key: str, now: datetime) -> None:
    """Count a wrong one, and make the next wait. Raises BusyError while the counters are away."""
    name = _name("wrong", key)
    with _counters():
        cache.add(name, 0, FORGOTTEN_AFTER)
        try:
            failures = cache.incr(name)
        except ValueError:  # it expired between the two
            return
        cache.touch(name, FORGOTTEN_AFTER)
        delay = delay_after(failures)
        if delay:
            cache.set(_name("until", key), now.timestamp() + delay, LONGEST)


@contextmanager
def _counters() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("patience_away", reason=type(error).__name__)
        raise BusyError(retry_after=_AWAY) from error


def _name(what: str, key: str) -> str:
    return f"accounts.{what}:{hashlib.sha256(key.encode()).hexdigest()}"
