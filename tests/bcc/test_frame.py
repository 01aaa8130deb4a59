"""One layer in the place of nineteen: whatever comes, the reply and what is noted of it are the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, cast

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from accounts.models import Member, User
from bcc import frame, maintenance
from bcc.frame import STANDS_FOR, FrameMiddleware
from bcc.settings import base
from facilities.models import Facility
from reservations.views import hot as hot_views
from tests.reservations.api.calls import RESERVATIONS

pytestmark = pytest.mark.django_db

FRAME: Final = "bcc.frame.FrameMiddleware"
# Drawn anew, or counted on, at each request.
OF_THE_REQUEST: Final = {"X-Request-ID", "RateLimit"}
Client = Callable[[Member | User], APIClient]


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the one layer answered."""
    answered: list[str] = []
    real = FrameMiddleware._answered

    def noted(self: FrameMiddleware, request: HttpRequest, *rest: Any) -> Any:
        answered.append(request.path_info)
        return real(self, request, *rest)

    monkeypatch.setattr(FrameMiddleware, "_answered", noted)
    return answered


@pytest.fixture
def path(court: Facility) -> str:
    return f"/api/v1/facilities/{court.public_id}/availability"


@pytest.fixture
def stacked(settings: Any) -> Callable[[APIClient], APIClient]:
    """A client of the same signs of identity whose requests pass every middleware."""

    def without_the_frame(client: APIClient) -> APIClient:
        other = APIClient()
        other.credentials(**client._credentials)  # type: ignore[attr-defined]  # DRF's own
        other.raise_request_exception = client.raise_request_exception
        listed = settings.MIDDLEWARE
        settings.MIDDLEWARE = [name for name in listed if name != FRAME]
        other.handler.load_middleware()
        settings.MIDDLEWARE = listed
        return other

    return without_the_frame


def told(response: Any) -> tuple[int, Any, dict[str, Any]]:
    """Status, body and headers, without what is of the one request."""
    headers = {name: value for name, value in response.items() if name not in OF_THE_REQUEST}
    if "Content-Security-Policy" in headers:
        headers["Content-Security-Policy"] = set(headers["Content-Security-Policy"].split("; "))
    assert response.has_header("X-Request-ID")
    body = response.content
    if response.headers.get("Content-Type") == "application/problem+json":
        body = {name: value for name, value in response.json().items() if name != "request_id"}
        headers.pop("Content-Length", None)  # of the id in the body
    return response.status_code, body, headers


def counters() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Prometheus's counts of requests by name and labels; times vary, so their sums are left out."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        if family.name.startswith("django_http")
        for sample in family.samples
        if sample.name.endswith(("_total", "_count")) or "body" in sample.name
    }


def moved(ask: Callable[[], Any]) -> tuple[Any, dict[Any, float]]:
    before = counters()
    response = ask()
    after = counters()
    return response, {
        key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)
    }


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """The requests' lines since the last look, without what is of the one request."""
    caplog.set_level(logging.INFO, logger="bcc.request")

    def look() -> list[dict[str, Any]]:
        found = [
            dict(cast("dict[str, Any]", record.msg))
            for record in caplog.records
            if record.name == "bcc.request"
        ]
        caplog.clear()
        for line in found:
            assert len(line.pop("request_id")) == 32
            assert line.pop("duration_ms") >= 0
            assert line.pop("timestamp").endswith("Z")
        return found

    return look


@pytest.fixture
def assert_alike(
    stacked: Callable[[APIClient], APIClient],
    lines: Callable[[], list[dict[str, Any]]],
    framed: list[str],
) -> Callable[..., Any]:
    """Ask through the one layer and through all: reply, headers, counters and lines are equal."""

    def ask(client: APIClient, url: str, *, by_the_frame: bool, method: str = "get", **extra: Any) -> Any:
        every = stacked(client)
        framed.clear()
        lines()
        one, counted = moved(lambda: getattr(client, method)(url, **extra))
        line = lines()
        assert bool(framed) is by_the_frame
        framed.clear()
        other, counted_there = moved(lambda: getattr(every, method)(url, **extra))
        assert not framed
        assert told(one) == told(other)
        assert counted == counted_there
        assert line == lines()
        assert len(line) == 1
        return one

    return ask


