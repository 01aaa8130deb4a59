"""Where one request's time goes on our side.

    python -m benchmarks.api.profile availability [--engine sqlite|postgres] [--requests 2000] [--scale 1]
    python -m benchmarks.api.profile create --engine sqlite --scale 100 --threads 8

Calls the WSGI application in this process, as the web server does, first without and then with
cProfile, and prints the time and CPU per request, the statements, and the top by own time. With
``--threads``, as many at once on the one core instead, and what each compiled statement costs them.
ROUTE is availability, list or create. Load the figures with care: the profiler slows Python calls down
and C calls hardly, so shares of the second pass lean towards small functions.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import logging
import os
import pstats
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch

from benchmarks.api.places import ENGINES, HOST, SERVER_CORE, Engine, place
from benchmarks.api.setting_up import load_club

ROUTES = ("availability", "list", "create")
WARM_UP = 100
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def request_of(route: str, club: dict[str, Any], number: int) -> dict[str, Any]:
    """A WSGI environment for the ``number``-th request of a route."""
    body, method, query = b"", "GET", ""
    if route == "availability":
        token = club["lookers"][number % len(club["lookers"])]
        path = f"/api/v1/facilities/{club['watched']}/availability"
        query = f"from={club['first']}&to={club['last']}"
    elif route == "list":
        token = club["readers"][number % len(club["readers"])]
        path, query = "/api/v1/reservations", "when=upcoming&page_size=20"
    else:
        token = club["bookers"][number % len(club["bookers"])]
        path, method = "/api/v1/reservations", "POST"
        body = json.dumps(wish_of(club, number)).encode()
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "HTTP_HOST": HOST,
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def wish_of(club: dict[str, Any], number: int) -> dict[str, Any]:
    courts, hours = club["courts"], club["hours"]
    starts_at = datetime.fromisoformat(hours[number // len(courts) % len(hours)])
    return {
        "facility": courts[number % len(courts)],
        "starts_at": instant_text(starts_at),
        "ends_at": instant_text(starts_at + timedelta(hours=1)),
        "party": 2,
        "notes": "Two rackets, please.",
    }


def instant_text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def call(application: Application, environ: dict[str, Any]) -> tuple[str, bytes]:
    said: list[str] = []
    response = application(environ, lambda status, _headers, *_: said.append(status))
    body = b"".join(response)
    response.close()
    return said[0], body


def drive(application: Application, route: str, club: dict[str, Any], first: int, count: int) -> None:
    for number in range(first, first + count):
        status, body = call(application, request_of(route, club, number))
        if not status.startswith("2"):
            raise RuntimeError(f"{route} answered {status}: {body[:500]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("route", choices=ROUTES)
    parser.add_argument("--engine", choices=ENGINES, default="postgres")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="at once; by statement instead of by function")
    parser.add_argument("--top", type=int, default=45)
    parser.add_argument("--by", default="tottime", help="tottime, cumtime or ncalls")
    arguments = parser.parse_args()
    everywhere = os.sched_getaffinity(0)
    with place(cast(Engine, arguments.engine)) as where:
        club = load_club(where, scale=arguments.scale)
        os.environ.update(where.environment())
        if SERVER_CORE in everywhere:
            os.sched_setaffinity(0, {SERVER_CORE})
        # The request's line is written, and not read here.
        devnull = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process ends
        if arguments.threads:
            report_statements(arguments, club, devnull)
        else:
            report(arguments, club, devnull)


def quiet_application(devnull: Any) -> Application:
    from bcc.wsgi import application

    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(devnull)
    return cast(Application, application)


def report_statements(arguments: argparse.Namespace, club: dict[str, Any], devnull: Any) -> None:
    """What each compiled statement, BEGIN and COMMIT cost a request, where the threads share a core."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    from bcc.core import prepared, running

    app, count = quiet_application(devnull), arguments.requests // arguments.threads * arguments.threads
    spent: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def timed(call: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                entry = spent[name_of(*args, **kwargs)]
                entry[0] += time.perf_counter() - wall
                entry[1] += time.thread_time() - cpu

        return run

    def name_of_sql(_connection: Any, sql: str, *_args: Any, **_kwargs: Any) -> str:
        return " ".join(sql.split())[:90]

    drive(app, arguments.route, club, 0, WARM_UP)
    wrapper: Any = BaseDatabaseWrapper
    with (
        patch.object(prepared, "run_sql", timed(running.run_sql, name_of_sql)),
        patch.object(wrapper, "set_autocommit", timed(wrapper.set_autocommit, lambda *_, **__: "BEGIN, end")),
        patch.object(wrapper, "commit", timed(wrapper.commit, lambda *_: "COMMIT")),
    ):
        each = count // arguments.threads
        wall, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(arguments.threads) as pool:
            firsts = range(WARM_UP, WARM_UP + count, each)
            list(pool.map(lambda first: drive(app, arguments.route, club, first, each), firsts))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{arguments.route} on {arguments.engine}, scale {arguments.scale}, {arguments.threads} at once")
    print(f"wall {wall / count * 1e3:.3f} ms, CPU {cpu / count * 1e3:.3f} ms a request; of it, wall and CPU:")
    for sql, (waited, used) in sorted(spent.items(), key=lambda entry: -entry[1][1]):
        print(f"  {waited / count * 1e3:7.3f} {used / count * 1e3:7.3f}  {sql}")


def report(arguments: argparse.Namespace, club: dict[str, Any], devnull: Any) -> None:
    app = quiet_application(devnull)
    drive(app, arguments.route, club, 0, WARM_UP)
    wall, cpu = time.perf_counter(), time.process_time()
    drive(app, arguments.route, club, WARM_UP, arguments.requests)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = arguments.requests
    print(f"{arguments.route} on {arguments.engine}, scale {arguments.scale}, {count} requests")
    print(f"wall {wall / count * 1e3:.3f} ms, CPU {cpu / count * 1e3:.3f} ms a request")
    for sql in statements(app, arguments.route, club, WARM_UP + arguments.requests):
        print("  ", " ".join(sql.split())[:200])
    profiler = cProfile.Profile()
    first = WARM_UP + arguments.requests + 1
    profiler.enable()
    drive(app, arguments.route, club, first, arguments.requests)
    profiler.disable()
    pstats.Stats(profiler).sort_stats(arguments.by).print_stats(arguments.top)


def statements(application: Application, route: str, club: dict[str, Any], number: int) -> list[str]:
    """What one request asks of the database, in order, BEGIN and COMMIT among it."""
    from django.db import connection

    connection.ensure_connection()
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    # Django forgets the queries of the request before when one begins.
    from django.core.signals import request_started
    from django.db import reset_queries

    request_started.disconnect(reset_queries)
    try:
        drive(application, route, club, number, 1)
        return [str(query["sql"]) for query in connection.queries_log]
    finally:
        connection.force_debug_cursor = False
        request_started.connect(reset_queries)


if __name__ == "__main__":
    main()
