"""Twelve megapixels of JPEG to three WebP, beside sharp, at equal bytes and equal PSNR.

    python -m benchmarks.images [--photo FILE] [--rounds 7] [--no-save]

README.md beside this file says what is equal and what is not.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from PIL import Image, ImageChops, ImageStat

from benchmarks.api.cpu import model_name
from benchmarks.images.photo import draw_photo
from documents.imaging.plan import WEBP_QUALITY, WIDTHS

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PEER: Final = HERE / "peer"
SHARP: Final = ["node", "sharp.js"]
OURS: Final = [sys.executable, "-m", "benchmarks.images.side"]
# By name: the command, where it runs, and which form of the work.
SIDES: Final[dict[str, tuple[list[str], Path, str]]] = {
    "ours-vips": (OURS, ROOT, "vips"),
    "ours-pillow": (OURS, ROOT, "pillow"),
    "sharp": (SHARP, PEER, "clones"),
    "sharp-cascade": (SHARP, PEER, "cascade"),
    "ours-vips-all": (OURS, ROOT, "vips-all"),
    "ours-pillow-all": (OURS, ROOT, "pillow-all"),
}
PEERS: Final = ("sharp", "sharp-cascade")
QUALITIES: Final = range(WEBP_QUALITY - 6, WEBP_QUALITY + 7)


class Side:
    """One process that is asked again and again."""

    def __init__(self, name: str, process: subprocess.Popen[str], photo: Path, folder: Path) -> None:
        self.name, self._process, self._photo, self.folder = name, process, photo, folder
        self.qualities = [WEBP_QUALITY] * len(WIDTHS)

    def ask(self, images: int) -> dict[str, Any]:
        question = {
            "photo": str(self._photo),
            "folder": str(self.folder),
            "form": SIDES[self.name][2],
            "images": images,
            "qualities": self.qualities,
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("Both were asked for.")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--photo", type=Path, help="a JPEG of your own instead of the drawn one")
    parser.add_argument("--rounds", type=int, default=7, help="a side, in turn")
    parser.add_argument("--images", type=int, default=2, help="in a round")
    parser.add_argument("--no-save", action="store_true", help="print only")
    arguments = parser.parse_args()
    install_peer()
    with tempfile.TemporaryDirectory(prefix="club-images-") as scratch, ExitStack() as stack:
        photo = arguments.photo or Path(scratch) / "photo.jpg"
        if arguments.photo is None:
            draw_photo(photo)
        sides = {name: stack.enter_context(running(name, photo.resolve(), Path(scratch))) for name in SIDES}
        found = measure(sides, photo, rounds=arguments.rounds, images=arguments.images)
    tell(found)
    if not arguments.no_save:
        path = HERE / "results" / f"{datetime.now(UTC):%Y-%m-%d}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(f"\n── {path.relative_to(ROOT)}")


def measure(sides: dict[str, Side], photo: Path, *, rounds: int, images: int) -> dict[str, Any]:
    wanted = sides["ours-vips"].ask(1)["bytes"]
    for name in PEERS:
        match_bytes(sides[name], wanted)
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for side in sides.values():
        side.ask(2)  # warm
    for _round in range(rounds):
        for name, side in sides.items():
            taken[name].append(side.ask(images))
    exact = references(photo)
    middle = {name: median(one["cpu_ms"] for one in rows) for name, rows in taken.items()}
    return {
        "photo": {"size": Image.open(photo).size, "bytes": photo.stat().st_size},
        "rounds": rounds,
        "images_a_round": images,
        "load_average": os.getloadavg(),
        "versions": {
            **taken["sharp"][-1]["versions"],
            **{f"ours {name}": value for name, value in taken["ours-vips"][-1]["versions"].items()},
            "python": platform.python_version(),
            "cpu": model_name(),
        },
        "sides": {
            name: {
                "cpu_ms": middle[name],
                "rounds_cpu_ms": [one["cpu_ms"] for one in rows],
                "ratio_to_sharp": middle[name] / middle["sharp"],
                "ratio_to_sharp_cascade": middle[name] / middle["sharp-cascade"],
                "qualities": sides[name].qualities,
                "bytes": rows[-1]["bytes"],
                "psnr_db": psnrs(sides[name], exact),
                "peak_mib": max(one["peak_mib"] for one in rows),
            }
            for name, rows in taken.items()
        },
    }


def match_bytes(side: Side, wanted: list[int]) -> None:
    """Give the side the qualities at which its files come nearest to ``wanted``, each by itself."""
    tried = {}
    for quality in QUALITIES:
        side.qualities = [quality] * len(wanted)
        tried[quality] = side.ask(1)["bytes"]
    side.qualities = [
        min(tried, key=lambda quality: abs(tried[quality][at] - size)) for at, size in enumerate(wanted)
    ]


def references(photo: Path) -> dict[int, Image.Image]:
    """The photo decoded whole and scaled by Lanczos, at each width."""
    with Image.open(photo) as image:
        whole = image.convert("RGB")
    sizes = {width: (width, round(whole.height * width / whole.width)) for width in WIDTHS.values()}
    return {width: whole.resize(size, Image.Resampling.LANCZOS) for width, size in sizes.items()}


def psnrs(side: Side, exact: dict[int, Image.Image]) -> list[float]:
    found = []
    for name, width in WIDTHS.items():
        path = side.folder / f"{name if side.name.endswith('-all') else width}.webp"
        with Image.open(path) as image:
            apart = ImageStat.Stat(ImageChops.difference(image.convert("RGB"), exact[width]))
        mean = sum(apart.sum2) / (3 * exact[width].width * exact[width].height)
        found.append(10 * math.log10(255**2 / mean))
    return found


def tell(found: dict[str, Any]) -> None:
    print(f"{'side':<16} {'cpu ms':>7} {'÷ sharp':>8} {'÷ cascade':>10} {'MiB':>5}  kB and dB of each")
    for name, one in found["sides"].items():
        files = ", ".join(
            f"{size / 1000:.1f}/{psnr:.2f}" for size, psnr in zip(one["bytes"], one["psnr_db"], strict=True)
        )
        print(
            f"{name:<16} {one['cpu_ms']:>7.0f} {one['ratio_to_sharp']:>8.2f} "
            f"{one['ratio_to_sharp_cascade']:>10.2f} {one['peak_mib']:>5.0f}  {files}"
        )


@contextmanager
def running(name: str, photo: Path, scratch: Path) -> Iterator[Side]:
    command, where, _form = SIDES[name]
    folder = scratch / name
    folder.mkdir()
    process = subprocess.Popen(command, cwd=where, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Side(name, process, photo, folder)
    finally:
        process.kill()
        process.communicate()


def install_peer() -> None:
    """Fetch sharp at its exact version, unless it is there already. Raises RuntimeError."""
    wanted, stamp = PEER / "package.json", PEER / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm was not found. Install Node.js 20 or newer.")
    print("── installing sharp with npm")
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"],
        cwd=PEER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm install failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    stamp.write_text(wanted.read_text())


if __name__ == "__main__":
    main()
