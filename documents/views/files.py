"""One answer for every route that serves stored bytes.

    return file_response(request, asset, name="SOA_2026-10_T-00001.pdf")

With ``FILES_BY_PROXY`` the proxy sends the bytes (``X-Accel-Redirect``) and this process only said
that it may; without it small files go as bytes and large ones are streamed. Both answer ``Range``,
``If-Range``, ``If-None-Match`` and HEAD alike; the ETag is the hash of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from bcc.core.downloads import content_disposition
from bcc.core.errors import DomainError, PreconditionFailedError
from bcc.core.rest.problems import problem_response
from documents.models import Asset
from documents.policies.ranges import ByteRange, UnsatisfiableRangeError, asked_range
from documents.services.assets import open_asset
from documents.services.places import internal_address

# Up to here a file is one write of the server, and no generator.
SMALL: Final = 256 * 1024
BLOCK: Final = 64 * 1024
# nginx would answer these by its own idea of the file's version.
_NOT_FOR_PROXY: Final = ("If-Match", "If-Unmodified-Since")


class Caching(Enum):
    """Who may keep the bytes. A document is kept by nobody; what never changes by everybody."""

    PRIVATE = "private, no-store"
    IMMUTABLE = "public, max-age=31536000, immutable"
    PRIVATE_IMMUTABLE = "private, max-age=31536000, immutable"


class RangeNotSatisfiableError(DomainError):
    status = 416
    code = "range_not_satisfiable"
    title = _("There are no such bytes.")
    default_detail = _("The range begins beyond the end of the file. Ask for it without a range.")


def etag_of_asset(asset: Asset) -> str:
    """Strong, and the same whoever sends the bytes: half of their SHA-256."""
    return f'"{asset.sha256[:32]}"'


def gives_bytes(response: HttpResponseBase) -> bool:
    """Whether ``response`` hands bytes of the file over: what an access log must know of."""
    return response.status_code in (200, 206)


def file_response(
    request: Request | HttpRequest,
    asset: Asset,
    *,
    name: str,
    caching: Caching = Caching.PRIVATE,
    inline: bool = False,
    media_type: str | None = None,
) -> HttpResponseBase:
    """The answer to a GET or HEAD for the bytes of ``asset``, to be saved as ``name``.

    A range that cannot be is a 416 with the size. Raises NotFoundError when storage lost the bytes, and
    PreconditionFailedError where ``If-Match`` names another version.
    """
    etag = etag_of_asset(asset)
    headers = {
        "ETag": etag,
        "Cache-Control": caching.value,
        "Content-Disposition": content_disposition(name, inline=inline),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    if not _names("If-Match", request, etag, absent=True):
        raise PreconditionFailedError
    if _names("If-None-Match", request, etag, absent=False):
        return _bare(headers)
    try:
        part = asked_range(
            request.headers.get("Range") if request.method == "GET" else None,
            if_range=request.headers.get("If-Range"),
            etag=etag,
            size=asset.size,
        )
    except UnsatisfiableRangeError:
        refused = problem_response(request, RangeNotSatisfiableError())
        refused["Content-Range"] = f"bytes */{asset.size}"
        return refused
    kind = media_type or asset.media_type
    is_for_proxy = not any(header in request.headers for header in _NOT_FOR_PROXY)
    if is_for_proxy and (address := internal_address(asset)) is not None:
        # The proxy says itself that it takes ranges.
        del headers["Accept-Ranges"]
        return HttpResponse(content_type=kind, headers={**headers, "X-Accel-Redirect": address})
    return _own_response(request, asset, part, kind=kind, headers=headers)


def _own_response(
    request: Request | HttpRequest,
    asset: Asset,
    part: ByteRange | None,
    *,
    kind: str,
    headers: dict[str, str],
) -> HttpResponseBase:
    length = asset.size if part is None else part.length
    headers = {**headers, "Content-Length": str(length)}
    status = 200
    if part is not None:
        status, headers["Content-Range"] = 206, part.header
    content = open_asset(asset)
    if request.method == "HEAD":
        content.close()
        return HttpResponse(status=status, content_type=kind, headers=headers)
    blocks = _read(content, 0 if part is None else part.first, length)
    if length <= SMALL:
        return HttpResponse(b"".join(blocks), status=status, content_type=kind, headers=headers)
    return StreamingHttpResponse(_Blocks(content, blocks), status=status, content_type=kind, headers=headers)


def _read(content: Any, first: int, length: int) -> Iterator[bytes]:
    """``length`` bytes from ``first`` on. A file that ends before has lost some: the connection breaks."""
    with content:
        content.seek(first)
        while length > 0:
            block = content.read(min(BLOCK, length))
            if not block:
                raise OSError("The file is shorter than its row says.")
            length -= len(block)
            yield block


class _Blocks:
    """Closes the file also where a client went away before the first block was read."""

    def __init__(self, content: Any, blocks: Iterator[bytes]) -> None:
        self.content, self.blocks = content, blocks

    def __iter__(self) -> Iterator[bytes]:
        return self.blocks

    def close(self) -> None:
        self.content.close()


def _names(header: str, request: Request | HttpRequest, etag: str, *, absent: bool) -> bool:
    """Whether a header with ETags names ``etag``; ``absent`` where it is not there at all."""
    value = request.headers.get(header)
    if value is None:
        return absent
    known = {one.removeprefix("W/") for one in parse_etags(value)}
    return "*" in known or etag in known


def _bare(headers: dict[str, str]) -> HttpResponse:
    response = HttpResponseNotModified()
    for name in ("ETag", "Cache-Control"):
        response.headers[name] = headers[name]
    return response
