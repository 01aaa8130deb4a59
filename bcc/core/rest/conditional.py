"""Conditional requests: ETags of the very bytes, 304 for who has them, 412 for who has older ones."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bcc.core.errors import InvalidError, PreconditionFailedError
from bcc.core.rest.renderers import dump_bytes

IF_MATCH: Final = "If-Match"
# What a 304 repeats of the 200 that it stands for (RFC 9110, 15.4.5), and what the frame adds to all.
_KEPT_ON_304: Final = (
    "Cache-Control",
    "Content-Location",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Vary",
)


def etag_of(body: bytes) -> str:
    """A strong ETag: the first 128 bits of the SHA-256 of ``body``, quoted."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def not_modified(request: Request, etag: str) -> bool:
    """Whether the client's If-None-Match names ``etag`` (weak comparison)."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    known = parse_etags(header)
    return "*" in known or _strong(etag) in {_strong(one) for one in known}


def require_if_match(request: Request, data: object) -> None:
    """Refuse a change that was not made from ``data``, the present representation of the GET.

    Call it inside the transaction, after the row is locked and before it changes. A ``W/`` is
    overlooked: a proxy that compresses weakens our ETag, and its opaque part still names our bytes.

    Raises InvalidError (``if_match_required``) without the header, PreconditionFailedError if it is stale.
    """
    header = request.headers.get(IF_MATCH)
    named = parse_etags(header) if header else []
    if not named:
        text = _("Send the ETag that you read as If-Match, so that no change of others is lost.")
        raise InvalidError(text, code="if_match_required", errors={IF_MATCH: [("if_match_required", text)]})
    if "*" not in named and etag_of(dump_bytes(data)) not in {_strong(one) for one in named}:
        raise PreconditionFailedError


def _strong(etag: str) -> str:
    return etag.removeprefix("W/")


class ConditionalGetMixin(APIView):
    """Gives each 200 to a GET or HEAD its ETag, and a 304 to who has it. Stands before the view class."""

    cache_control: str = "private, no-cache"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or final.status_code != 200 or final.streaming:
            return final
        if isinstance(final, Response):
            final.render()  # now rather than after the middleware: the ETag is of the bytes
        return conditional(request, final, cache_control=self.cache_control)


def conditional(request: Request, response: HttpResponse, *, cache_control: str) -> HttpResponse:
    """``response``, a 200 with its body, with its ETag; or the 304 for who has those bytes."""
    response.headers.setdefault("ETag", etag_of(response.content))
    response.headers.setdefault("Cache-Control", cache_control)
    if not not_modified(request, response.headers["ETag"]):
        return response
    bare = HttpResponseNotModified()
    for name in _KEPT_ON_304:
        if name in response.headers:
            bare.headers[name] = response.headers[name]
    return bare
