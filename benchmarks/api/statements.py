"""How many statements one request of each route asks of the database, on either side.

    python -m benchmarks.api.statements REPORT

is run inside of a benchmark, in the server's environment: it calls our application in this process with
Django's own record of queries, BEGIN and COMMIT among them, and prints the counts as JSON.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import httpx

from benchmarks.api.check import LIST_PATH, availability_path, headers_of
from benchmarks.api.places import ROOT, Place
from benchmarks.api.profile import Application, drive, statements, wish_of
from benchmarks.api.rowdump import remove_created
from benchmarks.api.servers import Running

ROUTES = ("availability", "list", "create")


def statements_of_ours(where: Place, club: dict[str, Any]) -> dict[str, int]:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "benchmarks.api.statements",
            str(where.data_dir / "club.json"),
        ],
        cwd=ROOT,
        env=where.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    remove_created(where, club)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def statements_of_peer(where: Place, club: dict[str, Any], side: Running) -> dict[str, int]:
    """By the peer's own count of calls, with the token checked and the rules read already."""

    def counted() -> int:
        return int(httpx.get(f"{side.url}/bench/statements").json()["statements"])

    def ask(route: str, number: int) -> None:
        if route == "create":
            reply = httpx.post(
                f"{side.url}/api/v1/reservations",
                json=wish_of(club, number),
                headers=headers_of(club["bookers"][0], **{"Idempotency-Key": f"counted-{number}"}),
            )
        else:
            path = availability_path(club) if route == "availability" else LIST_PATH
            reply = httpx.get(side.url + path, headers=headers_of(club["readers"][0]))
        reply.raise_for_status()

    found = {}
    for route in ROUTES:
        ask(route, 1)
        before = counted()
        ask(route, 2)
        found[route] = counted() - before
    remove_created(where, club)
    return found


def main() -> None:
    import django

    django.setup()
    from bcc.wsgi import application

    logging.disable()
    club = json.loads(Path(sys.argv[1]).read_text())
    app = cast(Application, application)
    found = {}
    for route in ROUTES:
        # The same member again: with the rules read and the token checked.
        drive(app, route, club, 0, 1)
        number = len(club["bookers"]) * len(club["lookers"]) * len(club["readers"])
        number = number if route != "create" else len(club["bookers"])
        found[route] = len(statements(app, route, club, number))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
