from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.test import APIClient

from bcc.core.errors import InvalidError
from bcc.core.rest.parsers import MAX_DEPTH, StrictJSONParser, load_object, read_body
from bcc.core.rest.problems import TooLargeError
from tests.core.rest.test_problems import read

DEEP = 100_000


def refusal(body: bytes) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        load_object(body)
    return caught.value


class TestLoadObject:
    @pytest.mark.parametrize("body", [b"", b"  \r\n", b"{}"])
    def test_takes_an_empty_body_for_an_empty_object(self, body: bytes) -> None:
        assert load_object(body) == {}

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"a": 1,}',
            b"{'a': 1}",
            b'{"a": NaN}',
            b'{"a": Infinity}',
            b'{"a": 1e999}',
            b'{"a": "\\ud800"}',
            b'{"a": "\\udc00\\ud800"}',
            b'{"a": 01}',
            b'{"a": "\n"}',
            b"\xef\xbb\xbf{}",
            b'{"a": 1} {"b": 2}',
            b"\x00",
        ],
    )
    def test_refuses_what_is_not_json(self, body: bytes) -> None:
        assert refusal(body).code == "malformed_json"

    @pytest.mark.parametrize(
        "body",
        [
            b'{"a": "\xff"}',
            b'{"a": "\xed\xa0\x80"}',
            '{"a": "é"}'.encode("latin-1"),
            '{"a": 1}'.encode("utf-16"),
        ],
    )
    def test_refuses_what_is_not_utf8(self, body: bytes) -> None:
        assert refusal(body).code == "not_utf8"

    @pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"text"', b"true"])
    def test_wants_an_object_at_the_top(self, body: bytes) -> None:
        assert refusal(body).code == "not_an_object"

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * DEEP,
            b'{"a":' * DEEP,
            b"[" * DEEP + b"]" * DEEP,
            b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
            b'{"a":' * MAX_DEPTH + b"{}" + b"}" * MAX_DEPTH,
        ],
    )
    def test_refuses_deep_nesting(self, body: bytes) -> None:
        assert refusal(body).code == "too_deep"

    def test_takes_nesting_up_to_the_limit(self) -> None:
        assert load_object(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1))

    def test_takes_many_brackets_that_are_not_deep(self) -> None:
        assert load_object(b'{"a":[' + b",".join([b"[]"] * 1000) + b"]}")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (rb'{"name": "a\u0000b"}', "name"),
            (rb'{"guests": [{"name": "x"}, {"name": "\u0000"}]}', "guests.1.name"),
            (rb'{"a": {"b\u0000": 1}}', "a"),
            (rb'{"\u0000": 1}', "non_field_errors"),
        ],
    )
    def test_refuses_a_nul_and_names_its_field(self, body: bytes, field: str) -> None:
        errors = refusal(body).errors
        assert {name: [code for code, _ in pairs] for name, pairs in errors.items()} == {
            field: ["nul_character"]
        }

    def test_takes_text_that_only_speaks_of_a_nul(self) -> None:
        assert load_object(rb'{"a": "\\u0000"}') == {"a": "\\u0000"}


class TestReadBody:
    def test_leaves_the_raw_body_readable(self) -> None:
        request = RequestFactory().post("/", b'{"a":1}', content_type="application/json")
        assert read_body(request) == request.body == b'{"a":1}'

    def test_refuses_by_the_declared_length_without_reading(self, settings: Any) -> None:
        request = RequestFactory().post(
            "/", b"x" * (settings.API_BODY_LIMIT + 1), content_type="application/json"
        )
        with pytest.raises(TooLargeError):
            read_body(request)
        assert not getattr(request, "_read_started", True)

    def test_refuses_a_body_longer_than_it_was_said_to_be(self, settings: Any) -> None:
        request = RequestFactory().post("/", b"x", content_type="application/json")
        request._body = b"x" * (settings.API_BODY_LIMIT + 1)
        with pytest.raises(TooLargeError):
            read_body(request)

    @pytest.mark.parametrize("length", ["-1", "abc", "1e3", "٣"])
    def test_refuses_a_length_that_is_no_number(self, length: str) -> None:
        request = RequestFactory().post("/", b"x", content_type="application/json", CONTENT_LENGTH=length)
        with pytest.raises(InvalidError):
            read_body(request)


class TestStrictJSONParser:
    def test_reads_a_bare_stream_within_the_limit(self, settings: Any) -> None:
        assert StrictJSONParser().parse(io.BytesIO(b'{"a":1}')) == {"a": 1}
        with pytest.raises(TooLargeError):
            StrictJSONParser().parse(io.BytesIO(b" " * (settings.API_BODY_LIMIT + 1)))

    def test_refuses_a_megabyte_with_413(self, client: APIClient) -> None:
        body = b'{"name": "' + b"x" * 2**20 + b'"}'
        problem = read(client.post("/api/v1/echo", body, content_type="application/json"), 413)
        assert problem["code"] == "body_too_large"

    def test_takes_the_largest_body(self, client: APIClient, settings: Any) -> None:
        body = b'{"name": "x"' + b" " * (settings.API_BODY_LIMIT - 13) + b"}"
        assert len(body) == settings.API_BODY_LIMIT
        assert client.post("/api/v1/echo", body, content_type="application/json").status_code == 200

    @pytest.mark.parametrize(
        "body", [b"[" * DEEP, b'{"name":' * 20_000, b"{", b"[]", b"\xff", b'{"name": "\\ud800"}']
    )
    def test_refuses_broken_bodies_with_400(self, client: APIClient, body: bytes) -> None:
        problem = read(client.post("/api/v1/echo", body, content_type="application/json"), 400)
        assert problem["errors"]

    @pytest.mark.parametrize(
        "kind",
        [
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "x" * 300,
            "application/jsonx",
            "",
        ],
    )
    def test_refuses_other_content_types_with_415(self, client: APIClient, kind: str) -> None:
        read(client.generic("POST", "/api/v1/echo", '{"name":"x"}', content_type=kind), 415)

    def test_takes_json_with_a_charset(self, client: APIClient) -> None:
        response = client.generic(
            "POST", "/api/v1/echo", '{"name":"ñ"}', content_type="application/json; charset=utf-8"
        )
        assert response.json()["name"] == "ñ"
