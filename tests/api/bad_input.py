"""Input that no operation takes, made from what the OpenAPI document says that it does take.

Each try says which statuses are right and which field the refusal must name. A new route is
covered by being described; the valid request that is spoilt here is its line in ``tests.api.calls``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from tests.api.calls import Call, as_parts, path_of
from tests.api.routes import Operation, resolved

MEGABYTE: Final = 1_000_000
JSON: Final = "application/json"
NAIVE: Final = "2026-06-02T10:00:00"
BAD_DATES: Final = (
    "2026-02-30", "2026-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-06-00", "0000-01-01",
    "0001-01-01", "9999-12-31", "2100-01-01", "26-06-02", "2026-6-2", "2026-W23-2", "20260602", "today", "",
    "2026-06-02T00:00:00Z", "２０２６-06-02", "-2026-06-02",
)  # fmt: skip
BAD_INSTANTS: Final = (
    NAIVE, "2026-06-02", "2026-02-30T10:00:00Z", "2025-02-29T10:00:00Z", "2026-04-31T10:00:00Z",
    "2026-13-01T10:00:00Z", "2026-06-02T25:00:00Z", "2026-06-02T10:60:00Z", "2026-06-30T23:59:60Z",
    "2026-06-02T10:00:00+25:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00", "2026-06-02 10:00:00Z", "2026-06-02T10:00:00 Z", "1780387200", "now", "",
    "２０２６-06-02T10:00:00Z", "2026-06-02T10:00:00Asia/Manila",
)  # fmt: skip
# The last day of a month and 29 February of a leap year; midnight at the club, written in two ways.
GOOD_DATES: Final = ("2028-02-29", "2026-02-28", "2026-06-30", "2026-12-31")
GOOD_INSTANTS: Final = (
    "2028-02-29T00:00:00Z", "2026-06-30T15:59:59.999999Z", "2026-12-31T16:00:00Z",
    "2027-01-01T00:00:00+08:00",
)  # fmt: skip
BAD_IDS: Final = (
    "0", "1", "-1", "no-id", "None", "00000000-0000-4000-8000-00000000000", "%00",
    "{00000000-0000-4000-8000-000000000000}",
    "00000000-0000-4000-8000-000000000000%00", "%ED%A0%80", "..%2F..%2Fme", "1%20OR%201=1", "9" * 300,
)  # fmt: skip
BAD_WHOLES: Final = (
    "",
    "one",
    "1.5",
    "1e3",
    "0x10",
    "NaN",
    "Infinity",
    "-",
    "9" * 30,
    "1 2",
    "１",
    "true",
    "null",
)
BAD_CURSORS: Final = (
    "",
    "abc",
    "!",
    "%00",
    "A" * 2000,
    "é",
    "eyJpZCI6MX0=",
    "null",
    "MTIzNDU2Nzg5MDEyMzQ1Njc4",
)
BAD_TOKENS: Final = (
    "Bearer", "Bearer ", "Bearer  x", "Basic b3duZXI6cGFzc3dvcmQ=", "Bearer a b", "Bearer é", "Bearer a.b.c",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Bearer " + "x" * 10_000, "bearer\tx", "Token x", "Bearer null",
)  # fmt: skip
BAD_KEYS: Final = ("", "k" * 10_240, "a\tb", "a b", "a\x7fb", "ключ")
BAD_TAGS: Final = ("", "nonsense", "W/", '"', "'x'")
BAD_VERSIONS: Final = ("", "one", "1.", "1.0.0.0.0.0", "-1", "1.0\x00", "v1.0", "9" * 100)
BAD_KINDS: Final = (
    "text/plain", "text/html", "application/xml", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b", "application/octet-stream", "json", "image/png",
)  # fmt: skip
# Bodies that are no multipart.
BAD_PARTS: Final[dict[str, bytes]] = {
    "nothing": b"",
    "JSON": b"{}",
    "half a boundary": b"--BoUnDaRyStRiN",
    "a boundary alone": b"--BoUnDaRyStRiNg\r\n",
    "a part without a name": (
        b"--BoUnDaRyStRiNg\r\nContent-Disposition: form-data\r\n\r\nx\r\n--BoUnDaRyStRiNg--\r\n"
    ),
    "only the end": b"--BoUnDaRyStRiNg--\r\n",
}
# Bodies that are no JSON object that anything takes, whatever the operation.
BAD_BODIES: Final[dict[str, bytes]] = {
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"5",
    "null": b"null",
    "half an object": b'{"a": ',
    "two objects": b"{}{}",
    "single quotes": b"{'a': 1}",
    "a comma too many": b'{"a": 1,}',
    "a comment": b"{} // fine",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "too large for a number": b'{"a": 1e400}',
    "no UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "a NUL": b'{"a": "\\u0000"}',
    "a NUL as a name": b'{"\\u0000": 1}',
    "a raw NUL": b'{"a": "\x00"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 40_000,
    "deep and closed": b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
}


@dataclass(frozen=True, slots=True)
class Try:
    """One request that is wrong in one way. ``names`` is what the refusal's ``errors`` must name."""

    what: str
    path: str
    body: bytes
    statuses: frozenset[int] = frozenset({400})
    names: str | None = None
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def tries(operation: Operation, call: Call, *, whole: bool = True) -> Iterator[Try]:
    """Everything wrong that can be said to ``operation``; without what is the same for each of them
    (headers, bodies that are none) unless ``whole``."""
    plain = _plain(operation, call)
    yield from _bad_ids(operation, plain)
    yield from _bad_queries(operation, plain)
    if whole:
        yield from _bad_headers(operation, plain)
    if operation.takes_parts:
        yield from _bad_parts(operation, plain, call.body or {})
    elif operation.takes_body:
        if whole:
            yield from _bad_bodies(plain)
        yield from _bad_fields(operation, plain, call.body or {})


