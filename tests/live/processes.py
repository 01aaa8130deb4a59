"""The club's services as processes of their own: what docker-compose.yml starts, without containers.

Each command is read from docker-compose.yml, so that what is tested is what is run. Only addresses and
ports differ, and nginx runs with the same configuration file as in its container.
"""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.live.certificate import make_certificate
from tests.live.server import ROOT, START_SECONDS, STOP_SECONDS, environment, free_port

WORKERS = ("worker", "mail", "batch")
PYTHON_SERVICES = ("web", "sockets", *WORKERS, "beat")
# How each says that it has begun, where it has no port to be asked at.
SIGNS = {**dict.fromkeys(WORKERS, " ready."), "beat": "LocalTime ->"}

# What the proxy and the application of the tests share.
FILES_LINK_KEY = "a-key-of-the-tests-that-signs-nothing-else"


@dataclass(slots=True)
class Service:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    # Where this one's lines begin in the log.
    begins: int = 0

    def said(self) -> str:
        return self.log.read_bytes()[self.begins :].decode()

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """As Docker stops it, unless another signal is given; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(STOP_SECONDS)


@dataclass(slots=True)
class Processes:
    data_dir: Path
    database: str
    ports: dict[str, int]
    env: dict[str, str]
    running: dict[str, Service] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The web service itself, without the proxy."""
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def proxy(self) -> str:
        return f"https://localhost:{self.ports['proxy']}"

    @property
    def certificate(self) -> Path:
        return self.data_dir / "tls" / "certificate.pem"

    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe the proxy."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def start(self, name: str, command: list[str]) -> Service:
        """Start a service and wait until it says that it is there. Raises RuntimeError with its log."""
        log = self.data_dir / f"{name}.log"
        begins = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            process = subprocess.Popen(
                [shutil.which(command[0], path=self.env["PATH"]) or command[0], *command[1:]],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        service = self.running[name] = Service(name, process, log, begins)
        until = time.monotonic() + START_SECONDS
        while not self._is_there(service):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} did not start:\n{service.said()[-4000:]}")
            time.sleep(0.1)
        return service

    def _is_there(self, service: Service) -> bool:
        if service.name in SIGNS:
            return SIGNS[service.name] in service.said()
        scheme = "https" if service.name == "proxy" else "http"
        address = f"{scheme}://localhost:{self.ports[service.name]}/health/live"
        try:
            return httpx.get(address, timeout=2, verify=self.trust()).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """The proxy first, then what it asked, then the scheduler and the workers."""
        for name in ("proxy", "web", "sockets", "beat", *WORKERS):
            service = self.running.pop(name, None)
            if service is not None:
                try:
                    service.stop()
                except subprocess.TimeoutExpired:
                    service.process.kill()
                    service.process.wait(STOP_SECONDS)


def composed() -> dict[str, Any]:
    """The services of docker-compose.yml."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


def command_of(name: str, port: int) -> list[str]:
    """What docker-compose.yml starts for a service, at an address of the tests."""
    places = {"0.0.0.0": "127.0.0.1", "8000": str(port), "8001": str(port)}
    return [places.get(word, word) for word in composed()[name]["command"]]


@contextmanager
def processes(data_dir: Path, *, database: str, redis: str, names: tuple[str, ...]) -> Iterator[Processes]:
    """The named services, and the proxy if it is among them, until the block ends.

    ``database`` and ``redis`` are URLs; the tables and the data folder are there already.
    """
    made = Processes(
        data_dir=data_dir,
        database=database,
        ports={name: free_port() for name in ("web", "sockets", "proxy")},
        env=environment(
            data_dir,
            DATABASE_URL=database,
            REDIS_URL=redis,
            TRUSTED_PROXY_HOPS="1",
            LOG_JSON="true",
            FILES_BY_PROXY="true",
            FILES_LINK_KEY=FILES_LINK_KEY,
        ),
    )
    # The programs of the environment that runs the tests, as in the image.
    made.env["PATH"] = f"{Path(sys.executable).parent}:{made.env['PATH']}:/usr/sbin"
    if not made.certificate.exists():  # another of the same folder may be in use
        make_certificate(made.certificate, made.certificate.with_name("key.pem"))
    with ExitStack() as stack:
        stack.callback(made.stop)
        for name in PYTHON_SERVICES:
            if name in names:
                made.start(name, command_of(name, made.ports.get(name, 0)))
        if "proxy" in names:
            made.start("proxy", ["nginx", "-c", str(write_proxy(made))])
        yield made


def write_proxy(made: Processes) -> Path:
    """The configuration of the proxy's container, with the tests' places filled in; its main file."""
    folder = made.data_dir / "proxy"
    folder.mkdir(exist_ok=True)
    places = {
        "SERVER_NAME": "localhost",
        "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{made.ports['proxy']}",
        "WEB": f"127.0.0.1:{made.ports['web']}",
        "SOCKETS": f"127.0.0.1:{made.ports['sockets']}",
        "CERTIFICATE": str(made.certificate),
        "CERTIFICATE_KEY": str(made.certificate.with_name("key.pem")),
        "ACCESS_LOG": str(folder / "access.log"),
        "FILES_ROOT": str(made.data_dir / "files"),
        "FILES_LINK_KEY": FILES_LINK_KEY,
    }
    text = (ROOT / "deploy/nginx/bcc.conf.template").read_text()
    for name, value in places.items():
        text = text.replace(f"${{{name}}}", value)
    (folder / "bcc.conf").write_text(text)
    temporary = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    # In a container root's nginx works as a user who may read the files; here the folder is this user's.
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}\n    include {folder}/bcc.conf;\n}}\n"
    )
    return main
