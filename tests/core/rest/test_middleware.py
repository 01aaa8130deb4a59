from __future__ import annotations

import re
from typing import Any

import pytest
import structlog
from django.core.signals import request_finished
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.test import APIClient

from bcc.core.rest.middleware import ApiHygieneMiddleware, RequestIdMiddleware
from tests.core.rest.test_problems import read


class TestRequestIdMiddleware:
    @pytest.mark.parametrize("inbound", ["abc", "A-b_c.1", "x" * 64])
    def test_takes_a_sane_id(self, client: APIClient, inbound: str) -> None:
        response = client.get("/api/v1/query", headers={"X-Request-ID": inbound})
        assert response["X-Request-ID"] == inbound

    @pytest.mark.parametrize("inbound", ["", "x" * 65, "a b", "a\r\nb", "ñ", "a;b", '"a"', "a\n"])
    def test_makes_one_where_the_inbound_is_not(self, client: APIClient, inbound: str) -> None:
        response = client.get("/api/v1/query", headers={"X-Request-ID": inbound})
        assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])

    @pytest.mark.parametrize(
        "path", ["/api/v1/nowhere", "/page/defect", "/page/missing-row", "/api/v1/raise/defect"]
    )
    def test_marks_every_response(self, client: APIClient, path: str) -> None:
        assert client.get(path, headers={"X-Request-ID": "mine"})["X-Request-ID"] == "mine"

    def test_binds_it_to_the_log_for_this_request_alone(self) -> None:
        bound: list[Any] = []

        def view(request: Any) -> HttpResponse:
            bound.append((structlog.contextvars.get_contextvars().get("request_id"), request.request_id))
            return HttpResponse()

        RequestIdMiddleware(view)(RequestFactory().get("/", headers={"X-Request-ID": "mine"}))
        assert bound == [("mine", "mine")]
        assert "request_id" not in structlog.contextvars.get_contextvars()


class TestApiHygieneMiddleware:
    @pytest.mark.parametrize(
        ("query", "name"), [("route=a%00b", "route"), ("zz=%00", "zz"), ("a%00b=1", "ab"), ("%00", "query")]
    )
    def test_refuses_a_nul_in_the_query_and_names_it(self, client: APIClient, query: str, name: str) -> None:
        problem = read(client.get(f"/api/v1/query?{query}"), 400)
        assert {field: [one["code"] for one in found] for field, found in problem["errors"].items()} == {
            name: ["nul_character"]
        }

    def test_takes_a_query_that_only_speaks_of_a_nul(self, client: APIClient) -> None:
        assert client.get("/api/v1/query?route=%2500").status_code == 200

    def test_finds_nothing_at_a_path_with_a_nul(self, client: APIClient) -> None:
        read(client.get("/api/v1/raise/a%00b"), 404)

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/api/v1/query?route=%ff%fe", 200), ("/api/v1/%ff%fe", 404), ("/api/v1/%c0%80", 404)],
    )
    def test_stands_broken_utf8(self, client: APIClient, path: str, status: int) -> None:
        assert client.get(path).status_code == status

    def test_lets_nobody_store_what_a_member_reads(self, member: APIClient) -> None:
        assert member.get("/api/v1/signed")["Cache-Control"] == "no-store"

    def test_lets_nobody_store_an_error(self, client: APIClient) -> None:
        assert client.get("/api/v1/raise/missing")["Cache-Control"] == "no-store"

    def test_lets_nobody_store_the_reply_to_a_post(self, client: APIClient) -> None:
        assert client.post("/api/v1/echo", {"name": "x"}, format="json")["Cache-Control"] == "no-store"

    def test_leaves_public_reads_and_what_a_view_said(self, client: APIClient, member: APIClient) -> None:
        assert "Cache-Control" not in client.get("/api/v1/query")
        assert member.get("/api/v1/static")["Cache-Control"] == "private, no-cache"

    def test_forbids_sniffing(self, client: APIClient) -> None:
        assert client.get("/api/v1/query")["X-Content-Type-Options"] == "nosniff"

    def test_leaves_other_paths_alone(self, client: APIClient) -> None:
        response = client.get("/page/missing-row")
        assert "Cache-Control" not in response

    @pytest.mark.parametrize(
        ("status", "problem_status", "code"),
        [
            (403, 403, "not_allowed"),
            (405, 405, "method_not_allowed"),
            (413, 413, "body_too_large"),
            (410, 400, "bad_request"),
            (502, 500, "internal_error"),
        ],
    )
    def test_turns_an_error_page_into_a_problem_and_keeps_what_helps(
        self, monkeypatch: pytest.MonkeyPatch, status: int, problem_status: int, code: str
    ) -> None:
        finished: list[None] = []
        monkeypatch.setattr(request_finished, "send", lambda **_named: finished.append(None))

        def view(_request: Any) -> HttpResponse:
            return HttpResponse("<h1>No.</h1>", status=status, headers={"Allow": "GET", "Retry-After": "3"})

        response = RequestIdMiddleware(ApiHygieneMiddleware(view))(RequestFactory().get("/api/x"))
        assert response.status_code == problem_status
        assert (response["Allow"], response["Retry-After"]) == ("GET", "3")
        assert code.encode() in getattr(response, "content", b"")
        assert not finished, "The request goes on: its database connections are not to be closed yet."
