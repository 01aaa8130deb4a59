"""``manage.py serve``: HTTP, sockets, worker and scheduler in one go.

One process: uvicorn, which gives ``/ws`` to Channels and everything else to the WSGI application in
a pool of threads, whose database connections last; a Celery worker and the beat scheduler in
threads beside it. On the embedded default what they queue lives in this process and ends with it;
what must not be lost is in the database, and the scheduler finds it there.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import socket
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from a2wsgi import WSGIMiddleware
from asgiref.sync import sync_to_async
from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController
from celery.worker import state as worker_state
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.supervisors import Multiprocess

from bcc import celery
from bcc.asgi import websocket_application
from bcc.management.commands.sync_schedules import sync_schedules
from bcc.wsgi import application as wsgi_application
from chat.consumers import say_goodbye
from chat.fanout.protocol import ClubProtocol

HTTP_THREADS = 8
TASK_THREADS = 2
GRACE_SECONDS = 5
STOP_SECONDS = 15
SOCKET_FRAME_LIMIT = 64 * 1024
LAST_PORT = 65535
APPLICATION = "bcc.management.commands.serve:make_application"

Say = Callable[[str], None]


def make_application() -> Any:
    """The ASGI application of the whole server: ``/ws`` to Channels, the rest to WSGI in threads."""
    http = WSGIMiddleware(cast("Any", wsgi_application), workers=HTTP_THREADS)

    async def everything(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "websocket":
            if scope["path"].startswith("/ws/"):
                await websocket_application(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1000, "reason": None})
        else:
            await http(scope, receive, send)  # type: ignore[arg-type]  # the two packages' types of one protocol

    return everything


class Companions:
    """The worker and the scheduler, in threads of this process."""

    def __init__(self, app: Celery, *, with_worker: bool, with_scheduler: bool, say: Say) -> None:
        self.say = say
        self._worker = _Worker(app) if with_worker else None
        self._beat = _make_beat(app) if with_scheduler else None

    def start(self) -> None:
        """Start both, where they are wanted."""
        if self._worker is not None:
            self._worker.start()
            self.say(f"worker: {TASK_THREADS} threads")
        if self._beat is not None:
            self._beat.start()
            self.say("scheduler: every second")

    def stop(self) -> None:
        """Stop the scheduler, then the worker, which first ends what it is doing. May be called twice."""
        if self._beat is not None and self._beat.is_alive():
            self.say("stopping the scheduler")
            self._beat.stop()
            self._beat.join(STOP_SECONDS)
        if self._worker is not None and self._worker.is_alive():
            self.say("stopping the worker")
            self._worker.stop()
            self._worker.join(STOP_SECONDS)


def make_worker(app: Celery) -> Any:
    """The worker of the one process: it is told no queues, so it takes from all."""
    return WorkController(
        app=app,
        hostname=f"embedded@{socket.gethostname()}",
        pool_cls="threads",
        concurrency=TASK_THREADS,
        # They talk to other workers, of which there are none here.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )


class _Worker(threading.Thread):
    """A Celery worker that does its tasks in threads of this process."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="worker", daemon=True)
        self._controller = make_worker(app)

    def run(self) -> None:
        try:
            self._controller.start()
        finally:
            connections.close_all()

    def stop(self) -> None:
        """Let the running tasks end; take no new ones."""
        worker_state.should_stop = os.EX_OK


def _make_beat(app: Celery) -> Any:
    """The scheduler's thread; it reads the schedule from the database each second."""
    return EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)


