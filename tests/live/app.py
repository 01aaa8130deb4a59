"""A member's phone against a real server: HTTP, and sockets of the same session."""

from __future__ import annotations

import json
import re
import ssl
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.chat.conftest import check_described
from tests.live.server import Server

API = "/api/v1"
CODE = re.compile(r"\b\d{6}\b")
CODE_SECONDS = 15


class App:
    """A member's phone: HTTP, and sockets of the same session."""

    def __init__(self, server: Server, facts: dict[str, str], *, trust: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.facts = facts
        self.trust = trust
        self.http = httpx.Client(
            base_url=f"{server.url}{API}/", timeout=30, verify=True if trust is None else trust
        )

    def sign_in(self) -> None:
        seen = len(self._codes())
        asked = self._post("auth/login", self.credentials())
        until = time.monotonic() + CODE_SECONDS
        while len(self._codes()) == seen and time.monotonic() < until:
            time.sleep(0.1)
        challenge = asked["challenge"]["challenge"]
        reply = self._post("auth/otp/verify", {"challenge": challenge, "code": self._codes()[-1]})
        self.token: str = reply["tokens"]["access"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def credentials(self) -> dict[str, object]:
        device = {"platform": "android", "name": "A phone"}
        return {"identifier": self.facts["member_no"], "password": self.facts["password"], "device": device}

    def _codes(self) -> list[str]:
        outbox = self.server.data_dir / "outbox.txt"
        return CODE.findall(outbox.read_text()) if outbox.exists() else []

    def _post(self, path: str, body: object = None) -> Any:
        response = self.http.post(path, json=body if body is not None else {})
        assert response.status_code in (200, 201), response.text
        return response.json()

    def ticket(self) -> str:
        found: str = self._post("chat/socket-ticket")["ticket"]
        return found

    def book(self, hour: int) -> Any:
        return self._post("reservations", self.wish(hour))

    def wish(self, hour: int) -> dict[str, str]:
        """The court for an hour, in three days."""
        on = date.fromisoformat(self.facts["today"]) + timedelta(days=3)
        starts_at = datetime.combine(on, datetime.min.time(), tzinfo=UTC) + timedelta(hours=hour - 8)
        return {
            "facility": self.facts["court"],
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }

    def log_out(self) -> None:
        assert self.http.post("auth/logout", json={}).status_code == 204

    def socket(self, query: str = "", **options: Any) -> ClientConnection:
        url = self.server.url.replace("http", "ws", 1)
        opened: ClientConnection = connect(f"{url}/ws/v1{query}", ssl=self.trust, **options)
        return opened


def hear(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=10))
    check_described(frame)
    return frame


def hear_until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    for _ in range(10):
        frame = hear(socket)
        if frame["type"] == kind:
            return frame
    raise AssertionError(f"No {kind} among ten frames.")


def closed_with(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=10)
    return closed.value.rcvd.code if closed.value.rcvd else None
