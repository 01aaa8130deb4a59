"""What every request gets: an id. And every one under ``/api/``: manners.

Listed as ``RequestIdMiddleware`` (first of all) and ``ApiHygieneMiddleware`` (second), so that
what other middleware refuses passes them on its way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from bcc.core.errors import DomainError, InvalidError, NotAllowedError, NotFoundError
from bcc.core.rest.problems import (
    BadRequestError,
    InternalError,
    MethodNotAllowedError,
    TooLargeError,
    problem_response,
)
from bcc.core.rest.requestids import HEADER, accepted_request_id
from bcc.core.rest.throttles import add_rate_headers

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_API: Final = "/api/"
_NO_STORE: Final = "no-store"


class RequestIdMiddleware:
    """Takes a sane ``X-Request-ID`` or makes one; on the request, in each log line, on each response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = accepted_request_id(request.headers.get(HEADER))
        request.request_id = request_id  # type: ignore[attr-defined]  # Django's request takes attributes of ours
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response


class ApiHygieneMiddleware:
    """Under ``/api/``: no NUL, no page for an error, no caching unless the view says so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_API):
            return self.get_response(request)
        return with_manners(request, self._refused(request) or self.get_response(request))

    def _refused(self, request: HttpRequest) -> HttpResponseBase | None:
        if not has_nul(request):
            return None
        if "\0" in request.path_info:
            return problem_response(request, NotFoundError())
        text = _("NUL characters are not allowed. Remove them and send it again.")
        named = [
            name.replace("\0", "") or "query"
            for name, values in request.GET.lists()
            if "\0" in name or any("\0" in value for value in values)
        ]
        return problem_response(
            request, InvalidError(errors={name: [("nul_character", text)] for name in named})
        )


def has_nul(request: HttpRequest) -> bool:
    """Whether a NUL stands in the path or the parameters, which no database takes."""
    query = request.META.get("QUERY_STRING", "")
    return "\0" in request.path_info or "%00" in query or "\0" in query


def with_manners(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """``response`` as the API sends it: a problem in place of a page, its limits, kept by nobody else."""
    response = _as_problem(request, response)
    add_rate_headers(request, response)
    if "Cache-Control" not in response and not _may_be_cached(request, response):
        response["Cache-Control"] = _NO_STORE
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _may_be_cached(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Only what anybody may read by GET: a sign-in's reply holds tokens, a member's GET their data."""
    return (
        request.method in ("GET", "HEAD")
        and response.status_code < 400
        and "HTTP_AUTHORIZATION" not in request.META
        and not request.COOKIES
    )


_PLAIN_ERRORS: Final[dict[int, type[DomainError]]] = {
    403: NotAllowedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
}


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """An error page, which Django's own views, other middleware and DEBUG make, as problem+json."""
    kind = response.headers.get("Content-Type", "")
    if response.status_code < 400 or not kind.startswith("text/"):
        return response
    error = _PLAIN_ERRORS.get(
        response.status_code, BadRequestError if response.status_code < 500 else InternalError
    )
    replaced = problem_response(request, error())
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            replaced[name] = response.headers[name]
    return replaced
