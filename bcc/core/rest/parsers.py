"""JSON in: orjson, bounded in size and depth, an object at the top, no NUL anywhere.

The size is checked before anything is read. The raw body stays on Django's request, because the
idempotency key is bound to its hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from bcc.core.errors import InvalidError
from bcc.core.rest.problems import GENERAL_FIELD, TooLargeError
from bcc.core.rest.renderers import JSON

MAX_DEPTH: Final = 32


def read_body(request: HttpRequest) -> bytes:
    """The raw body, left readable for others. Raises TooLargeError beyond ``API_BODY_LIMIT`` bytes."""
    limit: int = settings.API_BODY_LIMIT
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not (declared.isascii() and declared.isdigit()):
        raise _malformed(
            "content_length", _("The Content-Length header is not a number. Send the real length.")
        )
    if int(declared) > limit:
        raise TooLargeError
    body = request.body
    if len(body) > limit:
        raise TooLargeError
    return body


def load_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; an empty body is an empty object.

    Raises InvalidError: ``not_utf8``, ``malformed_json``, ``too_deep``, ``not_an_object``,
    ``nul_character`` (with the field's path).
    """
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(body, error) from error
    if not isinstance(value, dict):
        raise _malformed("not_an_object", _("The body must be a JSON object. Put the fields in braces."))
    # Both walks are rare: no body without the escape holds a NUL (JSON forbids the raw byte), and
    # none with few brackets is deep.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if b"\\u0000" in body:
        _refuse_nul(value)
    return value


class StrictJSONParser(BaseParser):
    """DRF's door to ``load_object``."""

    media_type = JSON

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = (parser_context or {}).get("request")
        if request is not None:
            return load_object(read_body(request._request))
        body = stream.read(settings.API_BODY_LIMIT + 1)
        if len(body) > settings.API_BODY_LIMIT:
            raise TooLargeError
        return load_object(body)


def _refusal(body: bytes, error: orjson.JSONDecodeError) -> InvalidError:
    if "depth limit" in error.msg:
        return _too_deep()
    try:
        body.decode()
    except UnicodeDecodeError:
        return _malformed("not_utf8", _("The body is not UTF-8. Encode it so and send it again."))
    return _malformed(
        "malformed_json",
        _("The body is not JSON: line %(line)d, column %(column)d. Correct it and send it again.")
        % {"line": error.lineno, "column": error.colno},
    )


def _malformed(code: str, detail: str) -> InvalidError:
    return InvalidError(detail, code=code, errors={GENERAL_FIELD: [(code, detail)]})


def _too_deep() -> InvalidError:
    return _malformed(
        "too_deep",
        _("The body is nested more than %(depth)d levels deep. Flatten it and send it again.")
        % {"depth": MAX_DEPTH},
    )


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def _strings(value: object) -> Iterator[tuple[str, str]]:
    """Each string in ``value`` with the dotted path of where it stands; a key stands at its parent."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            yield from ((path, key) for key in item)
            waiting += [
                (f"{path}.{key}" if path else key, inner) for key, inner in item.items() if "\0" not in key
            ]
        elif isinstance(item, list):
            waiting += [
                (f"{path}.{index}" if path else str(index), inner) for index, inner in enumerate(item)
            ]


def _refuse_nul(value: object) -> None:
    text = _("NUL characters are not allowed. Remove them and send it again.")
    errors: dict[str, list[tuple[str, str]]] = {}
    for path, string in _strings(value):
        if "\0" in string:
            errors.setdefault(path or GENERAL_FIELD, []).append(("nul_character", text))
    if errors:
        raise InvalidError(errors=errors)
