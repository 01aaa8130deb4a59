"""What a browser client of the club's may send, and may read."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

ORIGIN = "https://app.example.com"
SENT = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "if-range", "range"]
READ = [
    "Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Idempotency-Replayed", "RateLimit",
    "RateLimit-Policy", "Retry-After", "X-Request-ID",
]  # fmt: skip


@pytest.fixture(autouse=True)
def named(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


class TestCors:
    @pytest.mark.parametrize("header", [*SENT, "x-app-version", "x-request-id"])
    def test_a_named_origin_may_send_every_header_of_the_contract(self, header: str) -> None:
        answer = APIClient().options(
            "/api/v1/reservations",
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": header,
            },
        )

        assert answer["Access-Control-Allow-Origin"] == ORIGIN
        assert header in answer["Access-Control-Allow-Headers"].split(", ")

    def test_a_named_origin_may_read_every_header_of_the_contract(self) -> None:
        answer = APIClient().get("/api/v1/time", headers={"Origin": ORIGIN})

        assert answer["Access-Control-Expose-Headers"].split(", ") == READ

    def test_another_origin_reads_nothing(self) -> None:
        answer = APIClient().get("/api/v1/time", headers={"Origin": "https://evil.example.com"})

        assert "Access-Control-Allow-Origin" not in answer
