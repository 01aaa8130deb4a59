"""The middleware of a hot read as one layer, in the place of nineteen.

``FrameMiddleware`` is the first of ``MIDDLEWARE``. For a plain GET of a hot route it does what the others
would, by calling the same functions, and answers; a request that any of them would refuse, redirect or
treat apart (another host, no TLS, an Origin, a cookie, a NUL, maintenance, an app that is too old, no
token) it hands to them untouched. It knows exactly the list that it stands in for: where ``MIDDLEWARE``
is another one it is not used at all. A test runs every hot route through both for each of the cast and
compares replies, headers, counters and log lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, cast

import structlog
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, MiddlewareNotUsed
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, ResolverMatch, get_resolver, resolve
from django.utils.cache import patch_vary_headers
from django_prometheus.middleware import PrometheusBeforeMiddleware

from bcc.core.middleware import MetricsMiddleware, OncePolicyMiddleware, tell_request
from bcc.core.rest.hot import Form
from bcc.core.rest.middleware import has_nul, with_manners
from bcc.core.rest.requestids import HEADER, accepted_request_id
from bcc.maintenance import door_refusal

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# What it stands in for. Who changes MIDDLEWARE comes here, decides what a hot read needs of the new one,
# and until then every request passes all of them.
STANDS_FOR: Final = (
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "bcc.core.rest.middleware.RequestIdMiddleware",
    "bcc.core.middleware.RequestLogMiddleware",
    "bcc.core.rest.middleware.ApiHygieneMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "bcc.core.middleware.OncePolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "bcc.maintenance.ApiDoorMiddleware",
    "bcc.core.middleware.BrowserSessionMiddleware",
    "bcc.core.middleware.BrowserCsrfMiddleware",
    "bcc.core.middleware.BrowserAuthenticationMiddleware",
    "bcc.core.middleware.BrowserOTPMiddleware",
    "bcc.core.middleware.BrowserMessageMiddleware",
    "bcc.core.middleware.BrowserAuditlogMiddleware",
    "bcc.core.middleware.MetricsMiddleware",
)
# Those of them that only add headers, the same for every reply of one scheme.
_HEADERS_ONLY: Final[tuple[Callable[[Any], Any], ...]] = (
    SecurityMiddleware,
    CorsMiddleware,
    OncePolicyMiddleware,
    XFrameOptionsMiddleware,
)
_API: Final = "/api/"
# A request with one of these is another middleware's business, one without the last is refused.
_APART: Final = ("HTTP_ORIGIN", "HTTP_COOKIE")
_TOKEN: Final = "HTTP_AUTHORIZATION"  # noqa: S105 - the name of a header


class FrameMiddleware:
    """See the module's words."""

    def __init__(self, get_response: GetResponse) -> None:
        mine = f"{type(self).__module__}.{type(self).__qualname__}"
        if tuple(settings.MIDDLEWARE) != (mine, *STANDS_FOR) or settings.DISALLOWED_USER_AGENTS:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self._before = PrometheusBeforeMiddleware(get_response)
        self._metrics = MetricsMiddleware(get_response)
        self._headers: dict[bool, tuple[dict[str, str], list[str]]] = {}
        self._tails: tuple[str, ...] | None = None
        self._found = lru_cache(maxsize=1_024)(_hot_match)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = self._match(request)
        asked = _asked(request, match) if match is not None else None
        if asked is None or match is None:
            return self.get_response(request)
        form = _form_of(match)
        self._before.process_request(request)
        request_id = accepted_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        request.request_id = request_id  # type: ignore[attr-defined]  # Django's request takes attributes of ours
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            began = time.perf_counter()
            self._metrics.process_request(request)
            request.resolver_match = match
            self._metrics.process_view(request, match.func)
            response = self._answered(request, form, asked, match)
            self._metrics.process_response(request, response)
            self._dress(request, response)
            response = with_manners(request, response)
            tell_request(request, response, began)
        finally:
            structlog.contextvars.reset_contextvars(**bound)
        response.headers[HEADER] = request_id
        self._before.process_response(request, response)
        return response

    def _match(self, request: HttpRequest) -> ResolverMatch | None:
        """The hot route of a request that no middleware would stop or treat apart, else None."""
        path, meta = request.path_info, request.META
        if request.method != "GET" or not path.startswith(_API):
            return None
        if self._tails is None:
            self._tails = tuple(_tails(get_resolver().url_patterns))
        if not path.endswith(self._tails) or _TOKEN not in meta or any(meta.get(name) for name in _APART):
            return None
        if has_nul(request) or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
            return None
        if settings.PREPEND_WWW or door_refusal(request) is not None:
            return None
        try:
            request.get_host()
        except DisallowedHost:
            return None
        return self._found(path)

    def _answered(
        self, request: HttpRequest, form: Form, asked: Any, match: ResolverMatch
    ) -> HttpResponseBase:
        try:
            response = form.answer(request, asked, match.kwargs)
            if isinstance(response, SimpleTemplateResponse):  # a refusal is DRF's, still to be rendered
                response.render()
            return response
        except Exception as error:  # noqa: BLE001 - Django's own handling, as around each middleware
            self._metrics.process_exception(request, error)
            return response_for_exception(request, error)

    def _dress(self, request: HttpRequest, response: HttpResponseBase) -> None:
        secure = request.is_secure()
        known = self._headers.get(secure)
        if known is None:
            known = self._headers[secure] = _usual_headers(request)
        headers, vary = known
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        patch_vary_headers(response, vary)
        if not response.streaming and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]


def _usual_headers(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    """What the middleware that only adds headers adds to an empty reply, and what it lets it vary by."""
    chain: Any = lambda _request: HttpResponse()  # noqa: E731 - the innermost of a chain
    for middleware in reversed(_HEADERS_ONLY):
        chain = middleware(chain)
    headers = dict(chain(request).headers)
    del headers["Content-Type"]
    vary = [one.strip() for one in headers.pop("Vary", "").split(",") if one.strip()]
    return headers, vary


def _tails(patterns: Iterable[Any], before: str = "") -> Iterator[str]:
    """What the paths of hot routes end with: the part of each after its last parameter."""
    for one in patterns:
        route = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _tails(one.url_patterns, route)
        elif hasattr(one.callback, "form"):
            yield route.rpartition(">")[2]


def _asked(request: HttpRequest, match: ResolverMatch) -> Any | None:
    try:
        return _form_of(match).asked(request, match.kwargs)
    except Exception:  # noqa: BLE001 - it is raised again where all the middleware is
        return None


def _form_of(match: ResolverMatch) -> Form:
    return cast("Form", match.func.form)  # type: ignore[attr-defined]  # hot() put it there


def _hot_match(path: str) -> ResolverMatch | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match if hasattr(match.func, "form") else None
