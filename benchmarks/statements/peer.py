"""The peer's side, run by the interpreter of its own environment: nothing of ours is imported.

peer.py FILE FOLDER PROCESSES LEFT TOP WIDTH HEIGHT LABEL usual|tuned
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pymupdf

POINTS = 72 / 25.4
SHEET = re.compile(r"Page (\d+) of (\d+)")


def key_in(text: str, label: str) -> str:
    found = re.search(re.escape(label) + r"\s*(\S+)", text)
    return re.sub(r"[^0-9A-Z]", "", found[1].upper()) if found else ""


def texts(page: Any, box: list[float], *, is_tuned: bool) -> tuple[str, str]:
    """(where the account is looked for, where the number of the page is)."""
    if is_tuned:
        # Once, whole, without the flags that keep pictures and ligatures: each box costs as much again.
        whole = page.get_text("text", flags=pymupdf.TEXT_PRESERVE_WHITESPACE)
        return whole, whole
    left, top, width, height = (side * POINTS for side in box)
    # Its text stays where it is when /Rotate turns the page, so the boxes are turned back.
    clip = pymupdf.Rect(left, top, left + width, top + height) * page.derotation_matrix
    foot = pymupdf.Rect(0, page.rect.height - 30 * POINTS, page.rect.width, page.rect.height)
    return page.get_text(clip=clip), page.get_text(clip=foot * page.derotation_matrix)


def read(path: str, first: int, last: int, box: list[float], label: str, is_tuned: bool) -> list[Any]:
    found = []
    with pymupdf.open(path) as document:
        for index in range(first, last):
            head, foot = texts(document[index], box, is_tuned=is_tuned)
            sheet = SHEET.search(foot)
            found.append((index + 1, key_in(head, label), int(sheet[1]) if sheet else 0))
            if is_tuned and index % 250 == 249:
                pymupdf.TOOLS.store_shrink(100)
    return found


def group(pages: list[Any]) -> list[list[Any]]:
    groups: list[list[Any]] = []
    for number, key, sheet in pages:
        if groups and sheet > 1 and (not key or key == groups[-1][2]):
            groups[-1][1] = number
        else:
            groups.append([number, number, key])
    return [one for one in groups if one[2]]


def split(
    path: str, groups: list[list[Any]], folder: str, box: list[float], label: str, is_tuned: bool
) -> int:
    how = {"links": False, "annots": False, "widgets": False} if is_tuned else {}
    with pymupdf.open(path) as document:
        for number, (first, last, key) in enumerate(groups):
            place = Path(folder) / f"{first:06d}.pdf"
            with pymupdf.open() as made:
                made.insert_pdf(document, from_page=first - 1, to_page=last - 1, **how)
                made.save(place)
            with pymupdf.open(place) as again:
                head, _foot = texts(again[0], box, is_tuned=is_tuned)
                if again.page_count != last - first + 1 or key_in(head, label) != key:
                    raise SystemExit(f"pages {first} to {last} are not {key}'s")
            if is_tuned and number % 100 == 99:
                pymupdf.TOOLS.store_shrink(100)
    return len(groups)


def main() -> None:
    path, folder, processes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    box, label, is_tuned = [float(side) for side in sys.argv[4:8]], sys.argv[8], sys.argv[9] == "tuned"
    began, cpu = time.perf_counter(), used()
    with pymupdf.open(path) as document:
        count = document.page_count
    if processes == 1:
        groups = group(read(path, 0, count, box, label, is_tuned))
        documents = split(path, groups, folder, box, label, is_tuned)
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            step = -(-count // processes)
            parts = [(path, at, min(at + step, count), box, label, is_tuned) for at in range(0, count, step)]
            groups = group([page for part in pool.starmap(read, parts) for page in part])
            step = -(-len(groups) // processes)
            shares = [groups[at : at + step] for at in range(0, len(groups), step)]
            documents = sum(
                pool.starmap(split, [(path, share, folder, box, label, is_tuned) for share in shares])
            )
            pool.close()
            pool.join()
    who = resource.RUSAGE_SELF if processes == 1 else resource.RUSAGE_CHILDREN
    took = {
        "wall": time.perf_counter() - began,
        "cpu": used() - cpu,
        "peak_kib": resource.getrusage(who).ru_maxrss,
        "parent_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "documents": documents,
        "found": groups,
    }
    print(json.dumps(took))


def used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


if __name__ == "__main__":
    main()
