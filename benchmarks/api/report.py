"""Medians, ratios and their table; the file that a run leaves."""

from __future__ import annotations

import json
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.api.cpu import model_name
from benchmarks.api.load import Measured
from benchmarks.api.places import Place
from benchmarks.api.servers import PEER_FOLDER

FIELDS = ("per_second", "p50_ms", "p99_ms", "server_cpu_ms", "database_cpu_ms", "redis_cpu_ms", "body_bytes")
COLUMNS = "{:<18} {:>9} {:>8} {:>8} {:>9} {:>8} {:>8} {:>6} {:>7} {:>7}"


def medians(rounds: list[Measured]) -> dict[str, float]:
    found = {name: float(median(getattr(one, name) for one in rounds)) for name in FIELDS}
    found["all_cpu_ms"] = found["server_cpu_ms"] + found["database_cpu_ms"] + found["redis_cpu_ms"]
    return found


def summary(rounds: dict[str, list[Measured]], peer: str) -> dict[str, Any]:
    """By side: medians, every round, and ratios of medians against ``peer``."""
    middles = {name: medians(found) for name, found in rounds.items()}
    base = middles[peer]
    return {
        name: {
            **middle,
            "rounds": [one.as_dict() for one in rounds[name]],
            "rate_ratio": middle["per_second"] / base["per_second"],
            "server_cpu_ratio": middle["server_cpu_ms"] / base["server_cpu_ms"],
            "all_cpu_ratio": middle["all_cpu_ms"] / base["all_cpu_ms"],
            "p99_ratio": middle["p99_ms"] / base["p99_ms"],
        }
        for name, middle in middles.items()
    }


def print_route(title: str, found: dict[str, Any], statements: dict[str, int]) -> None:
    print(f"\n{title}")
    print(
        COLUMNS.format(
            "side", "req/s", "p50 ms", "p99 ms", "server ms", "db ms", "redis ms", "stmts", "rate ×", "cpu ×"
        )
    )
    for name, one in found.items():
        print(
            COLUMNS.format(
                name,
                f"{one['per_second']:.0f}",
                f"{one['p50_ms']:.1f}",
                f"{one['p99_ms']:.1f}",
                f"{one['server_cpu_ms']:.3f}",
                f"{one['database_cpu_ms']:.3f}",
                f"{one['redis_cpu_ms']:.3f}",
                statements[name],
                f"{one['rate_ratio']:.2f}",
                f"{one['all_cpu_ratio']:.2f}",
            )
        )


def versions(where: Place) -> dict[str, str]:
    found = {
        name: version(name) for name in ("django", "djangorestframework", "granian", "psycopg", "orjson")
    }
    found["python"] = platform.python_version()
    found["node"] = _said(["node", "--version"])
    found["wrk"] = _said(["wrk", "--version"]).partition(" Copyright")[0]
    found["cpu"] = model_name()
    found["kernel"] = platform.release()
    if where.engine == "postgres":
        with psycopg.connect(where.database_url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
            found["postgres"] = str(row[0]) if row else ""
    found["sqlite"] = sqlite3.sqlite_version
    packages = json.loads((PEER_FOLDER / "package.json").read_text())["dependencies"]
    return {**found, **{f"npm {name}": number for name, number in packages.items()}}


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip() if lines else ""


def write_results(folder: Path, engine: str, found: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y-%m-%d}-{engine}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path
