"""The cache on a real Redis, beside Django's own: the same keys, the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCache
from redis.connection import AbstractConnection

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

    def test_counts_in_one_round_trip(self, cache: KeptRedisCache, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[Any] = []
        real: Any = AbstractConnection.send_packed_command

        def noted(self: Any, command: Any, *rest: Any, **more: Any) -> Any:
            sent.append(command)
            return real(self, command, *rest, **more)

        self.client(cache).ping()
        monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)
        assert [cache.count("tries", 60) for _try in range(3)] == [1, 2, 3]
        assert len(sent) == 3

    def test_ends_a_counter_after_its_first_and_later_ones_do_not_move_that(
        self, cache: KeptRedisCache
    ) -> None:
        cache.count("tries", 60)
        self.client(cache).expire(cache.make_key("tries"), 30)
        cache.count("tries", 60)
        assert 0 < self.client(cache).ttl(cache.make_key("tries")) <= 30

    def test_counts_for_all_who_ask_at_once(self, cache: KeptRedisCache) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _number: cache.count("tries", 60), range(200)))
        assert sorted(made) == list(range(1, 201))

    def test_makes_one_client(self, cache: KeptRedisCache) -> None:
        cache.set("a", 1)
        first = self.client(cache)
        cache.get("a")
        assert self.client(cache) is first

    def client(self, cache: KeptRedisCache) -> Any:
        return cache._cache.get_client(write=True)
