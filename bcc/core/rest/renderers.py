"""JSON out: orjson, instants in UTC with ``Z``, money as decimal strings.

One function, ``dump_bytes``, makes every JSON byte that the API sends, so that a stored reply,
an ETag and a fresh answer of the same data are the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

from bcc.core.clock import instant_text as instant_text

JSON = "application/json"


def _plain(value: object) -> object:
    match value:
        case datetime():
            return instant_text(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case Promise():
            return str(value)
        case set() | frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case bytes() | memoryview():
            raise TypeError("Bytes have no place in JSON.")
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON.")


def dump_bytes(data: object) -> bytes:
    """The JSON of ``data`` as UTF-8 bytes. Raises TypeError for what JSON cannot hold."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def dump_utc_bytes(data: object) -> bytes:
    """``dump_bytes`` for data whose every instant is in UTC, as from the database; orjson writes them."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z)


class OrjsonRenderer(BaseRenderer):
    """DRF's JSON renderer by way of ``dump_bytes``; a reply without data is an empty body."""

    media_type = JSON
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dump_bytes(data)


class JSONBytesResponse(HttpResponse):
    """A reply whose JSON is already bytes: a replayed one, a problem, a cached one."""

    def __init__(self, body: bytes, *, status: int = 200, content_type: str = JSON) -> None:
        super().__init__(body, status=status, content_type=content_type)

    @cached_property
    def data(self) -> Any:
        """The body as Python, as DRF's own responses have it."""
        return orjson.loads(self.content) if self.content else None
