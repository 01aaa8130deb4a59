"""Keyset paging: a page is one seek and one query, however far in, and never counts.

The cursor holds the order values of a row at the edge of a page. It is authenticated and masked
under a key derived from ``SECRET_KEY`` and the list's order, so garbage, another list's cursor and
an edited one are all the same 400, and database keys do not show through.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from bcc.core.errors import InvalidError

MAX_SIZE = 100
CURSOR, PAGE_SIZE = "cursor", "page_size"
MAC_BYTES: Final = 12
MAX_CURSOR: Final = 1024

# The rows after a place, or before it; with the row at the place itself: from it, or until it.
Side = Literal["after", "before", "from", "until"]
_FORWARD: Final = frozenset({"after", "from"})
_INCLUSIVE: Final = frozenset({"from", "until"})
Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place between rows: on which side of the row that has (or had) these order values."""

    side: Side
    values: tuple[Any, ...]


class KeysetPagination(BasePagination):
    """``{"results", "next", "previous"}`` over a total order that the view gives.

    ``view.keyset`` (or the argument of ``page``) is a tuple of fields, ``-`` for descending, whose
    last is unique: ``pk`` or ``public_id``. No field may be null. Needs an index in that order.
    """

    page_size: int = api_settings.PAGE_SIZE or 20
    names: Final = frozenset({CURSOR, PAGE_SIZE})

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """As DRF's generic views call it, with a QuerySet; the order is ``view.keyset``."""
        order: Order = getattr(view, "keyset", ())
        size: int = getattr(view, "page_size", None) or self.page_size
        return self.page(queryset, request, order=order, size=size)

    def page(
        self, queryset: QuerySet[Any], request: Request, *, order: Order, size: int | None = None
    ) -> list[Any]:
        """The rows of the page that ``request`` asks for, in one query.

        Raises InvalidError naming ``cursor`` or ``page_size``.
        """
        if not order or order[-1].lstrip("-") not in ("pk", "id", "public_id"):
            raise ValueError("A keyset ends in pk or public_id, so that no two rows are equal.")
        self.order = order
        self.model = queryset.model._meta.label
        self.url = request.build_absolute_uri()
        size = _asked_size(request, size or self.page_size)
        position = self._asked_position(request)
        backward = position is not None and position.side not in _FORWARD
        rows = queryset.order_by(*(_reversed(name) for name in order) if backward else order)
        if position is not None:
            rows = rows.filter(_beyond(order, position))
        found = list(rows[: size + 1])
        more = len(found) > size
        found = found[:size]
        if backward:
            found.reverse()
        self.next = self._link("after", found, position, there=backward or more)
        self.previous = self._link(
            "before", found, position, there=more if backward else position is not None
        )
        return found

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next, "previous": self.previous})

    def _asked_position(self, request: Request) -> Position | None:
        token = _asked_once(request, CURSOR)
        if token is None:
            return None
        position = read_cursor(token, self._scope())
        if position is None or len(position.values) != len(self.order):
            text = _("This cursor is not one of this list. Start again without it.")
            raise InvalidError(errors={CURSOR: [("invalid_cursor", text)]})
        return position

    def _link(
        self, side: Side, found: Sequence[Any], position: Position | None, *, there: bool
    ) -> str | None:
        if not there:
            return None
        if found:
            row = found[-1] if side == "after" else found[0]
            place = Position(side, tuple(_value(row, name.lstrip("-")) for name in self.order))
        else:
            # The rows of this page have gone meanwhile: turn round at the place itself.
            gone = position.values if position is not None else ()
            place = Position("until" if side == "before" else "from", gone)
        return str(replace_query_param(self.url, CURSOR, make_cursor(place, self._scope())))

    def _scope(self) -> str:
        return scope_of(self.model, self.order)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": CURSOR,
                "in": "query",
                "required": False,
                "description": "Where the page begins, from `next` or `previous` of another page.",
                "schema": {"type": "string", "maxLength": MAX_CURSOR},
            },
            {
                "name": PAGE_SIZE,
                "in": "query",
                "required": False,
                "description": "How many results at most.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_SIZE,
                    "default": getattr(view, "page_size", None) or self.page_size,
                },
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        # The example is what pages of examples are built from.
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": {**link, "description": "The page that follows, or null."},
                "previous": {**link, "description": "The page that precedes, or null."},
            },
        }


def scope_of(model: str, order: Order) -> str:
    """What a cursor of one list is bound to; ``model`` is its label."""
    return f"{model}:{','.join(order)}"


