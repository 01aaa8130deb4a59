"""Django's Redis cache, without two of its costs: what it asks of Redis and what it keeps there are the same.

The stock client makes a new client object for each operation (as dear as the operation), and counts in
two round trips. A limit on how often somebody may ask is counted at every request.
"""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


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

    def incr(self, key: Any, delta: int) -> int:
        """Look and count in one round trip. Raises ValueError for a key that is not there."""
        with self.get_client(key, write=True).pipeline(transaction=True) as both:
            both.exists(key)
            both.incr(key, delta)
            existed, value = both.execute()
        if not existed:
            # It expired in the moment before: a counter without an end would never open again.
            self.delete(key)
            raise ValueError(f"Key {key!r} not found.")
        return int(value)


class KeptRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient
