"""The cache on a real Redis, beside Django's own: the same keys, the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCache

from bcc.core.cache import KeptRedisCache
from tests.live.engines import scratch_redis


@pytest.fixture
def url() -> Iterator[str]:
    with scratch_redis() as made:
        yield made


@pytest.fixture
def cache(url: str) -> KeptRedisCache:
    return KeptRedisCache(url, {"KEY_PREFIX": "club"})


class TestKeptRedisCache:
    def test_counts_as_the_stock_one_and_both_see_it(self, cache: KeptRedisCache, url: str) -> None:
        stock = RedisCache(url, {"KEY_PREFIX": "club"})
        assert cache.add("count", 1, timeout=60)
        assert not stock.add("count", 1, timeout=60)
        assert [cache.incr("count"), stock.incr("count"), cache.incr("count", 5)] == [2, 3, 8]
        assert stock.get("count") == cache.get("count") == 8
        assert cache.decr("count", 3) == 5

    def test_keeps_the_end_of_a_counter(self, cache: KeptRedisCache) -> None:
        cache.add("count", 1, timeout=60)
        cache.incr("count")
        assert 0 < self.client(cache).ttl(cache.make_key("count")) <= 60

    def test_leaves_no_counter_without_an_end(self, cache: KeptRedisCache) -> None:
        with pytest.raises(ValueError, match="not found"):
            cache.incr("gone")
        assert cache.get("gone") is None

    def test_makes_one_client(self, cache: KeptRedisCache) -> None:
        cache.set("a", 1)
        first = self.client(cache)
        cache.get("a")
        assert self.client(cache) is first

    def client(self, cache: KeptRedisCache) -> Any:
        return cache._cache.get_client(write=True)
