"""The server as a process of its own: it starts, answers, refuses, and stops when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from django.core.management import CommandError, call_command

from bcc.management.commands import serve
from tests.bcc.conftest import ROOT
from tests.live.server import Server, environment, migrated, serving

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = migrated(tmp_path_factory.mktemp("serve"))
    (folder / "demo-sign-ins.txt").write_text("Demo Member 001  DM-0001-0\n")
    return folder


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[Server]:
    with serving(data_dir) as running:
        yield running


async def status_of_handshake(url: str, **headers: str) -> int:
    try:
        async with websockets.connect(url, additional_headers=headers):
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


class TestServe:
    def test_answers_over_http(self, server: Server) -> None:
        response = httpx.get(f"{server.url}/api/v1/time", headers={"X-Request-ID": "a-client-s-own"})
        assert response.status_code == 200
        assert response.headers["X-Request-ID"] == "a-client-s-own"
        assert response.json()["server_time"].endswith("Z")
        assert "server" not in response.headers

    def test_is_ready(self, server: Server) -> None:
        assert httpx.get(f"{server.url}/health/ready").json()["status"] == "ok"

    @pytest.mark.parametrize("page", ["docs", "redoc"])
    def test_gives_the_documentation_from_this_machine(self, server: Server, page: str) -> None:
        html = httpx.get(f"{server.url}/api/v1/{page}").text
        assert "http://" not in html.replace(server.url, "")
        assert "https://" not in html
        scripts = [part.split('"')[0] for part in html.split('<script src="')[1:]]
        assert scripts
        for script in scripts:
            assert httpx.get(f"{server.url}{script}").status_code == 200

    def test_describes_itself_in_openapi(self, server: Server) -> None:
        schema = httpx.get(f"{server.url}/api/v1/schema", headers={"Accept": "application/json"}).json()
        assert schema["openapi"].startswith("3.1")
        assert "/api/v1/time" in schema["paths"]

    def test_speaks_problem_json_for_what_is_not_there(self, server: Server) -> None:
        response = httpx.get(f"{server.url}/api/v1/nowhere")
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_refuses_a_host_that_is_not_its_own(self, server: Server) -> None:
        response = httpx.get(f"{server.url}/api/v1/time", headers={"Host": "evil.example.com"})
        assert response.status_code == 400

    def test_keeps_connections_open(self, server: Server) -> None:
        with httpx.Client(base_url=server.url) as client:
            codes = [client.get("/health/live").status_code for _ in range(50)]
        assert set(codes) == {200}

    def test_refuses_sockets_of_foreign_pages_and_unknown_paths(self, server: Server) -> None:
        base = server.url.replace("http", "ws")
        foreign = status_of_handshake(f"{base}/ws/v1", Origin="https://evil.example.com")
        assert asyncio.run(foreign) == 403
        assert asyncio.run(status_of_handshake(f"{base}/ws/nowhere")) == 403
        assert asyncio.run(status_of_handshake(f"{base}/api/v1/time")) == 403

    def test_prints_where_it_is_and_who_may_sign_in(self, server: Server) -> None:
        said = server.log.read_text()
        base = server.url.replace("127.0.0.1", "localhost")
        for line in (
            f"{base}/api/v1/",
            f"{base}/api/v1/docs",
            f"{base}/admin/",
            "Demo Member 001  DM-0001-0",
            str(server.data_dir / "outbox.txt"),
        ):
            assert line in said

    def test_says_in_one_line_that_the_port_is_taken(self, server: Server) -> None:
        port = server.url.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            cwd=ROOT,
            env=environment(server.data_dir),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert (
            done.stderr.strip()
            == f"CommandError: Port {port} is taken. Stop what uses it, or choose another."
        )


class TestStopping:
    @pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
    def test_stops_scheduler_worker_and_server_in_order(self, data_dir: Path, sent: signal.Signals) -> None:
        with serving(data_dir) as running:
            running.process.send_signal(sent)
            assert running.process.wait(30) == 0
            said = running.log.read_text()
        steps = ["stopping the scheduler", "stopping the worker", "stopping the server", "── stopped"]
        places = [said.index(step) for step in steps]
        assert places == sorted(places)
        assert "Traceback" not in said

    def test_lets_a_request_end_first(self, data_dir: Path) -> None:
        with serving(data_dir, "--no-worker", "--no-scheduler") as running:
            port = int(running.url.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                client.sendall(head + b"Content-Type: application/json\r\n\r\n{")
                running.process.send_signal(signal.SIGINT)
                client.sendall(b"}")
                assert b"HTTP/1.1 400" in client.recv(4096)
            assert running.process.wait(30) == 0
            said = running.log.read_text()
        assert "worker:" not in said
        assert "scheduler:" not in said


class TestOptions:
    @pytest.mark.parametrize("port", ["abc", "-1", "65536", "80.5", ""])
    def test_say_what_a_port_is(self, port: str) -> None:
        with pytest.raises(ArgumentTypeError) as refused:
            serve._port(port)
        assert str(refused.value) == f"{port} is no port. Give a number from 1 to 65535."

    def test_refuse_a_second_process_without_redis(self) -> None:
        with pytest.raises(CommandError, match="REDIS_URL"):
            call_command("serve", workers=2)

    def test_make_no_demo_club_where_there_is_none_to_be(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        called: list[str] = []
        monkeypatch.setattr(serve, "call_command", lambda name, *_, **__: called.append(name))
        for settings.DEMO_MODE in (False, True):
            call_command("serve", "--prepare", port=0)
        assert called == ["migrate", "migrate", "demo"]

    def test_say_in_a_sentence_that_a_start_was_stopped(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupted(*_args: Any, **_options: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(serve, "call_command", interrupted)
        with pytest.raises(SystemExit) as ended:
            call_command("serve", "--prepare", port=0)
        assert ended.value.code == 130
        assert "the next start goes on from here" in capsys.readouterr().out

    def test_refuse_an_address_that_is_not_ours(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--host", "203.0.113.9", "--port", "8000"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "bcc.settings.testing"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "CommandError: Cannot listen at 203.0.113.9 port 8000" in done.stderr
