from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
from csp.constants import NONCE
from csp.decorators import csp_exempt, csp_update
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string
from pytest_django import DjangoAssertNumQueries

from accounts.models import Member, User
from bcc.core.middleware import OncePolicyMiddleware, is_browserless
from tests.factories import UserFactory


class TestIsBrowserless:
    @pytest.mark.parametrize(
        "path", ["/api/v1/time", "/ws/v1", "/health/live", "/health/ready", "/metrics", "/static/a.css"]
    )
    def test_says_yes_where_nobody_has_a_cookie(self, path: str) -> None:
        assert is_browserless(RequestFactory().get(path))

    @pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/apiary", "/api"])
    def test_says_no_elsewhere(self, path: str) -> None:
        assert not is_browserless(RequestFactory().get(path))


class TestBrowserMiddleware:
    @pytest.mark.parametrize(
        "stock", [SessionMiddleware, CsrfViewMiddleware, AuthenticationMiddleware, MessageMiddleware]
    )
    def test_is_all_there_once(self, stock: type) -> None:
        classes = [import_string(name) for name in settings.MIDDLEWARE]
        assert sum(isinstance(one, type) and issubclass(one, stock) for one in classes) == 1

    @pytest.mark.django_db
    def test_stays_off_the_api(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        user = UserFactory.create(is_staff=True, is_superuser=True)
        client.force_login(user)
        with django_assert_num_queries(0):
            response = client.get("/api/v1/time")
        assert response.status_code == 200
        assert not response.cookies
        assert "Cookie" not in response.headers.get("Vary", "")
        assert not hasattr(response.wsgi_request, "session")

    @pytest.mark.django_db
    def test_does_not_let_a_session_into_the_api(self, client: Client, front_desk: User) -> None:
        client.force_login(front_desk)
        assert client.get("/api/v1/me").status_code == 401

    @pytest.mark.django_db
    def test_gives_the_admin_a_session(self, client: Client) -> None:
        response = client.get("/admin/login/")
        assert response.status_code == 200
        assert settings.CSRF_COOKIE_NAME in response.cookies

    @pytest.mark.django_db
    def test_checks_the_admins_forms_for_forgery(self) -> None:
        response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
        assert response.status_code == 403

    @pytest.mark.django_db
    def test_asks_the_api_for_no_forgery_token(self) -> None:
        response = Client(enforce_csrf_checks=True).post(
            "/api/v1/time", b"{}", content_type="application/json"
        )
        assert response.status_code == 405


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[Any]]:
    """The requests' lines that were written so far."""
    caplog.set_level(logging.INFO, logger="bcc.request")
    return lambda: [record.msg for record in caplog.records if record.name == "bcc.request"]


class TestRequestLogMiddleware:
    @pytest.mark.django_db
    def test_writes_one_line_with_the_route(self, client: Client, lines: Callable[[], list[Any]]) -> None:
        client.get("/api/v1/time", headers={"X-Request-ID": "one-of-the-apps"})
        (line,) = lines()
        assert line["event"] == "request"
        assert line["request_id"] == "one-of-the-apps"
        assert line["method"] == "GET"
        assert line["route"] == "api/v1/time"
        assert line["status"] == 200
        assert line["duration_ms"] >= 0

    @pytest.mark.django_db
    def test_writes_the_pattern_and_never_the_path(
        self, client: Client, owner: Member, lines: Callable[[], list[Any]]
    ) -> None:
        client.get(f"/api/v1/reservations/{owner.public_id}")
        client.get("/api/v1/secret-of-a-client")
        assert str(owner.public_id) not in str(lines())
        assert lines()[1]["route"] == "(none)"


class TestSecurityPolicy:
    """Made once, and the same as if it were made each time."""

    def test_is_the_settings_own_on_every_reply(self, client: Client) -> None:
        first, second = client.get("/health/live"), client.get("/api/v1/time")
        told = {
            name: set(rest)
            for name, *rest in (part.split() for part in first["Content-Security-Policy"].split("; "))
        }
        directives: dict[str, list[str]] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]  # type: ignore[assignment]
        without_nonce = {
            name: {str(one) for one in values} - {str(NONCE)} for name, values in directives.items()
        }
        assert told == without_nonce
        assert first["Content-Security-Policy"] == second["Content-Security-Policy"]

    def ask(self, policy: OncePolicyMiddleware, path: str = "/") -> HttpResponse:
        return cast(HttpResponse, policy(RequestFactory().get(path)))

    def test_has_a_nonce_of_its_own_on_each_reply_that_asks_for_one(self) -> None:
        def page(request: Any) -> HttpResponse:
            return HttpResponse(str(request.csp_nonce) if request.GET else "")

        policy = OncePolicyMiddleware(page)
        plain = [self.ask(policy) for _reply in range(2)]
        asking = [self.ask(policy, "/?nonce=1") for _reply in range(2)]
        for reply in asking:
            assert f"'nonce-{reply.content.decode()}'" in reply["Content-Security-Policy"]
        assert asking[0].content != asking[1].content
        for reply in [*plain, self.ask(policy)]:
            assert "nonce-" not in reply["Content-Security-Policy"]

    def test_is_left_to_who_changes_it(self) -> None:
        @csp_update({"img-src": "https://elsewhere.example"})
        def changed(request: Any) -> HttpResponse:
            return HttpResponse()

        @csp_exempt()
        def exempt(request: Any) -> HttpResponse:
            return HttpResponse()

        views = {"/": lambda request: HttpResponse(), "/changed": changed, "/exempt": exempt}
        policy = OncePolicyMiddleware(lambda request: views[request.path](request))
        for _time in range(2):
            assert "elsewhere" not in self.ask(policy)["Content-Security-Policy"]
            assert "elsewhere" in self.ask(policy, "/changed")["Content-Security-Policy"]
            assert "Content-Security-Policy" not in self.ask(policy, "/exempt")
