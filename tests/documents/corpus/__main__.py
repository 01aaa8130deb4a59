from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from tests.documents.corpus.making import MAKERS, make


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.documents.corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, default=828)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(MAKERS), nargs="*")
    arguments = parser.parse_args()
    made = make(arguments.folder, members=arguments.members, seed=arguments.seed, only=arguments.only)
    for name, file in made["files"].items():
        size = (arguments.folder / name).stat().st_size
        outcomes = Counter(item["expect"] for item in file["items"])
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        print(f"{name:<24} {size / 1024:>9,.0f} KiB   {told}")


if __name__ == "__main__":
    main()