class TestAlike:
    @pytest.mark.parametrize("secure", [False, True])
    @pytest.mark.parametrize("who", ["owner", "spouse", "dependent", "stranger", "front_desk"])
    def test_for_each_of_the_cast(
        self,
        request: pytest.FixtureRequest,
        who: str,
        secure: bool,
        client_of: Client,
        path: str,
        assert_alike: Callable[..., Any],
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        for url in (path, f"{path}?from=2026-06-02&to=2026-06-05", f"{RESERVATIONS}?when=upcoming"):
            reply = assert_alike(client, url, by_the_frame=True, secure=secure)
            assert reply.status_code == (403 if who == "front_desk" else 200)

    def test_for_who_has_the_bytes(
        self, client_of: Client, owner: Member, path: str, assert_alike: Callable[..., Any]
    ) -> None:
        client = client_of(owner)
        known = {"If-None-Match": client.get(path)["ETag"]}
        assert assert_alike(client, path, by_the_frame=True, headers=known).status_code == 304

    def test_for_a_token_that_is_none(self, path: str, assert_alike: Callable[..., Any]) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
        assert assert_alike(client, path, by_the_frame=True).status_code == 401

    def test_for_a_facility_that_is_not_there(
        self, client_of: Client, owner: Member, assert_alike: Callable[..., Any]
    ) -> None:
        missing = "/api/v1/facilities/11111111-1111-4111-8111-111111111111/availability"
        assert assert_alike(client_of(owner), missing, by_the_frame=True).status_code == 404

    def test_above_a_limit_which_is_one_for_both(
        self, client_of: Client, owner: Member, path: str, settings: Any, assert_alike: Callable[..., Any]
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "reads": "2/h"}
        client = client_of(owner)
        assert assert_alike(client, path, by_the_frame=True).status_code == 200
        refused = assert_alike(client, path, by_the_frame=True)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) >= 1

    @pytest.mark.parametrize("error", [ValueError("a fault of ours"), OperationalError("gone")])
    def test_for_what_nobody_expected(
        self,
        client_of: Client,
        owner: Member,
        path: str,
        error: Exception,
        monkeypatch: pytest.MonkeyPatch,
        assert_alike: Callable[..., Any],
    ) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> bytes:
            raise error

        client = client_of(owner)
        client.raise_request_exception = False
        monkeypatch.setattr(hot_views.FastAvailability, "answer", fail)
        assert assert_alike(client, path, by_the_frame=True).status_code == 500

    def test_keeps_the_id_of_a_client_and_leaves_none_behind(
        self, client_of: Client, owner: Member, path: str, framed: list[str]
    ) -> None:
        import structlog

        client = client_of(owner)
        assert (
            client.get(path, headers={"X-Request-ID": "one-of-the-apps"})["X-Request-ID"] == "one-of-the-apps"
        )
        assert len(client.get(path, headers={"X-Request-ID": "no id: \\n"})["X-Request-ID"]) == 32
        assert structlog.contextvars.get_contextvars() == {}
        assert len(framed) == 2


class TestHandsOver:
    """What a middleware would refuse, redirect or treat apart passes them all."""

    @pytest.mark.parametrize(
        ("extra", "status"),
        [
            ({"headers": {"Origin": "https://app.example.com"}}, 200),
            ({"headers": {"Cookie": "sessionid=x"}}, 200),
            ({"headers": {"Host": "evil.example.com"}}, 400),
            ({"headers": {"X-App-Version": "0.0.1"}}, 426),
            ({"headers": {"X-App-Version": "new"}}, 400),
            ({"headers": {"Accept": "text/html"}}, 406),
            ({"QUERY_STRING": "from=%00"}, 400),
            ({"QUERY_STRING": "unknown=1"}, 400),
            ({"QUERY_STRING": "&".join(["from=2026-06-02"] * 2_500)}, 400),
        ],
    )
    def test_a_request_that_is_not_plain(
        self,
        client_of: Client,
        owner: Member,
        path: str,
        extra: dict[str, Any],
        status: int,
        assert_alike: Callable[..., Any],
    ) -> None:
        assert assert_alike(client_of(owner), path, by_the_frame=False, **extra).status_code == status

    @pytest.mark.parametrize("method", ["head", "options", "post", "delete"])
    def test_another_method(
        self, client_of: Client, owner: Member, path: str, method: str, assert_alike: Callable[..., Any]
    ) -> None:
        assert_alike(client_of(owner), path, by_the_frame=False, method=method)

    def test_who_brings_no_token(self, path: str, assert_alike: Callable[..., Any]) -> None:
        assert assert_alike(APIClient(), path, by_the_frame=False).status_code == 401

    @pytest.mark.parametrize(
        "other", ["/api/v1/time", "/api/v1/facilities/x/availability", "/admin/availability", "/availability"]
    )
    def test_another_path(
        self, client_of: Client, owner: Member, other: str, assert_alike: Callable[..., Any], court: Facility
    ) -> None:
        assert_alike(client_of(owner), other, by_the_frame=False)

    def test_a_request_without_tls_where_it_is_asked_for(
        self, client_of: Client, owner: Member, path: str, settings: Any, framed: list[str]
    ) -> None:
        settings.SECURE_SSL_REDIRECT = True
        client = client_of(owner)
        assert client.get(path).status_code == 301
        assert not framed
        assert client.get(path, secure=True).status_code == 200
        assert framed

    def test_everything_in_maintenance(
        self, client_of: Client, owner: Member, path: str, settings: Any, tmp_path: Any, framed: list[str]
    ) -> None:
        settings.DATA_DIR = tmp_path
        client = client_of(owner)
        maintenance.switch_on()
        assert client.get(path).status_code == 503
        assert not framed
        maintenance.switch_off()
        assert client.get(path).status_code == 200
        assert framed


class TestList:
    def test_is_the_one_that_it_stands_in_for(self) -> None:
        """Else the frame is not used, and hot reads pay for all of them again."""
        assert [FRAME, *STANDS_FOR] == base.MIDDLEWARE
        FrameMiddleware(lambda _request: HttpResponse())

    @pytest.mark.parametrize("at", [0, 1, 9, len(STANDS_FOR) + 1])
    def test_with_one_more_is_not_stood_in_for(self, settings: Any, at: int) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE[:at], "somebody.Elses", *settings.MIDDLEWARE[at:]]
        with pytest.raises(MiddlewareNotUsed):
            FrameMiddleware(lambda _request: HttpResponse())

    def test_with_one_less_is_not_stood_in_for(self, settings: Any) -> None:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ApiDoor" not in name]
        with pytest.raises(MiddlewareNotUsed):
            FrameMiddleware(lambda _request: HttpResponse())

    def test_is_not_stood_in_for_where_agents_are_refused(self, settings: Any) -> None:
        settings.DISALLOWED_USER_AGENTS = ["bad"]
        with pytest.raises(MiddlewareNotUsed):
            FrameMiddleware(lambda _request: HttpResponse())

    def test_of_hot_paths_is_found_in_the_urls(self) -> None:
        from django.urls import get_resolver

        tails = set(frame._tails(get_resolver("bcc.urls").url_patterns))
        assert tails == {"/availability", "api/v1/reservations"}
