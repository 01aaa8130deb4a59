"""Split a merged file of statements beside PyMuPDF, and save what each side took.

    python -m benchmarks.statements [--rounds 3] [--no-save]

README.md beside this file says what is equal and what is not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import Any, Final

import pypdfium2

from benchmarks.api.cpu import model_name
from documents.parsers.names import account_key
from tests.documents.corpus.making import make

RESULTS: Final = Path(__file__).parent / "results"
ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = "statements-merged.pdf"
PEER: Final = "pymupdf==2.0"
MEMBERS: Final = 828
# Name, processes, and how the peer is called; None is ours.
SIDES: Final[dict[str, tuple[int, str | None]]] = {
    "ours, one process": (1, None),
    "ours, two": (2, None),
    "PyMuPDF as usual": (1, "usual"),
    "PyMuPDF tuned": (1, "tuned"),
    "PyMuPDF tuned, two": (2, "tuned"),
}
USUAL, TUNED = "PyMuPDF as usual", "PyMuPDF tuned"
COLUMNS: Final = "{:<20} {:>8} {:>8} {:>9} {:>12} {:>9} {:>9} {:>9}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.statements",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", nargs="*", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--quick", action="store_true", help="one round, and no larger files for memory")
    parser.add_argument("--no-save", action="store_true", help="print only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bcc-statements-") as name:
        folder = Path(name)
        python = _install_peer(folder / "peer")
        print(f"── making {FILE} for {MEMBERS} memberships")
        manifest = make(folder / "corpus", members=MEMBERS, only=[FILE])
        rounds: dict[str, list[dict[str, Any]]] = {side: [] for side in arguments.sides}
        for number in range(1 if arguments.quick else arguments.rounds):
            for side in arguments.sides:
                print(f"── round {number + 1}: {side}", flush=True)
                rounds[side].append(_measured(side, folder, manifest, python))
        found = _told(rounds, manifest["files"][FILE]["pages"])
        found["quick"] = arguments.quick
        found["flat"] = {} if arguments.quick else _flat(folder)
        found["versions"] = _versions(python)
        _print(found)
        if not arguments.no_save:
            RESULTS.mkdir(exist_ok=True)
            path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
            path.write_text(json.dumps(found, indent=1) + "\n")
            print(f"\n── {path}")


def _install_peer(place: Path) -> str:
    """An environment that goes with the run: PyMuPDF's licence keeps it out of ours."""
    print(f"── installing {PEER} into a scratch environment")
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    # Without what it recommends: a model that looks at layouts, which this needs not.
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", PEER],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return python


def _measured(side: str, folder: Path, manifest: dict[str, Any], python: str) -> dict[str, Any]:
    processes, how = SIDES[side]
    path = folder / "corpus" / FILE
    with tempfile.TemporaryDirectory(dir=folder) as made:
        where = [str(path), made, str(processes)]
        region = [*map(str, manifest["account_box"]), manifest["account_label"]]
        command = (
            [sys.executable, "-m", "benchmarks.statements.ours", *where, *region]
            if how is None
            else [python, str(Path(__file__).parent / "peer.py"), *where, *region, how]
        )
        took = _run(command, cores=processes)
        items = [item for item in manifest["files"][FILE]["items"] if item["account_no"]]
        expected = [[item["first"], item["last"], account_key(item["account_no"])] for item in items]
        found = took.pop("found")
        if found != expected:
            other = next(pair for pair in zip_longest(found, expected) if pair[0] != pair[1])
            sys.exit(f"{side} found other pages than there are: {other}")
        took["bytes"] = _check(Path(made), expected)
    return took


def _run(command: Sequence[str], *, cores: int) -> dict[str, Any]:
    """What a side prints. It has the first cores alone, its children with it."""
    those = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, those),
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check(folder: Path, expected: list[Any]) -> int:
    """The bytes made; every file is opened once more, by whoever made it, outside of what is measured."""
    paths = sorted(folder.iterdir())
    if len(paths) != len(expected):
        sys.exit(f"{len(paths)} files for {len(expected)} documents.")
    for path, (first, last, key) in zip(paths, expected, strict=True):
        document = pypdfium2.PdfDocument(path)
        text = document[0].get_textpage().get_text_range()
        if len(document) != last - first + 1 or key not in account_key(text):
            sys.exit(f"{path.name} is not {key}'s.")
        document.close()
    return sum(path.stat().st_size for path in paths)


def _flat(folder: Path) -> dict[str, int]:
    """The largest child's memory, in KiB, by pages: four times the members, in two processes."""
    found = {}
    for members in (MEMBERS // 4, MEMBERS, MEMBERS * 4):
        manifest = make(folder / "flat", members=members, only=[FILE])
        region = [*map(str, manifest["account_box"]), manifest["account_label"]]
        with tempfile.TemporaryDirectory(dir=folder) as made:
            command = [sys.executable, "-m", "benchmarks.statements.ours", str(folder / "flat" / FILE), made]
            found[str(manifest["files"][FILE]["pages"])] = int(
                _run([*command, "2", *region], cores=2)["peak_kib"]
            )
    return found


def _told(rounds: dict[str, list[dict[str, Any]]], pages: int) -> dict[str, Any]:
    sides: dict[str, dict[str, Any]] = {}
    for side, measured in rounds.items():
        middle: dict[str, Any] = {name: median(one[name] for one in measured) for name in measured[0]}
        middle["pages_per_second"] = pages / middle["wall"]
        middle["pages_per_cpu_second"] = pages / middle["cpu"]
        sides[side] = {**middle, "rounds": measured}
    for told in sides.values():
        for peer in (USUAL, TUNED):
            told[f"cpu_to {peer}"] = told["cpu"] / sides[peer]["cpu"] if peer in sides else None
    return {"pages": pages, "documents": next(iter(sides.values()))["documents"], "sides": sides}


def _print(found: dict[str, Any]) -> None:
    print(f"\n{found['pages']:,} pages into {found['documents']} verified files; medians")
    print(
        COLUMNS.format("side", "wall s", "CPU s", "pages/s", "pages/CPU s", "peak MiB", "CPU ×", "made MiB")
    )
    for name, one in found["sides"].items():
        print(
            COLUMNS.format(
                name,
                f"{one['wall']:.2f}",
                f"{one['cpu']:.2f}",
                f"{one['pages_per_second']:.0f}",
                f"{one['pages_per_cpu_second']:.0f}",
                f"{one['peak_kib'] / 1024:.0f}",
                f"{one[f'cpu_to {TUNED}'] or 0:.2f}",
                f"{one['bytes'] / 1024**2:.0f}",
            )
        )
    print("CPU × is to PyMuPDF tuned.")
    for pages, kib in found["flat"].items():
        print(f"the largest child of two, {pages} pages: {kib / 1024:.0f} MiB")


def _versions(python: str) -> dict[str, str]:
    asked = subprocess.run([python, "-c", "import pymupdf; print(pymupdf.VersionBind)"], check=True,
                           stdout=subprocess.PIPE, text=True)  # fmt: skip
    return {
        "python": platform.python_version(),
        "pypdfium2": version("pypdfium2"),
        "pikepdf": version("pikepdf"),
        "pymupdf": asked.stdout.strip(),
        "cpu": model_name(),
        "kernel": platform.release(),
    }


if __name__ == "__main__":
    main()