def _plain(operation: Operation, call: Call) -> Try:
    """The valid request."""
    body, kind = as_parts(call.body or {}) if operation.takes_parts else (_dump(call.body), JSON)
    return Try("", path_of(operation, call.public_id), body, kind=kind, headers=call.headers)


def good_dates(operation: Operation, call: Call) -> Iterator[Try]:
    """Requests whose dates are dates, whatever else is said of them; ``names`` is where one stands."""
    plain = _plain(operation, call)
    for name, part in operation.parameters("query").items():
        for text in _good_texts(part):
            yield _with(plain, f"{name}={text}", path=f"{plain.path}?{name}={quote(text)}", names=name)
    if operation.takes_json:
        for path, part in _leaves(operation.body_schema()):
            for text in _good_texts(part):
                body = _set(call.body or {}, path, text)
                yield _with(plain, f"{path}={text}", body=_dump(body), names=_dotted(path))


def _with(one: Try, what: str, **changes: Any) -> Try:
    kept = {name: getattr(one, name) for name in Try.__slots__}
    return Try(**{**kept, "what": what[:120], **changes})


def _bad_ids(operation: Operation, plain: Try) -> Iterator[Try]:
    if operation.has_id:
        for text in BAD_IDS:
            yield _with(plain, f"id {text}", path=path_of(operation, text), statuses=frozenset({404}))


def _bad_queries(operation: Operation, plain: Try) -> Iterator[Try]:
    def asked(query: str, names: str | None) -> Try:
        return _with(plain, f"?{query}", path=f"{plain.path}?{query}", names=names)

    yield asked("nonsense=1", "nonsense")
    yield asked("nonsense", "nonsense")
    yield asked("format=json", "format")
    yield asked("nonsense=%00", "nonsense")
    for name, part in operation.parameters("query").items():
        for text in _bad_texts(name, part):
            yield asked(f"{name}={quote(text, safe='%')}", name)
        yield asked(f"{name}=a%00b", name)
        if part.get("type") != "array":
            yield asked(f"{name}=1&{name}=2", name)


