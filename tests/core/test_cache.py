"""The cache on a real Redis, beside Django's own: the same keys, the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCache
from redis.connection import AbstractConnection

from bcc.core.cache import CountingRedisCache, KeptRedisCache
from tests.live.engines import scratch_redis


@pytest.fixture
def url() -> Iterator[str]:
    with scratch_redis() as made:
        yield made


@pytest.fixture
def cache(url: str) -> KeptRedisCache:
    return KeptRedisCache(url, {"KEY_PREFIX": "club"})


@pytest.fixture
def counters(url: str) -> CountingRedisCache:
    return CountingRedisCache(url, {"KEY_PREFIX": "club"})


def client_of(cache: KeptRedisCache) -> Any:
    """The Redis client of a cache."""
    made: Any = cache._cache
    return made.get_client(None, write=True)


def tried(cache: RedisCache, key: str = "tries") -> int:
    """Count once as django-ratelimit does."""
    return 1 if cache.add(key, 1, 60) else int(cache.incr(key))


class TestKeptRedisCache:
    def test_counts_as_the_stock_one_and_both_see_it(self, cache: KeptRedisCache, url: str) -> None:
        stock = RedisCache(url, {"KEY_PREFIX": "club"})
        assert cache.add("count", 1, timeout=60)
        assert not stock.add("count", 1, timeout=60)
        assert [cache.incr("count"), stock.incr("count"), cache.incr("count", 5)] == [2, 3, 8]
        assert stock.get("count") == cache.get("count") == 8
        assert cache.decr("count", 3) == 5

    def test_makes_one_client(self, cache: KeptRedisCache) -> None:
        cache.set("a", 1)
        first = client_of(cache)
        cache.get("a")
        assert client_of(cache) is first


class TestCountingRedisCache:
    def test_counts_as_the_stock_one(self, counters: CountingRedisCache, url: str) -> None:
        stock = RedisCache(url, {"KEY_PREFIX": "club"})
        assert [tried(counters), tried(stock), tried(counters), tried(stock)] == [1, 2, 3, 4]

    def test_counts_in_one_round_trip(
        self, counters: CountingRedisCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[Any] = []
        real: Any = AbstractConnection.send_packed_command

        def noted(self: Any, command: Any, *rest: Any, **more: Any) -> Any:
            sent.append(command)
            return real(self, command, *rest, **more)

        client_of(counters).ping()  # which connects
        monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)
        assert [tried(counters) for _try in range(3)] == [1, 2, 3]
        assert len(sent) == 3

    def test_ends_a_counter_after_its_first_and_later_ones_do_not_move_that(
        self, counters: CountingRedisCache
    ) -> None:
        tried(counters)
        client_of(counters).expire(counters.make_key("tries"), 30)
        tried(counters)
        assert 0 < client_of(counters).ttl(counters.make_key("tries")) <= 30

    def test_counts_for_all_who_ask_at_once(self, url: str) -> None:
        def one(_number: int) -> int:
            return tried(CountingRedisCache(url, {"KEY_PREFIX": "club"}))

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(one, range(200)))
        assert sorted(made) == list(range(1, 201))

    def test_increases_by_itself_what_it_did_not_just_add(self, counters: CountingRedisCache) -> None:
        tried(counters, "one")
        tried(counters, "two")
        assert counters.incr("one") == 2
        assert counters.incr("one", 5) == 7
        assert counters.add("kept", "a text", None) is True
        assert counters.add("kept", "another", None) is False
