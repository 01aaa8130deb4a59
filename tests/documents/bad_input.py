"""A process that reads every hostile file and says what came of it, in what time and memory.

    python -m tests.documents.bad_input FOLDER

A process of its own, so that its peak of memory and its temporary files are of nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from documents.isolation import Refusal
from documents.parsers import archives, pdfs
from documents.parsers.tables import Column, read_rows
from tests.documents import hostile

COLUMNS = (Column("account_no", ("Account No.",), "account"), Column("amount", ("Amount",), "money"))
REGIONS = [pdfs.Region("head", 110, 22, 95, 16, "Account No.")]


def read_zip(path: Path) -> None:
    for member in archives.members(path):
        with member.open() as content:
            while content.read(64 * 1024):
                pass


def read_pdf(path: Path) -> None:
    """Whatever Finance's pipeline does with a PDF."""
    with pdfs.Workers(1) as workers:
        facts = pdfs.inspect(path, workers=workers)
        list(pdfs.read_pages(path, REGIONS, workers=workers))
        folder = path.parent / "cut"
        folder.mkdir(exist_ok=True)
        for made in pdfs.split(path, [pdfs.PageRange(1, facts.pages)], folder, workers=workers):
            made.unlink()
        folder.rmdir()


def read_table(path: Path) -> None:
    with read_rows(path, COLUMNS) as table:
        for _row in table.rows:
            pass


def main() -> None:
    folder = Path(sys.argv[1])
    scratch = Path(os.environ["TMPDIR"])
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found: dict[str, Any] = {}
    for family, cases, read in (
        ("zip", hostile.ZIPS, read_zip),
        ("pdf", hostile.PDFS, read_pdf),
        ("table", hostile.TABLES, read_table),
    ):
        for name, (_expected, make) in cases.items():
            path = hostile.write(make(), folder, "case")
            found[f"{family}: {name}"] = _tried(read, path, scratch)
            path.unlink()
            found[f"{family}: {name}"]["left"] = [
                str(one) for one in (*folder.rglob("*"), *scratch.rglob("*"))
            ]
    # The makers of the files hold more than their readers: memory is told by the children and the peak below.
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"cases": found, "base_kib": base, "child_kib": children}))


def _tried(read: Callable[[Path], None], path: Path, scratch: Path) -> dict[str, Any]:
    began = time.monotonic()
    with _watched(scratch) as peaks:
        try:
            read(path)
            code = ""
        except Refusal as refusal:
            code = refusal.code
    return {"code": code, "seconds": time.monotonic() - began, **peaks}


@contextmanager
def _watched(scratch: Path) -> Iterator[dict[str, int]]:
    """Peaks of this process' memory above where it stood, and of what lies in ``scratch``, in KiB."""
    peaks = {"memory_kib": 0, "disk_kib": 0}
    base = _resident()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.02):
            peaks["memory_kib"] = max(peaks["memory_kib"], _resident() - base)
            peaks["disk_kib"] = max(peaks["disk_kib"], _held(scratch))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        is_over.set()
        watcher.join()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _held(folder: Path) -> int:
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue  # it went while we looked
    return total // 1024


if __name__ == "__main__":
    main()
