from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any, ClassVar

import pytest
import structlog
import time_machine

from bcc.core import logs

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
MOBILE = "+639171234567"
UUID = "0b0f7e2a-1111-4222-8333-444455556666"


def redact(**event: Any) -> dict[str, Any]:
    return dict(logs.redact(None, "info", event))


class TestRedact:
    @pytest.mark.parametrize(
        "key",
        [
            "password", "new_password", "Password1", "token", "access_token", "refresh_token", "push_token",
            "device_token", "authorization", "Authorization", "HTTP_AUTHORIZATION", "cookie", "set-cookie",
            "ticket", "otp", "otp_code", "secret", "SECRET_KEY", "api_key", "grant", "jti", "body",
            "identifier", "destination", "email", "from_email", "session_key",
        ],
    )  # fmt: skip
    def test_drops_the_value_of_a_secret(self, key: str) -> None:
        assert redact(**{key: "hunter2-hunter2"}) == {key: "[redacted]"}

    @pytest.mark.parametrize("key", ["mobile", "phone", "mobile_number", "phone_number"])
    def test_keeps_three_digits_of_a_telephone(self, key: str) -> None:
        assert redact(**{key: MOBILE}) == {key: "***567"}

    def test_keeps_the_code_of_an_error_and_drops_a_one_time_code(self) -> None:
        assert redact(code="slot_taken") == {"code": "slot_taken"}
        assert redact(code="not_authenticated") == {"code": "not_authenticated"}
        assert redact(code="123456") == {"code": "[redacted]"}
        assert redact(code=123456) == {"code": "[redacted]"}

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"Bearer {JWT}", "[redacted]"),
            (f"sent {JWT} to it", "sent [redacted] to it"),
            (f"to {MOBILE}.", "to ***567."),
            ("call 0917 123 4567 now", "call ***567 now"),
            ("card 4111-1111-1111-1111", "card ***111"),
            ("mail member@example.com", "mail [redacted]"),
            ("GET /ws/v1?ticket=abc123&x=1", "GET /ws/v1?ticket=[redacted]&x=1"),
            ('{"password": "hunter2", "a": 1}', '{"password": "[redacted]", "a": 1}'),
            ("refresh_token=abc def", "refresh_token=[redacted] def"),
            ("your code: 123456 is", "your code: [redacted] is"),
            ("code=123 456", "code=[redacted]"),
        ],
    )
    def test_masks_secrets_inside_a_text(self, text: str, shown: str) -> None:
        assert redact(event=text) == {"event": shown}

    @pytest.mark.parametrize(
        "text",
        [
            UUID,
            "2026-06-01T08:00:00.123456+00:00",
            "2026-06-01 08:00",
            "slot_taken",
            "1200 rows",
            "a1b2c3" * 8,
        ],
    )
    def test_leaves_what_is_harmless(self, text: str) -> None:
        assert redact(event=text) == {"event": text}

    def test_leaves_numbers_and_truth_values(self) -> None:
        event = {"status": 200, "duration_ms": 1.5, "ok": True, "member": None, "row": 12345678901}
        assert redact(**event) == event

    def test_looks_into_what_is_nested(self) -> None:
        event = redact(data={"a": [{"password": "x", "note": f"to {MOBILE}"}], "b": ({"token": "t"},)})
        assert event == {
            "data": {"a": [{"password": "[redacted]", "note": "to ***567"}], "b": [{"token": "[redacted]"}]}
        }

    def test_gives_up_on_what_is_very_deep(self) -> None:
        nested: Any = {"password": "hunter2"}
        for _ in range(50):
            nested = {"a": nested}
        assert "hunter2" not in str(redact(data=nested))

    def test_masks_the_text_of_any_object(self) -> None:
        class Thing:
            def __str__(self) -> str:
                return f"thing of {MOBILE}"

        assert redact(thing=Thing()) == {"thing": "thing of ***567"}

    @pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", "\x1b[2J", "\x00", "\x85", "\u2028"])
    def test_lets_no_control_character_through(self, sign: str) -> None:
        event = redact(event=f"a{sign}b", **{f"k{sign}": "v"})
        assert sign not in event["event"]
        assert all(sign not in key for key in event)

    def test_indents_a_traceback_so_that_no_line_of_it_passes_for_one_of_the_log(self) -> None:
        trace = f"Traceback\nValueError: {JWT}\n08:00:00 info forged\rforged"
        shown = redact(exception=trace)["exception"]
        assert JWT not in shown
        assert "\r" not in shown
        assert all(line.startswith("  ") for line in shown.split("\n"))


@pytest.fixture
def out() -> Iterator[StringIO]:
    """What the configured handler writes, as JSON; the test run's own configuration comes back after."""
    stream = StringIO()
    config = logs.logging_config(level="INFO", as_json=True)
    config["handlers"]["console"]["stream"] = stream
    before = logging.getLogger().handlers[:], logging.getLogger().level
    logging.config.dictConfig(config)
    yield stream
    logging.getLogger().handlers[:], logging.getLogger().level = before


class TestLoggingConfig:
    def test_writes_one_json_object_a_line(self, out: StringIO) -> None:
        structlog.get_logger("here").info("signed_in", member=UUID, mobile=MOBILE)
        (line,) = out.getvalue().splitlines()
        event = json.loads(line)
        assert event["event"] == "signed_in"
        assert event["level"] == "info"
        assert event["logger"] == "here"
        assert event["member"] == UUID
        assert event["mobile"] == "***567"
        assert event["timestamp"].endswith("Z")

    def test_redacts_what_the_standard_library_logs(self, out: StringIO) -> None:
        logging.getLogger("elsewhere").warning("token=%s for %s", "abc", MOBILE)
        assert json.loads(out.getvalue())["event"] == "token=[redacted] for ***567"

    def test_keeps_a_forged_line_inside_its_own(self, out: StringIO) -> None:
        logging.getLogger("elsewhere").warning('x\n{"event": "forged"}')
        assert len(out.getvalue().splitlines()) == 1

    def test_redacts_an_exception(self, out: StringIO) -> None:
        try:
            int(f"bad {JWT}")
        except ValueError:
            logging.getLogger("elsewhere").exception("failed")
        event = json.loads(out.getvalue())
        assert "ValueError: " in event["exception"]
        assert "bad [redacted]" in event["exception"]

    def test_carries_what_is_bound_to_the_request(self, out: StringIO) -> None:
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            logging.getLogger("elsewhere").warning("said")
        assert json.loads(out.getvalue())["request_id"] == "abc"

    def test_in_development_is_for_reading(self, out: StringIO) -> None:
        config = logs.logging_config(level="INFO", as_json=False)
        config["handlers"]["console"]["stream"] = out
        logging.config.dictConfig(config)
        structlog.get_logger("here").info("request", status=200, password="x")
        assert out.getvalue().rstrip().endswith("info    request  status=200 password=[redacted]  [here]")


class TestWriteLine:
    PAIRS: ClassVar[dict[str, Any]] = {
        "method": "GET\n{}",
        "route": f"api/v1/{MOBILE}/{UUID}",
        "status": 200,
        "duration_ms": 1.5,
        "token": "hunter2-hunter2",
        "note": f"mail member@example.com {JWT}",
        "nothing": None,
        "several": ["Bearer abcdef", 7],
    }

    @pytest.mark.parametrize("as_json", [True, False])
    def test_writes_what_structlog_would(self, out: StringIO, as_json: bool) -> None:
        config = logs.logging_config(level="INFO", as_json=as_json)
        config["handlers"]["console"] |= {"stream": out}
        logging.config.dictConfig(config)
        with structlog.contextvars.bound_contextvars(request_id="abc"), time_machine.travel(0, tick=False):
            for _time in range(2):  # the second time from memory
                logs.write_line(logging.getLogger("bcc.request"), "request", **self.PAIRS)
            structlog.get_logger("bcc.request").info("request", **self.PAIRS)
        *quick, stock = out.getvalue().splitlines()
        assert len(quick) == 2
        if as_json:
            assert [json.loads(line) for line in quick] == [json.loads(stock)] * 2
        else:
            assert [sorted(line.split()) for line in quick] == [sorted(stock.split())] * 2

    def test_is_silent_where_the_level_is_higher(self, out: StringIO) -> None:
        logging.getLogger().setLevel("WARNING")
        logs.write_line(logging.getLogger("bcc.request"), "request")
        assert out.getvalue() == ""
