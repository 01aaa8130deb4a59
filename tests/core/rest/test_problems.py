from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.test import APIClient

from bcc.core import errors
from bcc.core.rest.problems import flattened, problem_of

MEMBERS = ("type", "title", "status", "detail", "code", "request_id")


def read(response: Any, status: int) -> dict[str, Any]:
    """The problem in ``response``, whose form is checked on the way."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert tuple(problem)[:6] == MEMBERS
    assert problem["status"] == status
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["request_id"] == response["X-Request-ID"]
    assert problem["title"].endswith(".")
    assert problem["detail"].endswith(".")
    return problem


class TestExceptionHandler:
    @pytest.mark.parametrize(
        ("what", "status", "code"),
        [
            ("invalid", 400, "invalid"),
            ("sign-in", 401, "not_authenticated"),
            ("not-allowed", 403, "not_allowed"),
            ("missing", 404, "not_found"),
            ("taken", 409, "slot_taken"),
            ("stale", 409, "stale_version"),
            ("rules", 422, "rules_not_met"),
            ("limited", 429, "too_many_requests"),
            ("busy", 503, "busy"),
            ("denied", 403, "not_allowed"),
            ("suspicious", 400, "bad_request"),
            ("parse", 400, "bad_request"),
            ("throttled", 429, "too_many_requests"),
            ("locked", 503, "busy"),
        ],
    )
    def test_gives_each_refusal_its_status_and_code(
        self, client: APIClient, what: str, status: int, code: str
    ) -> None:
        assert read(client.get(f"/api/v1/raise/{what}"), status)["code"] == code

    def test_names_the_fields_of_an_invalid_request(self, client: APIClient) -> None:
        problem = read(client.get("/api/v1/raise/invalid"), 400)
        assert problem["errors"] == {"party": [{"code": "too_many", "detail": "Too many."}]}

    def test_flattens_nested_errors_to_paths(self, client: APIClient) -> None:
        problem = read(client.get("/api/v1/raise/rest"), 400)
        assert set(problem["errors"]) == {"guests.1.name", "other.x"}

    def test_keeps_the_codes_of_a_models_own_validation(self, client: APIClient) -> None:
        problem = read(client.get("/api/v1/raise/model"), 400)
        assert problem["errors"] == {"name": [{"code": "bad_name", "detail": "Not that."}]}

    def test_names_every_rule_with_its_limit_and_offers_alternatives(self, client: APIClient) -> None:
        problem = read(client.get("/api/v1/raise/rules"), 422)
        assert problem["rules"] == [
            {
                "code": "quota",
                "detail": "Two a week.",
                "limit": 2,
                "current": 2,
                "retry_at": "2026-03-01T06:00:00Z",
            },
            {"code": "window", "detail": "Too early.", "limit": None, "current": None, "retry_at": None},
        ]
        assert problem["alternatives"] == [{"starts_at": "2026-03-01T06:00:00Z"}]

    def test_offers_alternatives_to_a_taken_slot(self, client: APIClient) -> None:
        problem = read(client.get("/api/v1/raise/taken"), 409)
        assert problem["alternatives"] == [{"starts_at": "2026-03-01T06:00:00Z"}]

    @pytest.mark.parametrize(("what", "seconds"), [("limited", 7), ("throttled", 2), ("busy", 1)])
    def test_says_how_long_to_wait_in_body_and_header(
        self, client: APIClient, what: str, seconds: int
    ) -> None:
        response = client.get(f"/api/v1/raise/{what}")
        assert response.json()["retry_after"] == seconds
        assert response["Retry-After"] == str(seconds)

    @pytest.mark.parametrize("what", ["missing", "missing-row", "missing-told", "missing-rest"])
    def test_makes_anothers_row_look_like_a_missing_one(self, client: APIClient, what: str) -> None:
        def form(path: str) -> tuple[Any, ...]:
            response = client.get(path, headers={"X-Request-ID": "same"})
            return response.status_code, response.content, sorted(response.headers.items())

        assert form(f"/api/v1/raise/{what}") == form("/api/v1/raise/missing")

    def test_says_nothing_of_a_defect(self, client: APIClient) -> None:
        response = client.get("/api/v1/raise/defect")
        assert read(response, 500)["code"] == "internal_error"
        assert b"hunter2" not in response.content

    @pytest.mark.parametrize("what", ["denied", "suspicious"])
    def test_keeps_internal_reasons_to_itself(self, client: APIClient, what: str) -> None:
        assert b"secret" not in client.get(f"/api/v1/raise/{what}").content

    def test_answers_problems_also_where_the_view_renders_no_json(self, client: APIClient) -> None:
        read(client.get("/api/v1/calendar", headers={"Accept": "text/calendar"}), 404)

    def test_refuses_an_unacceptable_accept_header_as_a_problem(self, client: APIClient) -> None:
        response = client.get("/api/v1/query", headers={"Accept": "image/png"})
        assert read(response, 406)["code"] == "not_acceptable"

    def test_refuses_a_wrong_method_and_names_the_right_ones(self, client: APIClient) -> None:
        response = client.delete("/api/v1/query")
        assert read(response, 405)["code"] == "method_not_allowed"
        assert "GET" in response["Allow"]

    def test_refuses_a_wrong_content_type(self, client: APIClient) -> None:
        response = client.post("/api/v1/echo", "name=x", content_type="application/x-www-form-urlencoded")
        assert read(response, 415)["code"] == "unsupported_media_type"


class TestSignIn:
    @pytest.mark.parametrize("header", [None, "Test dead", "Other x"])
    def test_challenges_who_is_not_signed_in(self, client: APIClient, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header}
        response = client.get("/api/v1/signed", headers=headers)
        assert read(response, 401)["code"] == "not_authenticated"
        assert response["WWW-Authenticate"] == "Bearer"

    def test_challenges_also_on_views_without_authentication(self, client: APIClient) -> None:
        # DRF alone would turn this one into a 403.
        response = client.get("/api/v1/raise/sign-in")
        assert read(response, 401)


class TestProblemOf:
    def test_leaves_a_defect_to_django(self) -> None:
        assert problem_of(RuntimeError("x")) is None

    def test_reads_the_code_of_a_token_librarys_refusal(self) -> None:
        problem = problem_of(
            exceptions.AuthenticationFailed(
                {"detail": "It is dead.", "code": "token_dead"}
            )  # as simplejwt raises it
        )
        assert problem is not None
        assert (problem.status, problem.code, str(problem.detail)) == (401, "token_dead", "It is dead.")

    def test_keeps_the_reason_that_a_permission_gave(self) -> None:
        problem = problem_of(exceptions.PermissionDenied("Pay your dues first.", code="on_hold"))
        assert problem is not None
        assert (problem.status, problem.code, str(problem.detail)) == (403, "on_hold", "Pay your dues first.")

    def test_reads_the_first_of_several_reasons(self) -> None:
        problem = problem_of(exceptions.PermissionDenied(["Pay your dues first.", "And more."]))
        assert problem is not None
        assert str(problem.detail) == "Pay your dues first."

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (RequestDataTooBig(), 413, "body_too_large"),
            (TooManyFieldsSent(), 400, "bad_request"),
            (MultiPartParserError(), 400, "bad_request"),
            (UnreadablePostError(), 400, "bad_request"),
        ],
    )
    def test_takes_an_unreadable_body_for_the_clients_fault(
        self, error: Exception, status: int, code: str
    ) -> None:
        problem = problem_of(error)
        assert problem is not None
        assert (problem.status, problem.code) == (status, code)

    def test_takes_an_unknown_api_exception_as_it_is(self) -> None:
        class TeapotError(exceptions.APIException):
            status_code = 418
            default_code = "teapot"
            default_detail = "No coffee here."

        problem = problem_of(TeapotError())
        assert problem is not None
        assert (problem.status, problem.code) == (418, "teapot")

    def test_adds_members_of_its_own_but_never_over_the_standard_ones(self) -> None:
        problem = problem_of(errors.ConflictError(code="taken", version=3, status=200))
        assert problem is not None
        members = problem.members("id")
        assert (members["version"], members["status"]) == (3, 409)


class TestFlattened:
    @pytest.mark.parametrize(
        ("detail", "paths"),
        [
            (["No."], ["non_field_errors"]),
            ({"non_field_errors": ["No."]}, ["non_field_errors"]),
            ({"guest": {"non_field_errors": ["No."]}}, ["guest"]),
            ({"guests": {0: ["No."], 2: ["No."]}}, ["guests.0", "guests.2"]),
            ({"guests": [{}, {"name": ["No."]}]}, ["guests.1.name"]),
            ([{"name": ["No."]}], ["0.name"]),
            ({"a": ["No.", "Neither."]}, ["a"]),
        ],
    )
    def test_turns_nesting_into_dotted_paths(self, detail: Any, paths: list[str]) -> None:
        assert list(flattened(detail)) == paths


class TestHandlers:
    @pytest.mark.parametrize(
        ("what", "status"), [("missing-row", 404), ("denied", 403), ("suspicious", 400), ("defect", 500)]
    )
    def test_speak_problem_json_under_api(self, client: APIClient, what: str, status: int) -> None:
        response = client.get(f"/api/page/{what}", headers={"Accept": "text/html"})
        read(response, status)
        assert b"secret" not in response.content

    @pytest.mark.parametrize(
        ("what", "status"), [("missing-row", 404), ("denied", 403), ("suspicious", 400), ("defect", 500)]
    )
    def test_keep_djangos_pages_elsewhere(self, client: APIClient, what: str, status: int) -> None:
        response = client.get(f"/page/{what}", headers={"Accept": "text/html"})
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")

    def test_speak_problem_json_elsewhere_to_who_asks_for_json(self, client: APIClient) -> None:
        read(client.get("/page/missing-row", headers={"Accept": "application/json"}), 404)

    def test_answer_an_address_that_does_not_exist_like_a_missing_row(self, client: APIClient) -> None:
        gone = read(client.get("/api/v1/nowhere"), 404)
        missing = read(client.get("/api/v1/raise/missing"), 404)
        assert gone | {"request_id": ""} == missing | {"request_id": ""}

    def test_refuse_a_wrong_host_as_a_problem(self, client: APIClient) -> None:
        read(client.get("/api/v1/keys", headers={"Host": "evil.example"}), 400)

    def test_never_show_djangos_debug_pages(self, client: APIClient, settings: Any) -> None:
        settings.DEBUG = True
        read(client.get("/api/v1/nowhere"), 404)
        read(client.get("/api/page/defect"), 500)
        read(client.get("/api/page/suspicious"), 400)


class TestRequestId:
    def test_is_made_where_the_client_gives_none(self, client: APIClient) -> None:
        assert re.fullmatch(r"[0-9a-f]{32}", client.get("/api/v1/query")["X-Request-ID"])
