"""Our side, in a process of its own: a line of JSON in, one out, as ``peer/sharp.js`` does.

The forms ``vips`` and ``pillow`` make the three WebP of the comparison with the product's own functions;
``vips-all`` and ``pillow-all`` do all that an upload asks for: the thumb and the placeholder as well.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import features

from documents.imaging import pillow_engine, vips_engine, work
from documents.imaging.opening import opened
from documents.imaging.plan import WEBP, WIDTHS, fitted

ENGINES = {"vips": vips_engine.render, "pillow": pillow_engine.render}


def three(photo: str, folder: Path, engine: str) -> None:
    source = opened(Path(photo).read_bytes())
    raster: Any = ENGINES[engine](source, fitted(source.size, max(WIDTHS.values())))
    for width in WIDTHS.values():
        raster = raster.shrunk(fitted(source.size, width))
        raster.save(folder / f"{width}.webp", WEBP)


def answer(photo: str, folder: str, form: str, images: int, **_others: Any) -> dict[str, Any]:
    engine, _, whole = form.partition("-")
    before = time.process_time()
    for _number in range(images):
        if whole:
            work.make(photo, folder, engine)
        else:
            three(photo, Path(folder), engine)
    used = time.process_time() - before
    names = list(WIDTHS) if whole else list(map(str, WIDTHS.values()))
    status = Path("/proc/self/status").read_text()
    return {
        "cpu_ms": used * 1000 / images,
        "bytes": [(Path(folder) / f"{name}.webp").stat().st_size for name in names],
        "peak_mib": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
        "versions": {
            "pillow": version("pillow"),
            "pyvips": version("pyvips-binary"),
            "webp": features.version("webp"),
        },
    }


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
