"""Measure how a member's private file of 200 kB is handed over, beside Express and plain nginx.

    python -m benchmarks.files [--quick] [--no-save]

README.md beside this file says what is equal and what is not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.api.__main__ import install_wrk
from benchmarks.api.cpu import cpu_seconds
from benchmarks.api.places import OTHER_CORE, ROOT, Place, on_core, place
from benchmarks.api.report import versions
from benchmarks.api.servers import install_peer
from benchmarks.files.servers import Side, sides

RESULTS = Path(__file__).parent / "results"
SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 32
ROUNDS, ROUND_SECONDS, WARM_UP_SECONDS = 3, 6, 6
PEER, STATIC, LINK, CHECKED = "express sendFile", "nginx static", "ours, signed link", "ours, checked"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.files",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="one short round: a trial, no measurement")
    parser.add_argument("--no-save", action="store_true", help="print only")
    arguments = parser.parse_args()
    install_wrk()
    install_peer()
    with place("postgres") as where:
        where.keys["FILES_LINK_KEY"] = hashlib.sha256(where.keys["SECRET_KEY"].encode()).hexdigest()
        club = load_club(where)
        with sides(where, club["folder"]) as running:
            check_equal(club, running)
            rounds = measure(where, club, running, quick=arguments.quick)
        found = {
            "quick": arguments.quick,
            "bytes": club["bytes"],
            "connections": CONNECTIONS,
            "round_seconds": ROUND_SECONDS,
            "versions": versions(where),
            "sides": summary(rounds),
        }
    found["ratios"] = ratios(found["sides"])
    show(found)
    if not arguments.no_save:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
        path.write_text(json.dumps(found, indent=2) + "\n")
        print(f"\n── {path}")


def load_club(where: Place) -> dict[str, Any]:
    report = where.data_dir / "club.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.files.club", str(report)],
        cwd=ROOT,
        env=where.environment(),
        check=True,
    )
    club: dict[str, Any] = json.loads(report.read_text())
    for what in ("content", "link", "static"):
        lines = (f"{one[what]}\t{one['token'] if what == 'content' else ''}\n" for one in club["asks"])
        (where.data_dir / f"asks-{what}").write_text("".join(lines))
    return club


def check_equal(club: dict[str, Any], running: list[Side]) -> None:
    """Every side gives the very bytes, and those with a check refuse another's document. Exits if not."""
    mine, theirs = club["asks"][:2]
    for side in running:
        headers = {"X-Forwarded-Proto": "https", "Authorization": f"Bearer {mine['token']}"}
        answer = httpx.get(side.url + mine[side.what], headers=headers)
        if hashlib.sha256(answer.content).hexdigest() != mine["sha256"]:
            sys.exit(f"{side.name} gives other bytes: {answer.status_code}, {answer.text[:300]}")
        if side.what == "content":
            refused = httpx.get(side.url + theirs["content"], headers=headers).status_code
            if refused != httpx.codes.NOT_FOUND:
                sys.exit(f"{side.name} gives what is another's: {refused}")
        if side.what == "link" and httpx.get(side.url + mine["link"] + "x").status_code != 404:
            sys.exit(f"{side.name} takes a link that was changed")


def measure(
    where: Place, club: dict[str, Any], running: list[Side], *, quick: bool
) -> dict[str, list[dict[str, float]]]:
    """Rounds of the sides in turn, each after a warm-up at its first."""
    rounds: dict[str, list[dict[str, float]]] = {side.name: [] for side in running}
    seconds = 2 if quick else ROUND_SECONDS
    for number in range(1 if quick else ROUNDS):
        for side in running:
            _drive(where, side, (2 if quick else WARM_UP_SECONDS) if number == 0 else 1)
            before = _cpu(where, side)
            found = _drive(where, side, seconds)
            time.sleep(0.5)
            server, database = (b - a for a, b in zip(before, _cpu(where, side), strict=True))
            requests = found["requests"]
            if found["errors"] or found["bytes"] < requests * club["bytes"]:
                sys.exit(f"{side.name} failed: {found}")
            rounds[side.name].append(
                {
                    "per_second": requests / found["seconds"],
                    "p50_ms": found["p50_ms"],
                    "p99_ms": found["p99_ms"],
                    "server_cpu_ms": server / requests * 1e3,
                    "database_cpu_ms": database / requests * 1e3,
                }
            )
    return rounds


def _cpu(where: Place, side: Side) -> tuple[float, float]:
    assert where.postgres_pid is not None
    return sum(map(cpu_seconds, side.pids)), cpu_seconds(where.postgres_pid)


def _drive(where: Place, side: Side, seconds: int) -> dict[str, Any]:
    done = subprocess.run(
        on_core(
            OTHER_CORE,
            [
                *("wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--latency"),
                *("--duration", f"{seconds}s", "--timeout", "20s", "--script", str(SCRIPT), side.url),
                *("--", str(where.data_dir / f"asks-{side.what}")),
            ],
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"wrk failed: {done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    return {
        name: {key: median(one[key] for one in found) for key in found[0]} | {"rounds": found}
        for name, found in rounds.items()
    }


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """The goals, and what the check itself costs beside Express's."""
    rate = {name: one["per_second"] for name, one in found.items()}
    cpu = {name: one["server_cpu_ms"] for name, one in found.items()}
    return {
        "checked_to_sendfile": rate[CHECKED] / rate[PEER],
        "checked_to_express_accel": rate[CHECKED] / rate["express X-Accel"],
        "checked_cpu_to_sendfile": cpu[CHECKED] / cpu[PEER],
        "link_to_static": rate[LINK] / rate[STATIC],
        "link_cpu_to_static": cpu[LINK] / cpu[STATIC],
        "link_to_sendfile": rate[LINK] / rate[PEER],
    }


def show(found: dict[str, Any]) -> None:
    print(f"\n{'side':<20} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'server ms':>10} {'db ms':>8}")
    for name, one in found["sides"].items():
        print(
            f"{name:<20} {one['per_second']:>8.0f} {one['p50_ms']:>8.1f} {one['p99_ms']:>8.1f}"
            f" {one['server_cpu_ms']:>10.3f} {one['database_cpu_ms']:>8.3f}"
        )
    for name, ratio in found["ratios"].items():
        print(f"{name:<28} {ratio:.2f}")


if __name__ == "__main__":
    main()
