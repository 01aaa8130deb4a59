"""Real servers on this machine for what leaves the house: HTTP of a gateway, and SMTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Gateway:
    """An HTTP server that answers with what it was told to, one after the other, and then the last again."""

    url: str
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "{}")])
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)


@contextmanager
def http_gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            gateway.heard.append(Heard(self.command, self.path, dict(self.headers), body))
            status, text = gateway.answers[0] if len(gateway.answers) == 1 else gateway.answers.pop(0)
            self.send_response(status)
            for name, value in gateway.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Quiet: the test says what it saw."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway = Gateway(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    port: int
    letters: list[Any] = field(default_factory=list)
    refuse: str = ""


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    """A real SMTP server; ``refuse`` is what it says to a recipient."""

    class Keeper:
        async def handle_RCPT(self, _s: Any, _session: Any, envelope: Any, address: str, _o: Any) -> str:
            if box.refuse:
                return box.refuse
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            box.letters.append(envelope)
            return "250 OK"

    box = Mailbox(_free_port())
    controller = Controller(Keeper(), hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
