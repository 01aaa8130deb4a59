"""Measure the three hottest routes beside an Express server that does the same work.

    python -m benchmarks.api [--engines postgres,sqlite] [--scale 1,10,100] [--routes …] [--quick]

README.md beside this file says what is equal and what is not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from benchmarks.api import shape
from benchmarks.api.check import check_equal
from benchmarks.api.load import ROUTES, Driver, Measured, Times
from benchmarks.api.places import ENGINES, OTHER_CORE, SERVER_CORE, Engine, Place, place
from benchmarks.api.plot import write_picture
from benchmarks.api.report import print_route, summary, versions, write_results
from benchmarks.api.servers import OURS, Running, install_peer, names_on, serving
from benchmarks.api.setting_up import load_club
from benchmarks.api.statements import statements_of_ours, statements_of_peer

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.api",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engines", type=_chosen(ENGINES), default=list(ENGINES))
    parser.add_argument("--routes", type=_chosen(ROUTES), default=list(ROUTES))
    parser.add_argument("--scale", type=_numbers, default=[1, 10, 100], help="times 2,000 reservations")
    parser.add_argument("--sides", help="only these, as in ours,express-pg")
    parser.add_argument("--quick", action="store_true", help="one short round: a trial, no measurement")
    parser.add_argument(
        "--brief-growth",
        action="store_true",
        help="after the first scale one round of 5 s a side, without the sides that no ratio is of",
    )
    parser.add_argument("--no-save", action="store_true", help="print only")
    arguments = parser.parse_args()
    install_wrk()
    install_peer()
    if not {SERVER_CORE, OTHER_CORE} <= os.sched_getaffinity(0):
        print("── one core only: the server, the client and the database share it, and rates say little")
    for engine in cast("list[Engine]", arguments.engines):
        with place(engine) as where:
            found = measure_engine(where, arguments)
        if not arguments.no_save:
            results = write_results(RESULTS, engine, found)
            print(f"\n── {results}\n── {write_picture(results)}")


def measure_engine(where: Place, arguments: argparse.Namespace) -> dict[str, Any]:
    times = Times.quick() if arguments.quick else Times.full()
    names = names_on(where.engine)
    if arguments.sides:
        names = [name for name in names if name in arguments.sides.split(",")]
    found: dict[str, Any] = {
        "engine": where.engine,
        "quick": arguments.quick,
        "connections": shape.CONNECTIONS,
        "rounds": times.rounds,
        "round_seconds": times.round,
        "warm_up_seconds": times.first_warm_up,
        "peer": names[1] if len(names) > 1 else names[0],
        "answered_from_cache": dict.fromkeys(names, "0 %: no reply is kept"),
        "scales": {},
    }
    for scale in arguments.scale:
        if arguments.brief_growth and scale != arguments.scale[0]:
            times, names = Times.brief(), names[:2]
        club = load_club(where, scale=scale)
        print(f"\n══ {where.engine}, scale {scale}: {club['reservations']:,} reservations,", end=" ")
        print(f"{club['notifications']:,} notifications")
        found["versions"] = found.get("versions") or versions(where)
        with ExitStack() as stack:
            sides = [stack.enter_context(serving(name, where)) for name in names]
            print(f"── {check_equal(where, club, sides)}")
            found["scales"][str(scale)] = measure_scale(where, club, sides, times, arguments.routes)
    return found


def measure_scale(
    where: Place, club: dict[str, Any], sides: list[Running], times: Times, routes: list[str]
) -> dict[str, Any]:
    counts = {
        side.name: statements_of_ours(where, club)
        if side.name == OURS
        else statements_of_peer(where, club, side)
        for side in sides
    }
    driver = Driver(where, club)
    peer = sides[min(1, len(sides) - 1)].name
    found: dict[str, Any] = {
        "reservations": club["reservations"],
        "rounds": times.rounds,
        "round_seconds": times.round,
        "routes": {},
    }
    for route in routes:
        rounds: dict[str, list[Measured]] = {side.name: [] for side in sides}
        for number in range(times.rounds):
            for side in sides:
                rounds[side.name].append(driver.measure(route, side, times, first=number == 0))
        told = summary(rounds, peer)
        statements = {name: counted[route] for name, counted in counts.items()}
        print_route(f"{route}: ratios of medians to {peer}", told, statements)
        found["routes"][route] = {"sides": told, "statements": statements}
    return found


def install_wrk() -> None:
    """Debian's package where the program is missing. Exits where that is not possible."""
    if shutil.which("wrk") is not None:
        return
    apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk"]
    if shutil.which("apt-get") is None or os.getuid() != 0:
        sys.exit("wrk was not found. Install the package wrk, then start again.")
    print("── installing wrk with apt-get")
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(apt, check=True, stdout=subprocess.DEVNULL)


def _chosen(known: tuple[str, ...]) -> Any:
    def parsed(text: str) -> list[str]:
        names = text.split(",")
        if not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"choose from {', '.join(known)}")
        return names

    return parsed


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if sorted(numbers) != numbers or numbers[0] < 1:
        raise argparse.ArgumentTypeError("scales are whole numbers from 1, in ascending order: a club grows")
    return numbers


if __name__ == "__main__":
    main()
