from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient

from bcc.core.rest.throttles import normalised_identity, parsed_rate, rate_of
from bcc.settings.engines import COUNTERS
from tests.core.rest.test_problems import read


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.TRUSTED_PROXY_HOPS = 0
    settings.RATE_LIMITS = {"per_address": "3/h", "per_user": "2/h", "per_identity": "2/h"}


def login(client: APIClient, identifier: object, **extra: Any) -> Any:
    return client.post("/api/v1/login", {"identifier": identifier}, format="json", **extra)


class TestRateThrottle:
    def test_counts_down_and_then_answers_429(self, client: APIClient) -> None:
        left = []
        for _ in range(3):
            response = client.get("/api/v1/limited")
            assert response.status_code == 204
            assert response["RateLimit-Policy"] == '"per_address";q=3;w=3600'
            left.append(response["RateLimit"].partition(";t=")[0])
        assert left == ['"per_address";r=2', '"per_address";r=1', '"per_address";r=0']
        refused = client.get("/api/v1/limited")
        problem = read(refused, 429)
        assert problem["code"] == "too_many_requests"
        assert 1 <= int(refused["Retry-After"]) <= 3600
        assert problem["retry_after"] == int(refused["Retry-After"])
        assert refused["RateLimit"].startswith('"per_address";r=0;t=')

    def test_shows_each_limit_that_was_counted(self, member: APIClient) -> None:
        response = member.get("/api/v1/limited")
        assert response["RateLimit-Policy"] == '"per_address";q=3;w=3600, "per_user";q=2;w=3600'

    def test_never_says_to_wait_less_than_a_second(self, client: APIClient, settings: Any) -> None:
        settings.RATE_LIMITS = {"per_address": "1/s", "per_user": None}
        refused = next(
            response for _ in range(50) if (response := client.get("/api/v1/limited")).status_code == 429
        )
        assert int(refused["Retry-After"]) >= 1

    def test_a_rate_of_none_lifts_the_limit(self, client: APIClient, settings: Any) -> None:
        settings.RATE_LIMITS = {"per_address": None, "per_user": ""}
        responses = [client.get("/api/v1/limited") for _ in range(10)]
        assert {response.status_code for response in responses} == {204}
        assert "RateLimit" not in responses[0]

    def test_a_rate_of_nought_refuses_all(self, client: APIClient, settings: Any) -> None:
        settings.RATE_LIMITS = {"per_address": "0/h", "per_user": None}
        read(client.get("/api/v1/limited"), 429)

    def test_a_missing_rate_is_a_mistake_of_ours(self, client: APIClient, settings: Any) -> None:
        settings.RATE_LIMITS = {}
        read(client.get("/api/v1/limited"), 500)

    def test_the_switch_of_the_library_lifts_all(self, client: APIClient, settings: Any) -> None:
        settings.RATELIMIT_ENABLE = False
        assert {client.get("/api/v1/limited").status_code for _ in range(9)} == {204}


class TestCacheAway:
    @pytest.fixture(params=[RedisConnectionError("away"), OSError("away"), TimeoutError("away")])
    def away(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise request.param

        monkeypatch.setattr(caches[COUNTERS], "add", fail)

    @pytest.mark.usefixtures("away")
    def test_fails_open_where_little_is_at_stake(self, client: APIClient) -> None:
        assert {client.get("/api/v1/limited").status_code for _ in range(9)} == {204}

    @pytest.mark.usefixtures("away")
    def test_fails_closed_at_sign_in(self, client: APIClient) -> None:
        response = login(client, "m1")
        assert read(response, 503)["code"] == "busy"
        assert response["Retry-After"] == "5"

    def test_reads_a_lost_counter_as_away(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        lost = {"count": 0, "limit": 0, "should_limit": True, "time_left": -1}
        monkeypatch.setattr("bcc.core.rest.throttles.get_usage", lambda *_args, **_kwargs: lost)
        assert client.get("/api/v1/limited").status_code == 204
        read(login(client, "m1"), 503)


class TestKeys:
    def test_equal_identities_share_a_count(self, client: APIClient) -> None:
        forms = ["A1", "a1", " A1 ", "Ａ１"]
        assert [login(client, form).status_code for form in forms] == [200, 200, 429, 429]

    def test_identities_are_counted_apart(self, client: APIClient) -> None:
        assert {login(client, f"m{index}").status_code for index in range(9)} == {200}

    @pytest.mark.parametrize("identifier", [5, None, [], {}])
    def test_what_is_no_text_is_left_to_the_serializer(self, client: APIClient, identifier: object) -> None:
        assert login(client, identifier).status_code == 200

    def test_an_unreadable_body_is_refused_before_it_counts(self, client: APIClient) -> None:
        read(client.post("/api/v1/login", b"[" * 100_000, content_type="application/json"), 400)

    def test_users_are_counted_apart(self, member: APIClient, stranger: APIClient, settings: Any) -> None:
        settings.RATE_LIMITS |= {"per_address": None}
        assert [member.get("/api/v1/limited").status_code for _ in range(3)] == [204, 204, 429]
        assert stranger.get("/api/v1/limited").status_code == 204

    def test_addresses_of_one_ipv6_network_share_a_count(self, client: APIClient) -> None:
        def status(address: str) -> int:
            return int(client.get("/api/v1/limited", REMOTE_ADDR=address).status_code)

        assert [status(f"2001:db8::{index}") for index in range(4)] == [204, 204, 204, 429]
        assert status("2001:db8:0:1::1") == 204
        assert status("192.0.2.1") == 204

    def test_a_forged_header_moves_nobody_to_another_count(self, client: APIClient) -> None:
        def status(index: int) -> int:
            headers = {"X-Forwarded-For": f"192.0.2.{index}"}
            return int(client.get("/api/v1/limited", headers=headers).status_code)

        assert [status(index) for index in range(4)] == [204, 204, 204, 429]


class TestRates:
    @pytest.mark.parametrize(
        ("rate", "parsed"), [("10/m", (10, 60)), ("5/15m", (5, 900)), ("1/s", (1, 1)), ("9/2d", (9, 172_800))]
    )
    def test_reads_a_rate(self, rate: str, parsed: tuple[int, int]) -> None:
        assert parsed_rate(rate) == parsed

    @pytest.mark.parametrize("rate", ["10", "10/", "m", "10/0m", "10/x", "-1/m", "10/m "])
    def test_refuses_what_is_no_rate(self, rate: str) -> None:
        with pytest.raises(ImproperlyConfigured):
            parsed_rate(rate)

    def test_refuses_a_name_without_a_rate(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="nowhere"):
            rate_of("nowhere")

    def test_bounds_an_identity(self) -> None:
        assert len(normalised_identity("x" * 10_000)) == 254
