"""ZIPs of PDFs, a file a document, named as Finance names them on a long day."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.documents.corpus import statements
from tests.documents.corpus.people import PERIOD, Account

STATEMENT_PATTERN = "SOA_{account_no}_{period}*.pdf"
RECEIPT_PATTERN = "OR-{number}_{account_no}.pdf"
# A fixed time, so that the same arguments give the same bytes.
_STAMP = (2026, 11, 3, 9, 0, 0)
_MONTHS = ("2026-10", "202610", "OCT2026", "October 2026", "10-2026")


def statements_zip(path: Path, accounts: Sequence[Account]) -> dict[str, Any]:
    """A statement each: months in five spellings, small letters, a copy, a stranger, a name of nobody."""
    files: list[tuple[str, bytes, dict[str, Any]]] = []
    for number, account in enumerate(accounts):
        name = f"SOA_{account.account_no}_{_MONTHS[number % len(_MONTHS)]}.pdf"
        name = name.lower() if number % 7 == 3 else name
        files.append(_file(f"October/{name}", statements.single(account, lines=20), account.account_no))
    first, second = accounts[0], accounts[1]
    content = statements.single(first, lines=20)
    files.append(
        _file(
            f"October/SOA_{first.account_no}_2026-10 (1).pdf", content, first.account_no, "duplicate", "copy"
        )
    )
    stranger = Account("D-9999", "Nobody Demo 9999", second.previous, second.payments, second.charges)
    content = statements.single(stranger, lines=20)
    files.append(_file("October/SOA_D-9999_2026-10.pdf", content, "D-9999", "quarantined", "unknown_account"))
    files.append(_file("October/scan0001.pdf", content, "", "quarantined", "name_unknown"))
    files.append(
        _file("October/SOA_D-0002_2026-10_v2.pdf", content, "D-0002", "quarantined", "other_account")
    )
    files.append(_file("October/read me.txt", b"Hi, here they are!", "", "quarantined", "not_a_pdf"))
    return _write(path, files, "statement_zip")


def receipts_zip(path: Path, accounts: Sequence[Account], *, count: int) -> dict[str, Any]:
    """``count`` official receipts, several to an account."""
    files = []
    for number in range(count):
        account = accounts[number % len(accounts)]
        title = f"OFFICIAL RECEIPT {number + 1:05d}"
        content = statements.single(account, title=title, lines=2)
        files.append(_file(f"OR-{number + 1:05d}_{account.account_no}.pdf", content, account.account_no))
    return _write(path, files, "papers")


def _file(
    name: str, content: bytes, account_no: str, expect: str = "filed", why: str = ""
) -> tuple[str, bytes, dict[str, Any]]:
    return name, content, {"name": name, "account_no": account_no, "expect": expect, "why": why}


def _write(path: Path, files: Sequence[tuple[str, bytes, dict[str, Any]]], kind: str) -> dict[str, Any]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        # What a Mac and a PC add by themselves: no items.
        archive.writestr(zipfile.ZipInfo("__MACOSX/._SOA_D-0001.pdf", _STAMP), b"\0\5\x16\7")
        archive.writestr(zipfile.ZipInfo("October/Thumbs.db", _STAMP), b"\xd0\xcf\x11\xe0")
        for name, content, _about in files:
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return {"kind": kind, "period": PERIOD, "items": [about for _name, _content, about in files]}