def _bad_texts(name: str, part: dict[str, Any]) -> Iterable[str]:
    """Texts in a query that are no value of ``part``."""
    if name == "cursor":
        return BAD_CURSORS
    if "enum" in part:
        return ("", "nonsense", "NULL", str(part["enum"][0]) + "x", str(part["enum"][0]).swapcase())
    match part.get("type"), part.get("format"):
        case "integer", _:
            edges = [
                str(part[edge] + step) for edge, step in (("minimum", -1), ("maximum", 1)) if edge in part
            ]
            return (*BAD_WHOLES, *edges)
        case "string", "date":
            return BAD_DATES
        case "string", "date-time":
            return BAD_INSTANTS
        case "string", "uuid":
            return ("", "1", "no-id", "0" * 31)
        case "boolean", _:
            return ("", "yes", "1", "TRUE", "null")
        case "string", _ if "maxLength" in part:
            return ("x" * (part["maxLength"] + 1),)
    return ()


def _bad_headers(operation: Operation, plain: Try) -> Iterator[Try]:
    def sent(name: str, value: str, *statuses: int, names: str | None = None) -> Try:
        headers = {**plain.headers, name: value}
        return _with(
            plain, f"{name}: {value}", headers=headers, statuses=frozenset(statuses or {400}), names=names
        )

    known = operation.parameters("header")
    if "Idempotency-Key" in known:
        yield from (sent("Idempotency-Key", key, names="Idempotency-Key") for key in BAD_KEYS)
    if "X-App-Version" in known:
        yield from (sent("X-App-Version", text, names="X-App-Version") for text in BAD_VERSIONS)
        yield sent("X-App-Version", "0.0.1", 426)
    if "If-Match" in known:
        yield from (sent("If-Match", tag, names="If-Match") for tag in BAD_TAGS)
        yield sent("If-Match", '"stale"', 412)
        yield sent("If-Match", 'W/"stale", "older"', 412)
    if {"bearer": []} in operation.described.get("security", ()):
        yield from (sent("Authorization", text, 401) for text in BAD_TOKENS)


def _bad_bodies(plain: Try) -> Iterator[Try]:
    for what, body in BAD_BODIES.items():
        yield _with(plain, what, body=body)
    large = b'{"a": "' + b"x" * MEGABYTE + b'"}'
    yield _with(plain, "a megabyte", body=large, statuses=frozenset({413}))
    for kind in BAD_KINDS:
        body = plain.body if plain.body.strip() not in (b"", b"{}") else b'{"a": 1}'
        yield _with(plain, kind, kind=kind, body=body, statuses=frozenset({415}))


Path = tuple[str | int, ...]


def _bad_fields(operation: Operation, plain: Try, body: dict[str, Any]) -> Iterator[Try]:
    whole = operation.body_schema()
    for name in () if operation.method == "PATCH" else whole.get("required", ()):
        less = {key: value for key, value in body.items() if key != name}
        yield _with(plain, f"without {name}", body=_dump(less), names=name)
    for path in [(), *(path for path, part in _objects(whole) if path)]:
        named = (*path, "nonsense")
        yield _with(plain, f"{named}", body=_dump(_set(body, named, 1)), names=_dotted(named))
    for path, part in _leaves(whole):
        for value in _bad_values(part):
            spoilt = _dump(_set(body, path, value))
            yield _with(plain, f"{path} = {value!r}", body=spoilt, names=_dotted(path))


def _bad_parts(operation: Operation, plain: Try, body: dict[str, Any]) -> Iterator[Try]:
    """Multipart that is none, and parts that are not what the document says."""
    for what, content in BAD_PARTS.items():
        yield _with(plain, what, body=content)
    for kind in (JSON, *BAD_KINDS):
        if not kind.startswith("multipart/"):
            yield _with(plain, kind, kind=kind, statuses=frozenset({415}))
    yield _with(plain, "no boundary", kind="multipart/form-data")

    def sent(what: str, names: str, **changes: Any) -> Try:
        parts = {name: value for name, value in {**body, **changes}.items() if value is not None}
        return _with(plain, what, body=as_parts(parts)[0], names=names)

    whole = operation.body_schema()
    for name in whole.get("required", ()):
        yield sent(f"without {name}", name, **{name: None})
    yield sent("a part that nobody knows", "nonsense", nonsense="1")
    yield sent("a file that nobody knows", "nonsense", nonsense=b"1")
    for name, value in body.items():
        if isinstance(value, str):
            yield sent(f"{name} twice", name, **{name: [value, value]})
        else:
            yield sent(f"{name} as a text", name, **{name: "text"})
            yield sent(f"{name} empty", name, **{name: b""})
            yield sent(f"{name} of nonsense", name, **{name: b"nonsense" * 100})
    for name, part in whole["properties"].items():
        part = resolved(part)
        if "enum" in part:
            yield sent(f"{name} = nonsense", name, **{name: "nonsense"})
        if "maxLength" in part:
            yield sent(f"{name} too long", name, **{name: "x" * (part["maxLength"] + 1)})
            yield sent(f"{name} with a NUL", name, **{name: "a\0b"})


