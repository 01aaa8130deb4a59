"""One member's way through the whole house, over real HTTP, against a server of its own process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.server import Server, run_json, serving

API = "/api/v1"
CODE = re.compile(r"\b\d{6}\b")
# The scheduler looks every minute; the contract allows it ninety seconds after the deadline.
EXPIRY_SECONDS = 90


class App:
    """The phone of one member."""

    def __init__(self, server: Server, person: dict[str, str]) -> None:
        self.server = server
        self.person = person
        self.http = httpx.Client(base_url=server.url, timeout=30)

    def sign_in(self) -> dict[str, Any]:
        """With a password, and with the one-time code that the club sent; the reply of the second."""
        seen = len(self._codes())
        first = self.post(
            "auth/login",
            {
                "identifier": self.person["member_no"].lower(),
                "password": self.person["password"],
                "device": {"platform": "ios", "name": "A phone"},
            },
        )
        assert first.status_code == 200, first.text
        assert first.json()["otp_required"] is True
        until = time.monotonic() + 15
        while len(self._codes()) == seen and time.monotonic() < until:
            time.sleep(0.2)
        challenge = first.json()["challenge"]
        challenge = challenge["challenge"] if isinstance(challenge, dict) else challenge
        second = self.post("auth/otp/verify", {"challenge": challenge, "code": self._codes()[-1]})
        assert second.status_code == 200, second.text
        reply: dict[str, Any] = second.json()
        tokens = reply.get("tokens", reply)
        self.http.headers["Authorization"] = f"Bearer {tokens['access']}"
        return reply

    def _codes(self) -> list[str]:
        outbox = self.server.data_dir / "outbox.txt"
        return CODE.findall(outbox.read_text()) if outbox.exists() else []

    def get(self, path: str, **params: str) -> Any:
        response = self.http.get(f"{API}/{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self.http.post(f"{API}/{path}", json=body if body is not None else {})

    def done(self, path: str, body: object = None, status: int = 200) -> Any:
        response = self.post(path, body)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    data_dir = tmp_path_factory.mktemp("journey")
    return data_dir, run_json(["tests/live/prepare.py"], data_dir)


@pytest.fixture
def server(made: tuple[Path, dict[str, Any]], request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(made[0], *getattr(request, "param", ())) as live:
        yield live


@pytest.fixture
def phone(server: Server, made: tuple[Path, dict[str, Any]]) -> Iterator[Callable[[int], App]]:
    """The phone of the first or the second traveller; hung up at the end."""
    phones: list[App] = []

    def pick_up(number: int) -> App:
        phones.append(App(server, made[1]["travellers"][number]))
        return phones[-1]

    yield pick_up
    for one in phones:
        one.http.close()


@pytest.fixture
def court(made: tuple[Path, dict[str, Any]]) -> str:
    return str(made[1]["facilities"]["journey"])


def wish(made: dict[str, Any], court: str, days: int, hour: int) -> dict[str, str]:
    on = date.fromisoformat(made["today"]) + timedelta(days=days)
    starts_at = datetime.combine(on, datetime.min.time(), tzinfo=UTC) + timedelta(hours=hour - 8)
    ends_at = starts_at + timedelta(hours=1)
    return {"facility": court, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


class TestJourney:
    @pytest.mark.parametrize("server", [("--no-scheduler",)], indirect=True)
    def test_from_sign_in_to_a_refusal_with_an_alternative_that_succeeds(
        self, phone: Callable[[int], App], made: tuple[Path, dict[str, Any]], court: str
    ) -> None:
        facts = made[1]
        app = phone(0)
        app.sign_in()
        first = wish(facts, court, 4, 10)

        week = app.get(
            f"facilities/{court}/availability",
            **{"from": first["starts_at"][:10], "to": first["starts_at"][:10]},
        )
        assert week["days"][0]["slots"][0]["state"] == "free"
        assert app.done("reservations/quote", first)["state"] == "HELD"
        held = app.done("reservations", first, 201)
        assert held["state"] == "HELD"
        confirmed = app.done(f"reservations/{held['id']}/confirm")
        assert confirmed["state"] == "CONFIRMED"
        later = wish(facts, court, 4, 15)
        moved = app.done(
            f"reservations/{held['id']}/reschedule",
            {"starts_at": later["starts_at"], "ends_at": later["ends_at"]},
        )
        assert (moved["id"], moved["state"]) == (held["id"], "CONFIRMED")
        cancelled = app.done(f"reservations/{held['id']}/cancel", {"reason": "Another day."})
        assert cancelled["state"] == "CANCELLED_MEMBER"

        for hour in (8, 9):
            app.done("reservations", wish(facts, court, 5, hour), 201)
        refused = app.post("reservations", wish(facts, court, 5, 12))
        assert refused.status_code == 422, refused.text
        rule = refused.json()["rules"][0]
        assert (rule["code"], rule["limit"], rule["current"]) == ("quota_exceeded", 2, 2)
        alternative = refused.json()["alternatives"][0]
        app.done("reservations", {key: alternative[key] for key in ("facility", "starts_at", "ends_at")}, 201)

        history = [event["to_state"] for event in app.get(f"reservations/{held['id']}/events")["results"]]
        assert history == ["HELD", "CONFIRMED", "CONFIRMED", "CANCELLED_MEMBER"]
        told = [one["kind"] for one in app.get("me/notifications")["results"]]
        assert told.count("reservation_cancelled_member") == 1

    def test_a_hold_left_alone_expires_by_itself(
        self, phone: Callable[[int], App], made: tuple[Path, dict[str, Any]], court: str
    ) -> None:
        facts = made[1]
        app = phone(0)
        app.sign_in()
        held = app.done("reservations", wish(facts, court, 8, 10), 201)
        deadline = datetime.fromisoformat(held["expires_at"])

        # Without any request in between.
        time.sleep(max(0.0, (deadline - datetime.now(UTC)).total_seconds()) + EXPIRY_SECONDS)

        event = app.get(f"reservations/{held['id']}/events")["results"][-1]
        assert (event["to_state"], event["actor"]) == ("EXPIRED", "scheduler")
        late = (datetime.fromisoformat(event["at"]) - deadline).total_seconds()
        print(f"expired {late:.1f} s after its deadline")
        assert 0 <= late <= EXPIRY_SECONDS
        told = [one["kind"] for one in app.get("me/notifications")["results"]]
        assert told.count("reservation_expired") == 1
        app.done("reservations", wish(facts, court, 8, 10), 201)

    @pytest.mark.parametrize("server", [("--no-scheduler",)], indirect=True)
    def test_without_the_scheduler_a_booking_ends_the_hold_in_its_way(
        self, phone: Callable[[int], App], made: tuple[Path, dict[str, Any]], court: str
    ) -> None:
        facts = made[1]
        first, second = phone(0), phone(1)
        first.sign_in()
        second.sign_in()
        held = first.done("reservations", wish(facts, court, 9, 10), 201)
        deadline = datetime.fromisoformat(held["expires_at"])
        assert second.post("reservations", wish(facts, court, 9, 10)).status_code == 409
        time.sleep(max(0.0, (deadline - datetime.now(UTC)).total_seconds()) + 0.5)

        second.done("reservations", wish(facts, court, 9, 10), 201)

        event = first.get(f"reservations/{held['id']}/events")["results"][-1]
        assert (event["to_state"], event["actor"]) == ("EXPIRED", "booking")