class _Server(uvicorn.Server):
    """uvicorn, which says when it listens, and stops the companions before it stops itself."""

    def __init__(self, config: uvicorn.Config, *, companions: Companions, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._companions = companions
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # While requests are still answered: a task that ends may need the loop for its push.
        await sync_to_async(self._companions.stop, thread_sensitive=False)()
        self._companions.say("stopping the server")
        await say_goodbye()
        await super().shutdown(sockets=sockets)


class Command(BaseCommand):
    help = (
        "Serves HTTP and sockets, and runs the worker and the scheduler beside them, until Ctrl-C or "
        "SIGTERM. One process on the embedded default; more than one needs REDIS_URL."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="The address to listen at (default %(default)s)."
        )
        parser.add_argument("--port", type=_port, default=8000, help="The port (default %(default)s).")
        parser.add_argument("--workers", type=int, default=1, help="Server processes (default %(default)s).")
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="Say whether it could listen there; make the tables and, in demo mode, the demo club "
            "(DEMO_ARGS are the demo's options); and end.",
        )
        parser.add_argument("--no-worker", action="store_true", help="Run no tasks here.")
        parser.add_argument("--no-scheduler", action="store_true", help="Schedule nothing here.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] > 1 and not getattr(settings, "REDIS_URL", ""):
            raise CommandError(
                "More than one server process needs REDIS_URL: the embedded services live in one."
            )
        if options["prepare"]:
            # A port that cannot be had is told now, and not after the demo club was loaded.
            _listen(options["host"], options["port"]).close()
            try:
                self.prepare()
            except KeyboardInterrupt:
                self.say("stopped; the next start goes on from here")
                sys.exit(128 + signal.SIGINT)
            return
        self.check_migrations()
        listener = _listen(options["host"], options["port"])
        # uvicorn stops gracefully at either signal and then raises it again, for us.
        signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            self.run(listener, options)
        except KeyboardInterrupt:
            self.say("stopped")
        finally:
            listener.close()

    def prepare(self) -> None:
        """Everything that a first start needs in the database, by one process."""
        self.say("tables")
        call_command("migrate", verbosity=0)
        if settings.DEMO_MODE:
            self.say("demo club")
            call_command("demo", *shlex.split(os.environ.get("DEMO_ARGS", "")), stdout=self.stdout)

    def run(self, listener: socket.socket, options: dict[str, Any]) -> None:
        """Everything between the port being ours and the end."""
        companions = Companions(
            celery.app,
            with_worker=not options["no_worker"],
            with_scheduler=not options["no_scheduler"],
            say=self.say,
        )
        if not options["no_scheduler"]:
            changes = sync_schedules(schedules=settings.SCHEDULES)
            if changes.made or changes.removed:
                self.say(f"schedule: {len(changes.made)} entries made, {len(changes.removed)} removed")
        port = listener.getsockname()[1]
        companions.start()
        try:
            self.serve(listener, options["workers"], companions, lambda: self.announce(options["host"], port))
        finally:
            companions.stop()

    def serve(
        self, listener: socket.socket, processes: int, companions: Companions, ready: Callable[[], None]
    ) -> None:
        """Serve until a signal; raises KeyboardInterrupt afterwards, as uvicorn does."""
        config = uvicorn.Config(
            APPLICATION,
            factory=True,
            workers=processes,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            # Whom to believe about addresses is TRUSTED_PROXY_HOPS' to say.
            proxy_headers=False,
            ws=ClubProtocol,
            # Compressed frames are made for each client anew; the hub writes the same bytes to all.
            ws_per_message_deflate=False,
            ws_max_size=SOCKET_FRAME_LIMIT,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        if processes == 1:
            _Server(config, companions=companions, ready=ready).run(sockets=[listener])
            return
        ready()
        Multiprocess(config, sockets=[listener]).run()

    def say(self, text: str) -> None:
        self.stdout.write(f"── {text}")
        self.stdout.flush()

    def announce(self, host: str, port: int) -> None:
        """Where it is, and in demo mode who may sign in."""
        shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else host  # noqa: S104 - compared, not bound
        base = f"http://{shown}:{port}"
        lines = [
            "",
            f"  {settings.CLUB_NAME}",
            f"  API     {base}/api/v1/",
            f"  docs    {base}/api/v1/docs   {base}/api/v1/redoc",
            f"  admin   {base}/admin/",
            f"  health  {base}/health/ready",
            f"  data    {settings.DATA_DIR}",
        ]
        if settings.DEMO_MODE:
            sign_ins = Path(settings.DATA_DIR) / "demo-sign-ins.txt"
            if sign_ins.exists():
                lines += ["", *(f"  {line}".rstrip() for line in sign_ins.read_text().splitlines())]
            lines += [
                "",
                "  Demo mode. One-time codes appear in this terminal and in",
                f"  {Path(settings.DATA_DIR) / 'outbox.txt'}",
            ]
        lines += ["", "  Ctrl-C stops it.", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _port(text: str) -> int:
    """A number that can be a port; 0 is any free one. Raises what argparse shows beside the option."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise ArgumentTypeError(f"{text} is no port. Give a number from 1 to {LAST_PORT}.")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is started. Raises CommandError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} is taken. Stop what uses it, or choose another.") from None
        raise CommandError(f"Cannot listen at {host} port {port}: {error.strerror}.") from None
    listener.set_inheritable(True)
    return listener


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
