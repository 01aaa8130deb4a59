"""Django's Redis cache without the price of its clients, and counters that cost one round trip.

The stock client makes a new client object for each operation, as dear as the operation. A limit on how
often somebody may ask is counted at every request, so ``count`` is one command on Redis.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, cast

from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

# Counts and, for a new counter, sets its end, as one: a counter without an end would never open again.
_COUNT: Final = (
    "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return n"
)


class KeptClient(RedisCacheClient):
    """One client for each pool of connections; it is safe in threads, as the pool is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        index = self._get_connection_pool_index(write)  # type: ignore[attr-defined]  # unknown to the stubs
        client = self._clients.get(index)
        if client is None:
            client = self._clients[index] = super().get_client(key, write=write)
        return client

    def count(self, key: Any, seconds: int) -> int:
        return int(self.get_client(key, write=True).execute_command("EVAL", _COUNT, 1, key, seconds))


class KeptRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def count(self, key: str, seconds: int) -> int:
        """One more under ``key``, which ends ``seconds`` after its first; how many that makes."""
        return cast(KeptClient, self._cache).count(self.make_and_validate_key(key), seconds)


class _Counts(Protocol):
    def count(self, key: str, seconds: int) -> int: ...


def count(key: str, seconds: int) -> int:
    """One more under ``key`` in the default cache, in one round trip where that is Redis.

    The counter ends ``seconds`` after its first. Raises RedisError or OSError while the cache is away.
    """
    if hasattr(cache, "count"):
        return cast(_Counts, cache).count(key, seconds)
    while True:
        if cache.add(key, 1, seconds):
            return 1
        try:
            return int(cache.incr(key))
        except ValueError:
            continue  # it ended between the two: the next look makes a new one