def _objects(part: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each object in a body with its path; the first element stands for the elements of a list."""
    part = resolved(part)
    if "properties" in part:
        yield path, part
        for name, inner in part["properties"].items():
            yield from _objects(inner, (*path, name))
    elif "items" in part:
        yield from _objects(part["items"], (*path, 0))


def _leaves(part: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each field of a body, those that hold others among them."""
    part = resolved(part)
    if path:
        yield path, part
    for name, inner in part.get("properties", {}).items():
        yield from _leaves(inner, (*path, name))
    if "items" in part:
        yield from _leaves(part["items"], (*path, 0))


def _types(part: dict[str, Any]) -> set[str]:
    given = part.get("type", [])
    types = {given} if isinstance(given, str) else set(given)
    return types | ({"null"} if part.get("nullable") else set())


def _bad_values(part: dict[str, Any]) -> Iterator[Any]:
    """JSON values that are none of ``part``."""
    types = _types(part)
    if "null" not in types:
        yield None
    if "object" in types or "properties" in part:
        yield from ("text", 5, True, [], [{}])
    elif "array" in types:
        yield from ("text", 5, True, {}, {"0": {}})
        if "maxItems" in part:
            yield [None] * (part["maxItems"] + 1)
    elif "boolean" in types:
        yield from ("true", "yes", "", 0, 1, [], {})
    elif "integer" in types:
        yield from ("1", "", 1.5, True, [], {}, 10**30, -(10**30), 1e30)
        yield from _beyond(part)
    elif "string" in types:
        yield from (5, 1.5, True, [], {}, ["text"], "a\0b")
        yield from _bad_strings(part)


def _beyond(part: dict[str, Any]) -> list[int]:
    """The whole numbers just outside of the bounds of ``part``."""
    return [part[edge] + step for edge, step in (("minimum", -1), ("maximum", 1)) if edge in part]


def _bad_strings(part: dict[str, Any]) -> Iterator[str]:
    if "enum" in part:
        yield from ("nonsense", str(part["enum"][0]) + " ")
    elif part.get("format") == "date-time":
        yield from BAD_INSTANTS
    elif part.get("format") == "date":
        yield from BAD_DATES
    elif part.get("format") == "uuid":
        yield from ("", "no-id", "0" * 31, "00000000-0000-4000-8000-00000000000g")
    elif part.get("format") == "email":
        yield from ("nobody", "a@", "@b.example", "a b@c.example")
    elif "pattern" in part:
        yield from ("", "NaN", "1e5", "1,50", "--1")
    if "maxLength" in part:
        yield "x" * (part["maxLength"] + 1)
    if part.get("minLength", 0) > 0:
        yield ""


def _good_texts(part: dict[str, Any]) -> tuple[str, ...]:
    return {"date": GOOD_DATES, "date-time": GOOD_INSTANTS}.get(part.get("format", ""), ())


def _set(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of ``body`` with ``value`` at ``path``; what is missing on the way is made."""
    made = deepcopy(body)
    place: Any = made
    for step, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not place:
                place.append(empty)
        elif not isinstance(place.get(step), type(empty)):
            place[step] = empty
        place = place[step]
    if isinstance(path[-1], int):
        place[:1] = [value]
    else:
        place[path[-1]] = value
    return made


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _dump(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()
