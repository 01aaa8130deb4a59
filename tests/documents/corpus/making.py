"""All files of a month in a folder, with their manifest."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from tests.documents.corpus import sheets, statements, zips
from tests.documents.corpus.people import PERIOD, Account, accounts

# Of 828 memberships the merged file has 2,000 pages, and there are 2,000 receipts.
_PAGES: Final = 2_000
_MEMBERS: Final = 828
_FEWEST: Final = 12

Maker = Callable[[Path, list[Account], random.Random], dict[str, Any]]


def _scaled(count: int, members: int) -> int:
    return round(count * members / _MEMBERS)


MAKERS: Final[dict[str, Maker]] = {
    "statements-merged.pdf": lambda path, people, dice: statements.merged(
        path, people, dice, pages=_scaled(_PAGES, len(people))
    ),
    "statements.zip": lambda path, people, _dice: zips.statements_zip(path, people),
    "receipts.zip": lambda path, people, _dice: zips.receipts_zip(
        path, people, count=_scaled(_PAGES, len(people))
    ),
    "balances.csv": lambda path, people, _dice: sheets.balances_csv(path, people),
    "balances.xlsx": lambda path, people, _dice: sheets.balances_xlsx(path, people),
    "entries.csv": lambda path, people, _dice: sheets.entries_csv(path, people),
    "entries.xlsx": lambda path, people, _dice: sheets.entries_xlsx(path, people),
    "assessments.csv": lambda path, people, _dice: sheets.assessments_csv(path, people),
    "delinquency.txt": lambda path, people, _dice: sheets.delinquency_txt(path, people),
    "member-master.xlsx": sheets.member_master_xlsx,
}


def make(folder: Path, *, members: int, seed: int = 1, only: Collection[str] | None = None) -> dict[str, Any]:
    """Write the files (``only`` some of them) and ``manifest.json``, and return what stands in it.

    At least 12 members: fewer have no room for the errors.
    """
    if members < _FEWEST:
        raise ValueError(f"At least {_FEWEST} members.")
    folder.mkdir(parents=True, exist_ok=True)
    people = accounts(members, random.Random(seed))
    files = {
        name: maker(folder / name, people, random.Random(f"{seed} {name}"))
        for name, maker in MAKERS.items()
        if only is None or name in only
    }
    manifest = {
        "seed": seed,
        "period": PERIOD,
        "account_box": statements.ACCOUNT_BOX,
        "account_label": statements.ACCOUNT_LABEL,
        "members": [
            {"account_no": account.account_no, "name": account.name, "due": str(account.due)}
            for account in people
        ],
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest
