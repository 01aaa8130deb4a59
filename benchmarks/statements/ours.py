"""Our side: read whose each page is, group, split, verify. Prints what it took as JSON.

python -m benchmarks.statements.ours FILE FOLDER PROCESSES LEFT TOP WIDTH HEIGHT LABEL
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from documents.parsers import pdfs


def main() -> None:
    path, folder, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    left, top, width, height = map(float, sys.argv[4:8])
    regions = [pdfs.Region("head", left, top, width, height, sys.argv[8])]
    began, cpu = time.perf_counter(), _cpu()
    with pdfs.Workers(processes) as workers:
        groups = list(pdfs.group(pdfs.read_pages(path, regions, workers=workers)))
        wanted = [group for group in groups if group.key]
        ranges = [pdfs.PageRange(group.first, group.last, group.key) for group in wanted]
        documents = sum(1 for _made in pdfs.split(path, ranges, folder, regions=regions, workers=workers))
    took = {
        "wall": time.perf_counter() - began,
        "cpu": _cpu() - cpu,
        # Of the children; the parent decodes nothing.
        "peak_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        "parent_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "documents": documents,
        "found": [[group.first, group.last, group.key] for group in wanted],
    }
    print(json.dumps(took))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
