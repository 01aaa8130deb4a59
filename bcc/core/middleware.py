"""What every request passes, and what only a browser's does.

The API, the sockets, health and metrics know no session: on their paths the middleware of Django's
admin steps aside, so a request there reads no session and sets no cookie. Each is a subclass of
the stock one, because Django's own checks look for those by class.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from auditlog.middleware import AuditlogMiddleware
from csp.constants import HEADER
from csp.middleware import CheckableLazyObject, CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django_otp.middleware import OTPMiddleware
from django_prometheus.middleware import PrometheusAfterMiddleware
from django_prometheus.utils import Time

from bcc.core.addresses import known_address
from bcc.core.logs import write_line

GetResponse = Callable[[HttpRequest], HttpResponseBase]
log = logging.getLogger("bcc.request")


def is_browserless(request: HttpRequest) -> bool:
    """Whether ``request`` is for a path where nobody signs in with a cookie."""
    return request.path_info.startswith(settings.BROWSERLESS_PATHS)


class RequestLogMiddleware:
    """One line a request: method, route, status, duration; the request's id is bound already."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        tell_request(request, response, began)
        return response


def tell_request(request: HttpRequest, response: HttpResponseBase, began: float) -> None:
    """The line of a request that ``began`` at an instant of ``time.perf_counter``."""
    match = request.resolver_match
    write_line(
        log,
        "request",
        method=request.method,
        # The pattern, not the path: ids and whatever a client made up stay out of the logs.
        route=match.route if match else "(none)",
        status=response.status_code,
        duration_ms=round((time.perf_counter() - began) * 1000, 1),
    )


class MetricsMiddleware(PrometheusAfterMiddleware):
    """Prometheus's numbers; the counter of each set of labels is looked up once.

    The stock one checks and joins the labels anew for each of a dozen counters of a request.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        # As many as the metrics themselves hold.
        self._counters: dict[tuple[Any, ...], Any] = {}

    def label_metric(self, metric: Any, request: Any, response: Any = None, **labels: Any) -> Any:
        if not labels:
            return metric
        key = (metric, *labels.values())
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = metric.labels(**labels)
        return counter

    def process_request(self, request: HttpRequest) -> None:
        """As the stock one, which makes an object of all headers to read one of them."""
        method, transport = self._method(request), self._transport(request)
        self.label_metric(self.metrics.requests_by_method, request, method=method).inc()
        self.label_metric(self.metrics.requests_by_transport, request, transport=transport).inc()
        if request.META.get("HTTP_X_REQUESTED_WITH") == "XMLHttpRequest":
            self.metrics.requests_ajax.inc()
        self.metrics.requests_body_bytes.observe(int(request.META.get("CONTENT_LENGTH") or 0))
        request.prometheus_after_middleware_event = Time()  # type: ignore[attr-defined]  # the stock one's own


class _BrowserOnly:
    """Steps aside on browserless paths; stands before a stock middleware in the bases."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_browserless(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # the stock middleware, next in the bases


class BrowserSessionMiddleware(_BrowserOnly, SessionMiddleware):
    """Sessions, for the admin."""


class BrowserCsrfMiddleware(_BrowserOnly, CsrfViewMiddleware):
    """Cross-site request forgery, where a cookie is what signs a request."""

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        if is_browserless(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class OncePolicyMiddleware(CSPMiddleware):
    """Content-Security-Policy; where no view changed it and no nonce is in it, the header is made once.

    The stock one puts it together anew for each reply, a tenth of the price of a small one.
    """

    _OWN: Final = tuple(
        f"_csp_{what}{kind}" for what in ("config", "update", "replace", "exempt") for kind in ("", "_ro")
    )
    _usual: str | None = None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if (
            settings.DEBUG
            or getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
            or getattr(request, "_csp_nonce", None) is not None
            or HEADER in response.headers
            or any(name in response.__dict__ for name in self._OWN)
        ):
            return super().process_response(request, response)
        if self._usual is None:
            made = super().process_response(request, response)
            self._usual = made.headers.get(HEADER, "")
            return made
        response.headers[HEADER] = self._usual
        # As the stock one: a nonce that is drawn now would not be in the header.
        request.csp_nonce = CheckableLazyObject(self._csp_nonce_post_response)  # type: ignore[attr-defined]
        return response


class BrowserAuthenticationMiddleware(_BrowserOnly, AuthenticationMiddleware):
    """``request.user`` from the session, for the admin; on the API from the bearer token."""


class BrowserOTPMiddleware(_BrowserOnly, OTPMiddleware):
    """``request.user.is_verified()``, for staff."""


class BrowserMessageMiddleware(_BrowserOnly, MessageMiddleware):
    """Messages to the person at the admin."""


class BrowserAuditlogMiddleware(_BrowserOnly, AuditlogMiddleware):
    """The audit log's actor and address, for what staff edit."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        # The stock one believes the first entry of X-Forwarded-For, which anybody may write.
        return known_address(request)
