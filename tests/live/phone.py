"""The phone of one member: HTTP with the standard library, and the texts that the demo club sends them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

API = "/api/v1"
CODE = re.compile(r"\b\d{6}\b")
CODE_SECONDS = 30
TIMEOUT = 60


class SurpriseError(Exception):
    """The club did something else than it should."""


def expect(is_so: object, what: str) -> None:
    """Raise SurpriseError with what was expected."""
    if not is_so:
        raise SurpriseError(f"expected {what}")


class Phone:
    def __init__(self, url: str, outbox: Path) -> None:
        self.url = url
        self.outbox = outbox
        self.email = ""
        # Reservations to give back in the end.
        self.mine: list[str] = []
        self._access = self._refresh = ""

    def sign_in(self, identifier: str, password: str) -> None:
        """With a password, and with the one-time code that the club sent."""
        before = len(self.messages())
        login = self.done(
            "auth/login",
            {
                "identifier": identifier,
                "password": password,
                "device": {"platform": "ios", "name": "A phone"},
            },
        )
        expect(login["otp_required"] is True, f"a code for a new device, not {login}")
        challenge = login["challenge"]["challenge"]
        until = time.monotonic() + CODE_SECONDS
        codes: list[str] = []
        while not codes:
            expect(time.monotonic() < until, f"a one-time code in {self.outbox} within {CODE_SECONDS} s")
            time.sleep(0.2)
            codes = [code for text in self.messages()[before:] for code in CODE.findall(text)]
        reply = self.done("auth/otp/verify", {"challenge": challenge, "code": codes[-1]})
        self._keep(reply["tokens"])
        self.email = self.get("me")["email"]

    def messages(self) -> list[str]:
        """What the demo club sent to anybody, one text each, oldest first."""
        if not self.outbox.exists():
            return []
        return re.split(r"^(?=\[)", self.outbox.read_text(), flags=re.MULTILINE)[1:]

    def count_messages(self, subject: str) -> int:
        """How many the club sent to this member; nothing is asked of the server."""
        return sum(f"To {self.email}: {subject}" in text for text in self.messages())

    def get(self, path: str, **params: str) -> Any:
        status, reply = self._send("GET", f"{path}?{urlencode(params)}" if params else path)
        expect(status == 200, f"200 from GET {path}, not {status} {reply}")
        return reply

    def post(self, path: str, body: object = None, *, key: str | None = None) -> tuple[int, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._send("POST", path, body if body is not None else {}, headers)

    def done(self, path: str, body: object = None, *, status: int = 200, key: str | None = None) -> Any:
        got, reply = self.post(path, body, key=key)
        expect(got == status, f"{status} from POST {path}, not {got} {reply}")
        return reply

    def book(self, wish: object, *, key: str | None = None) -> Any:
        """Book, and remember to give it back."""
        reply = self.done("reservations", wish, status=201, key=key)
        self.mine.append(reply["id"])
        return reply

    def told(self, reservation: str) -> list[str]:
        """The kinds of the notices in the app about a reservation."""
        shown = self.get("me/notifications", page_size="100")["results"]
        return [one["kind"] for one in shown if one["link"].endswith(reservation)]

    def give_back(self) -> None:
        """Cancel what still stands of what was booked."""
        for reservation in dict.fromkeys(self.mine):
            if self.get(f"reservations/{reservation}")["state"] in ("HELD", "CONFIRMED"):
                self.done(f"reservations/{reservation}/cancel", {"reason": "It was a trial."})
        self.mine.clear()

    def _send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        status, reply = self._ask(method, path, body, headers)
        if status == 401 and self._refresh and not path.startswith("auth/"):
            # Ten minutes are over, by the club's clock.
            self._keep(self.done("auth/token/refresh", {"refresh": self._refresh}))
            status, reply = self._ask(method, path, body, headers)
        return status, reply

    def _ask(self, method: str, path: str, body: object, headers: dict[str, str] | None) -> tuple[int, Any]:
        request = Request(
            f"{self.url}{API}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Accept": "application/json", "Content-Type": "application/json", **(headers or {})},
        )
        if self._access and not path.startswith("auth/"):
            request.add_header("Authorization", f"Bearer {self._access}")
        try:
            with urlopen(request, timeout=TIMEOUT) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def _keep(self, tokens: dict[str, str]) -> None:
        self._access, self._refresh = tokens["access"], tokens["refresh"]
