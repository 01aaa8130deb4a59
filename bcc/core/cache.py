"""Django's Redis cache without the price of its clients, and counters that cost one round trip.

The stock client makes a new client object for each operation, as dear as the operation. A limit on how
often somebody may ask is counted at every request, so ``count`` is one command on Redis.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django.core.cache.backends.base import DEFAULT_TIMEOUT
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


class CountingRedisCache(KeptRedisCache):
    """The counters of django-ratelimit, which asks twice for each: add it, and if it is there, increase it.

    Here ``add`` counts, in one command, and ``incr`` tells what that made. Of a counter, which begins at
    one, nobody sees a difference. The connections handler gives each thread an object of its own.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._counted: tuple[str, int] | None = None

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if value != 1 or timeout is DEFAULT_TIMEOUT or timeout is None:
            return bool(super().add(key, value, timeout, version))
        made = self.count(self.make_and_validate_key(key, version), int(timeout))
        self._counted = (key, made)
        return made == 1

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        counted, self._counted = self._counted, None
        if counted is not None and counted[0] == key and delta == 1:
            return counted[1]
        return int(super().incr(key, delta, version))

    def count(self, key: str, seconds: int) -> int:
        """One more under the whole ``key``, which ends ``seconds`` after its first; how many that makes."""
        return cast(KeptClient, self._cache).count(key, seconds)
