"""The app's socket against the real server: a member signs in, listens, books, and signs out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.chat.conftest import check_described
from tests.live.server import Server, free_port, run_json, run_script, serving

pytestmark = pytest.mark.server

API = "/api/v1"
CODE = re.compile(r"\b\d{6}\b")
CODE_SECONDS = 15
# Redis clients give an idle receive() up after five seconds unless they are told not to.
IDLE_SECONDS = 7


class App:
    """A member's phone: HTTP, and sockets of the same session."""

    def __init__(self, server: Server, facts: dict[str, str]) -> None:
        self.server = server
        self.facts = facts
        self.http = httpx.Client(base_url=f"{server.url}{API}/", timeout=30)

    def sign_in(self) -> None:
        seen = len(self._codes())
        device = {"platform": "android", "name": "A phone"}
        asked = self._post(
            "auth/login",
            {"identifier": self.facts["member_no"], "password": self.facts["password"], "device": device},
        )
        until = time.monotonic() + CODE_SECONDS
        while len(self._codes()) == seen and time.monotonic() < until:
            time.sleep(0.1)
        challenge = asked["challenge"]["challenge"]
        reply = self._post("auth/otp/verify", {"challenge": challenge, "code": self._codes()[-1]})
        self.token: str = reply["tokens"]["access"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

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
        on = date.fromisoformat(self.facts["today"]) + timedelta(days=3)
        starts_at = datetime.combine(on, datetime.min.time(), tzinfo=UTC) + timedelta(hours=hour - 8)
        wish = {
            "facility": self.facts["court"],
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        return self._post("reservations", wish)

    def log_out(self) -> None:
        assert self.http.post("auth/logout", json={}).status_code == 204

    def socket(self, query: str = "", **options: Any) -> ClientConnection:
        url = self.server.url.replace("http://", "ws://")
        opened: ClientConnection = connect(f"{url}/ws/v1{query}", **options)
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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    data_dir = tmp_path_factory.mktemp("socket")
    return data_dir, run_json(["tests/live/prepare_socket.py"], data_dir)


@pytest.fixture(scope="module")
def server(made: tuple[Path, dict[str, str]]) -> Iterator[Server]:
    with serving(made[0], "--no-scheduler") as live:
        yield live


@pytest.fixture
def app(server: Server, made: tuple[Path, dict[str, str]]) -> Iterator[App]:
    phone = App(server, made[1])
    phone.sign_in()
    yield phone
    phone.http.close()


class TestSocket:
    def test_brings_a_booking_and_ends_with_the_session(self, app: App) -> None:
        ticket = app.ticket()
        with app.socket(f"?ticket={ticket}") as socket:
            assert hear(socket)["type"] == "welcome"

            began = time.perf_counter()
            held = app.book(10)
            changed = hear_until(socket, "reservation.changed")
            print(f"booking and its push took {(time.perf_counter() - began) * 1000:.0f} ms")
            assert (changed["reservation"], changed["state"]) == (held["id"], "HELD")
            app._post(f"reservations/{held['id']}/confirm")
            assert hear_until(socket, "reservation.changed")["state"] == "CONFIRMED"

            app.log_out()
            assert hear_until(socket, "bye")["reason"] == "session_ended"
            assert closed_with(socket) == 4009
        with app.socket(f"?ticket={ticket}") as again:
            assert hear(again)["code"] == "ticket_invalid"
            assert closed_with(again) == 4001
        with app.socket() as late:
            late.send(json.dumps({"type": "auth", "token": app.token}))
            assert hear(late)["code"] == "session_ended"
            assert closed_with(late) == 4001

    def test_survives_silence_and_answers_afterwards(self, app: App) -> None:
        with app.socket() as socket:
            socket.send(json.dumps({"type": "auth", "token": app.token}))
            assert hear(socket)["type"] == "welcome"
            time.sleep(IDLE_SECONDS)
            socket.send(json.dumps({"type": "ping", "active": True}))
            assert hear(socket)["type"] == "pong"
            app.book(12)
            assert hear_until(socket, "reservation.changed")["state"] == "HELD"

    def test_refuses_a_foreign_page_at_the_handshake(self, app: App) -> None:
        ticket = app.ticket()
        with (
            pytest.raises(InvalidStatus) as refused,
            app.socket(f"?ticket={ticket}", origin="https://evil.example.com"),
        ):
            pass
        assert refused.value.response.status_code == 403
        # It never reached the ticket, which still works: for the club's own page.
        own = app.server.url.replace("127.0.0.1", "localhost")
        with app.socket(f"?ticket={ticket}", origin=own) as socket:
            assert hear(socket)["type"] == "welcome"

    def test_closes_who_does_not_sign_in(self, app: App) -> None:
        with app.socket() as socket:
            began = time.monotonic()
            assert hear(socket)["code"] == "not_authenticated"
            assert closed_with(socket) == 4001
            assert 4 < time.monotonic() - began < 8

    def test_closes_who_sends_too_much(self, app: App) -> None:
        with app.socket(f"?ticket={app.ticket()}") as socket:
            for _ in range(100):
                socket.send('{"type":"ping"}')
            assert hear_until_error(socket)["code"] == "too_many_frames"
            assert closed_with(socket) == 4029
        with app.socket(f"?ticket={app.ticket()}") as socket:
            hear(socket)
            socket.send("x" * 20_000)
            assert hear(socket)["code"] == "frame_too_long"
            socket.send("x" * 70_000)
            assert closed_with(socket) == 1009

    def test_is_counted_in_the_metrics(self, app: App) -> None:
        with app.socket(f"?ticket={app.ticket()}") as socket:
            hear(socket)
            metrics = httpx.get(f"{app.server.url}/metrics").text
            assert re.search(r"^bcc_sockets_open [1-9]", metrics, re.MULTILINE)

    def test_maintenance_gives_no_ticket_and_leaves_open_sockets(self, app: App) -> None:
        with app.socket(f"?ticket={app.ticket()}") as socket:
            hear(socket)
            run_script(["manage.py", "maintenance", "on", "--message", "New greens."], app.server.data_dir)
            try:
                refused = app.http.post("chat/socket-ticket", json={})
                start = app.http.get("bootstrap").json()
                socket.send('{"type":"ping"}')
                assert hear(socket)["type"] == "pong"
            finally:
                run_script(["manage.py", "maintenance", "off"], app.server.data_dir)
            assert (refused.status_code, refused.json()["code"]) == (503, "maintenance")
            assert start["maintenance"] == {"message": "New greens.", "until": None}
        assert app.ticket()


def hear_until_error(socket: ClientConnection) -> dict[str, Any]:
    for _ in range(200):
        frame = hear(socket)
        if frame["type"] == "error":
            return frame
    raise AssertionError("No error among two hundred frames.")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the tests' own, on a free port."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("There is no redis-server on this machine.")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "log").open("wb") as out, subprocess.Popen([program, *options], stdout=out) as process:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


class TestAcrossProcesses:
    @pytest.fixture
    def servers(self, made: tuple[Path, dict[str, str]], redis_url: str) -> Iterator[tuple[Server, Server]]:
        quiet = ("--no-scheduler",)
        with (
            serving(made[0], *quiet, REDIS_URL=redis_url) as one,
            serving(made[0], *quiet, "--no-worker", REDIS_URL=redis_url) as other,
        ):
            yield one, other

    def test_what_happens_in_one_is_heard_in_the_other(
        self, servers: tuple[Server, Server], made: tuple[Path, dict[str, str]]
    ) -> None:
        one, other = servers
        app, elsewhere = App(one, made[1]), App(other, made[1])
        app.sign_in()
        with elsewhere.socket(f"?ticket={app.ticket()}") as older:
            assert hear(older)["type"] == "welcome"
            time.sleep(IDLE_SECONDS)
            held = app.book(16)
            assert hear_until(older, "reservation.changed")["reservation"] == held["id"]
            with app.socket(f"?ticket={app.ticket()}") as newer:
                assert hear(newer)["type"] == "welcome"
                assert hear_until(older, "bye")["reason"] == "replaced"
                assert closed_with(older) == 4003
        with elsewhere.socket(f"?ticket={app.ticket()}") as socket:
            assert hear(socket)["type"] == "welcome"
            app.log_out()
            assert hear_until(socket, "bye")["reason"] == "session_ended"
            assert closed_with(socket) == 4009
        for phone in (app, elsewhere):
            phone.http.close()


class TestShutdown:
    def test_says_goodbye_and_leaves_no_secret_in_the_log(self, made: tuple[Path, dict[str, str]]) -> None:
        with serving(made[0], "--no-scheduler") as server:
            app = App(server, made[1])
            app.sign_in()
            ticket = app.ticket()
            with app.socket(f"?ticket={ticket}") as socket:
                hear(socket)
                server.process.send_signal(2)
                assert hear(socket) == {"type": "bye", "reason": "restarting"}
                assert closed_with(socket) == 1012
            app.http.close()
            assert server.process.wait(30) == 0
            log = server.log.read_text()
        assert "socket_opened" in log
        assert ticket not in log
        assert app.token not in log
        assert "Traceback" not in log
