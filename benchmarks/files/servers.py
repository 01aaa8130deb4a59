"""The sides: ours behind nginx, and Express with and without it. All of a side's processes share a core."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.api.places import ROOT, SERVER_CORE, START_SECONDS, Place, on_core
from benchmarks.api.servers import PEER_FOLDER, command_of_ours
from tests.services import free_port

PEER = Path(__file__).parent / "peer" / "server.js"
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Side:
    """``pids`` are the processes whose CPU is its own; ``what`` the kind of address that is asked for."""

    name: str
    url: str
    pids: tuple[int, ...]
    what: str


@contextmanager
def sides(where: Place, folder: str) -> Iterator[list[Side]]:
    """Every side, running, until the block ends."""
    env = where.environment() | {"FILES_ROOT": folder, "NODE_PATH": str(PEER_FOLDER / "node_modules")}
    with ExitStack() as stack:

        def start(name: str, command: list[str], port: int, **more: str) -> int:
            return stack.enter_context(_running(where, name, command, port, env | more))

        web, accel, sendfile = free_port(), free_port(), free_port()
        ours = start("web", command_of_ours(web), web, FILES_BY_PROXY="true")
        node = ["node", str(PEER)]
        by_accel = start("express-accel", node, accel, NODE_ENV="production", ACCEL="1", PORT=str(accel))
        by_itself = start("express-sendfile", node, sendfile, NODE_ENV="production", PORT=str(sendfile))
        front, other = free_port(), free_port()
        nginx = start("nginx", write_nginx(where, "ours", front, web, folder), front)
        nginx_too = start("nginx-too", write_nginx(where, "peer", other, accel, folder), other)
        yield [
            Side("express sendFile", f"http://127.0.0.1:{sendfile}", (by_itself,), "content"),
            Side("express X-Accel", f"http://127.0.0.1:{other}", (nginx_too, by_accel), "content"),
            Side("ours, checked", f"http://127.0.0.1:{front}", (nginx, ours), "content"),
            Side("ours, signed link", f"http://127.0.0.1:{front}", (nginx,), "link"),
            Side("nginx static", f"http://127.0.0.1:{front}", (nginx,), "static"),
        ]


def write_nginx(where: Place, name: str, port: int, web: int, folder: str) -> list[str]:
    """The command of an nginx with the club's own configuration, without TLS, and a plain folder beside."""
    home = where.data_dir / f"nginx-{name}"
    home.mkdir(exist_ok=True)
    places = {
        "SERVER_NAME": "localhost",
        "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{port}",
        "WEB": f"127.0.0.1:{web}",
        "SOCKETS": f"127.0.0.1:{web}",
        "ACCESS_LOG": str(home / "access.log"),
        "FILES_ROOT": folder,
        "FILES_LINK_KEY": where.keys["FILES_LINK_KEY"],
    }
    text = (ROOT / "deploy/nginx/bcc.conf.template").read_text()
    text = re.sub(r"^\s*ssl_.*\n", "", text, flags=re.MULTILINE).replace(" ssl http2;", ";")
    for variable, value in places.items():
        text = text.replace(f"${{{variable}}}", value)
    plain = f"    location /plain/ {{ alias {folder}/; sendfile on; tcp_nopush on; }}\n"
    at = text.rindex("    location / {")
    (home / "bcc.conf").write_text(text[:at] + plain + text[at:])
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {kind}_temp_path {home}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {home}/nginx.pid;\nerror_log stderr warn;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}    include {home}/bcc.conf;\n}}\n"
    )
    return ["nginx", "-c", str(home / "nginx.conf")]


@contextmanager
def _running(where: Place, name: str, command: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    log = where.data_dir / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            on_core(SERVER_CORE, command),
            cwd=ROOT,
            env=env | {"PATH": f"{env['PATH']}:/usr/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/live", process, log)
        yield process.pid
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer:\n{log.read_text()[-3000:]}")
