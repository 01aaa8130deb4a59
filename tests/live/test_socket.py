"""The app's socket against the real server: a member signs in, listens, books, and signs out."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from tests.live.app import App, closed_with, hear, hear_until
from tests.live.engines import scratch_redis
from tests.live.server import Server, migrated, run_json, run_script, serving

pytestmark = pytest.mark.server

# Redis clients give an idle receive() up after five seconds unless they are told not to.
IDLE_SECONDS = 7


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    data_dir = migrated(tmp_path_factory.mktemp("socket"))
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

    @pytest.mark.soak
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


@pytest.fixture
def redis_url() -> Iterator[str]:
    with scratch_redis() as url:
        yield url


@pytest.mark.soak
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