def next_link(http: HttpRequest, *, model: str, order: Order, values: tuple[Any, ...]) -> str:
    """The page after a row with these order values, for a first page that was made without this class."""
    cursor = make_cursor(Position("after", values), scope_of(model, order))
    return _linked(http.build_absolute_uri()).replace(_PLACE, cursor)


# Of the letters that a cursor has, so that it stands in a link as it is.
_PLACE: Final = "place-of-the-cursor"


@lru_cache(maxsize=256)
def _linked(url: str) -> str:
    """``url`` with a cursor's place in it: taking a link apart is as dear as making the cursor."""
    return str(replace_query_param(url, CURSOR, _PLACE))


def _asked_once(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        text = _("This parameter stands more than once. Send it once.")
        raise InvalidError(errors={name: [("repeated", text)]})
    return values[0] if values else None


def _asked_size(request: Request, default: int) -> int:
    text = _asked_once(request, PAGE_SIZE)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_SIZE:
        return int(text)
    detail = _("A page has 1 to %(most)d results. Send a number in between.") % {"most": MAX_SIZE}
    raise InvalidError(errors={PAGE_SIZE: [("invalid_page_size", detail)]})


def _reversed(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Order, position: Position) -> Q:
    """The rows on that side: a < x, or a = x and b < y, …; with a ≤ x in front for the index to seek."""
    forward = position.side in _FORWARD
    condition = Q()
    for index in reversed(range(len(order))):
        name = order[index].lstrip("-")
        up = order[index].startswith("-") != forward
        value = position.values[index]
        last = index == len(order) - 1
        strict = "gt" if up else "lt"
        loose = "gte" if up else "lte"
        if last:
            condition = Q(**{f"{name}__{loose if position.side in _INCLUSIVE else strict}": value})
        else:
            condition = Q(**{f"{name}__{loose}": value}) & (
                Q(**{f"{name}__{strict}": value}) | (Q(**{name: value}) & condition)
            )
    return condition


def _value(row: Any, name: str) -> Any:
    """The order value of a row, which is a model instance or a dict of ``values()``."""
    value: Any = row
    for part in name.split("__") if not isinstance(row, Mapping) else (name,):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    if value is None:
        raise ValueError(f"A keyset field is never null: {name}.")
    return value


# --- The cursor's own form -------------------------------------------------------------------


def make_cursor(position: Position, scope: str) -> str:
    """``position`` as an opaque token that only ``scope`` accepts."""
    plain = orjson.dumps(
        [position.side, *(_tagged(value) for value in position.values)],
        option=orjson.OPT_PASSTHROUGH_DATETIME,
    )
    mac = _mac(plain, scope)
    return base64.urlsafe_b64encode(mac + _masked(plain, mac, scope)).rstrip(b"=").decode()


def read_cursor(token: str, scope: str) -> Position | None:
    """The position in ``token``, or None if it was not made here for ``scope``."""
    if len(token) > MAX_CURSOR or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mac, masked = raw[:MAC_BYTES], raw[MAC_BYTES:]
    plain = _masked(masked, mac, scope)
    if not hmac.compare_digest(mac, _mac(plain, scope)):
        return None
    side, *values = orjson.loads(plain)
    return Position(side, tuple(_untagged(value) for value in values))


@lru_cache(maxsize=256)
def _key(secret: str, scope: str) -> bytes:
    return hashlib.sha256(f"bcc.core.rest.paging\0{scope}\0{secret}".encode()).digest()


def _mac(plain: bytes, scope: str) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY, scope), b"mac\0" + plain, "sha256")[:MAC_BYTES]


def _masked(text: bytes, mac: bytes, scope: str) -> bytes:
    """``text`` under a stream that its own MAC selects; applied twice it is itself again."""
    stream = hashlib.shake_256(b"mask\0" + _key(settings.SECRET_KEY, scope) + mac).digest(len(text))
    return (int.from_bytes(text) ^ int.from_bytes(stream)).to_bytes(len(text))


def _tagged(value: Any) -> Any:
    match value:
        case bool() | int() | str():
            return value
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case uuid.UUID():
            return ["u", value.hex]
        case Decimal():
            return ["n", str(value)]
    raise ValueError(f"A {type(value).__name__} cannot be part of a keyset.")


def _untagged(value: Any) -> Any:
    match value:
        case ["t", text]:
            return datetime.fromisoformat(text)
        case ["d", text]:
            return date.fromisoformat(text)
        case ["u", text]:
            return uuid.UUID(text)
        case ["n", text]:
            return Decimal(text)
    return value
