from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from bcc.core.rest.renderers import JSONBytesResponse, OrjsonRenderer, dump_bytes


class TestDumpBytes:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (datetime(2026, 3, 1, 6, 0, tzinfo=UTC), b'"2026-03-01T06:00:00Z"'),
            (datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=8))), b'"2026-03-01T06:00:00Z"'),
            (datetime(2026, 3, 1, 6, 0, 0, 5, tzinfo=UTC), b'"2026-03-01T06:00:00.000005Z"'),
            (date(2026, 3, 1), b'"2026-03-01"'),
            (time(6, 30), b'"06:30:00"'),
            (Decimal("1250.50"), b'"1250.50"'),
            (Decimal("1E+3"), b'"1000"'),
            (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
            (gettext_lazy("Done."), b'"Done."'),
            (mark_safe("<b>"), b'"<b>"'),
            ({"b", "a"}, b'["a","b"]'),
            ((1, None, True), b"[1,null,true]"),
            ({1: 2}.keys(), b"[1]"),
            (MappingProxyType({"a": 1}), b'{"a":1}'),
            ("ñ", '"ñ"'.encode()),
        ],
    )
    def test_writes_each_kind_in_the_contracts_form(self, value: Any, text: bytes) -> None:
        assert dump_bytes(value) == text

    @pytest.mark.parametrize("value", [datetime(2026, 3, 1), b"bytes", object(), 1j])  # noqa: DTZ001 - the naive one
    def test_refuses_what_has_no_form(self, value: Any) -> None:
        with pytest.raises(TypeError):
            dump_bytes({"a": value})


class TestOrjsonRenderer:
    def test_renders_nothing_as_an_empty_body(self) -> None:
        assert OrjsonRenderer().render(None) == b""

    def test_renders_data_as_the_same_bytes_as_everything_else(self) -> None:
        data = {"when": datetime(2026, 3, 1, tzinfo=UTC)}
        assert OrjsonRenderer().render(data) == dump_bytes(data)


class TestJSONBytesResponse:
    def test_shows_its_data_as_drf_does(self) -> None:
        assert JSONBytesResponse(b'{"a":1}').data == {"a": 1}
        assert JSONBytesResponse(b"", status=204).data is None
