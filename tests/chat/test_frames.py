from __future__ import annotations

import json
from typing import Any

import pytest

from chat.serializers import asked


class TestReadFrame:
    @pytest.mark.parametrize(
        "frame",
        [
            {"type": "ping"},
            {"type": "ping", "active": True},
            {"type": "ping", "active": False},
            {"type": "auth", "token": "x"},
        ],
        ids=json.dumps,
    )
    def test_takes_what_the_contract_says(self, frame: dict[str, Any]) -> None:
        assert asked.read_frame(json.dumps(frame)) == frame

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (None, "not_text"),
            ("", "not_json"),
            ("{", "not_json"),
            ("[]", "not_json"),
            ('"ping"', "not_json"),
            ("null", "not_json"),
            ("[" * 10_000, "not_json"),
            ('{"a":' * 2_000 + "1" + "}" * 2_000, "not_json"),
            ("NaN", "not_json"),
            ("\ud800", "not_json"),
            ("{}", "unknown_type"),
            ('{"type": null}', "unknown_type"),
            ('{"type": ["ping"]}', "unknown_type"),
            ('{"type": "Ping"}', "unknown_type"),
            ('{"type": "message.shout"}', "unknown_type"),
            ('{"type": "message.send"}', "invalid"),
            ('{"type": "auth"}', "invalid"),
            ('{"type": "auth", "token": 1}', "invalid"),
            ('{"type": "auth", "token": "x", "more": 1}', "invalid"),
            ('{"type": "ping", "active": 1}', "invalid"),
            ('{"type": "ping", "activ": true}', "invalid"),
        ],
        ids=lambda value: ascii(value)[:40],
    )
    def test_refuses_everything_else_with_a_code(self, text: str | None, code: str) -> None:
        with pytest.raises(asked.FrameError) as refused:
            asked.read_frame(text)
        assert refused.value.code == code

    def test_counts_the_bytes_of_a_frame(self) -> None:
        empty = len(json.dumps({"type": "auth", "token": ""}))
        full = json.dumps({"type": "auth", "token": "x" * (asked.FRAME_LIMIT - empty)})
        assert len(full) == asked.FRAME_LIMIT
        assert asked.read_frame(full)["type"] == "auth"
        wide = json.dumps({"type": "auth", "token": "é" * (asked.FRAME_LIMIT // 2)}, ensure_ascii=False)
        for text in (full + " ", wide):
            with pytest.raises(asked.TooLongError):
                asked.read_frame(text)
