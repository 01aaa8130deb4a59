"""Hot reads: two forms of one route, joined so that the quick one skips no check.

``hot(view, fast)`` is the view for the URL configuration. A plain GET (JSON wanted, no body, parameters
that ``fast`` knows) passes the view's own authentication, permission and throttle classes and is
answered with the bytes that ``fast`` makes; everything else goes to the view. Refusals and errors are
the view's own too. The schema shows the view. A test runs both forms for each of the cast.

The two steps of the quick form, ``asked`` and ``answer``, are also for a frame that stands in for the
middleware (``bcc.frame``): it finds them as ``form`` on the callback of a route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.views import APIView

from bcc.core.rest.conditional import ConditionalGetMixin, conditional
from bcc.core.rest.renderers import JSON, JSONBytesResponse

PLAIN_ACCEPT: Final = frozenset({"", "*/*", JSON, f"{JSON}, */*", f"{JSON}, text/plain, */*"})

A = TypeVar("A")


class Fast(Protocol[A]):
    """The quick form of a view's GET."""

    def asked(self, http: HttpRequest, **kwargs: Any) -> A | None:
        """What a plain request asks for; None hands it to the view, as for any parameter that is off."""
        ...

    def answer(self, request: Request, asked: A) -> bytes:
        """The body of the 200. Raises the DomainErrors that the view would."""
        ...


class Form:
    """A view's quick form with the view's checks."""

    def __init__(self, view_class: type[APIView], fast: Fast[Any]) -> None:
        self._view_class = view_class
        self._fast = fast
        view = view_class()
        view.setup(HttpRequest())  # which gives a view its HEAD
        self._allow = ", ".join(view.allowed_methods)

    def asked(self, http: HttpRequest, kwargs: Mapping[str, Any]) -> Any | None:
        """What ``http`` asks of the quick form; None where it is the view's to answer."""
        return self._fast.asked(http, **kwargs) if _is_plain(http) else None

    def answer(self, http: HttpRequest, asked: Any, kwargs: Mapping[str, Any]) -> HttpResponseBase:
        """The reply, or the view's own refusal, which is still to be rendered.

        Raises what the view's exception handler does not know.
        """
        checks = self._view_class()
        checks.setup(http, **kwargs)
        request = checks.request = Request(http, authenticators=checks.get_authenticators())
        checks.headers = {}
        try:
            checks.perform_authentication(request)
            checks.check_permissions(request)
            checks.check_throttles(request)
            body = self._fast.answer(request, asked)
        except Exception as error:  # noqa: BLE001 - the view's own handler raises what it does not know
            checks.headers = checks.default_response_headers
            refused = checks.handle_exception(error)
            return checks.finalize_response(request, refused, **kwargs)
        response = JSONBytesResponse(body)
        response.headers["Allow"] = self._allow
        if isinstance(checks, ConditionalGetMixin):
            return conditional(request, response, cache_control=checks.cache_control)
        return response


def hot(view_class: type[APIView], fast: Fast[Any]) -> Callable[..., HttpResponseBase]:
    """One route of two forms; ``view_class`` carries its checks, its schema and its other methods."""
    view, form = view_class.as_view(), Form(view_class, fast)

    def route(http: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = form.asked(http, kwargs)
        if asked is None:
            return view(http, *args, **kwargs)
        return form.answer(http, asked, kwargs)

    for name in ("cls", "view_class", "view_initkwargs", "initkwargs"):
        if hasattr(view, name):
            setattr(route, name, getattr(view, name))
    route.form = form  # type: ignore[attr-defined]  # the frame and the tests look for it
    route.__doc__ = view_class.__doc__
    route.__name__ = view_class.__name__
    return csrf_exempt(route)


def _is_plain(http: HttpRequest) -> bool:
    return (
        http.method == "GET"
        and http.META.get("HTTP_ACCEPT", "") in PLAIN_ACCEPT
        and http.META.get("CONTENT_LENGTH") in (None, "", "0")
    )
