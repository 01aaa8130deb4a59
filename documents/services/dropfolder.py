"""A folder into which Finance's system puts files: looked at each minute, taken when they stand still.

``KIND/PERIOD/file`` or ``KIND/file``, as ``balances/2026-10/balances.csv`` and
``delinquency/list.xlsx``. A file is taken when its size and its time are the same at two looks; then it goes
to ``done`` or, with a note of what to do, to ``failed``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import DomainError, InvalidError
from documents.models import BatchKind, BatchSource, DroppedFile
from documents.services.assets import FileTooLargeError
from documents.services.batches.receive import Delivered, receive_batch

DROP_FOLDER: Final = Actor("system", "drop folder")
LEASE: Final = timedelta(minutes=10)
# Two looks closer together than this do not say that a file stands still.
STILL: Final = timedelta(seconds=20)
DONE: Final = "done"
FAILED: Final = "failed"
# What programs write while they are not finished.
_UNFINISHED: Final = (".part", ".tmp", ".crdownload", ".filepart")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at the folder came to: files ``taken``, ``failed``, and still ``waiting``."""

    taken: int = 0
    failed: int = 0
    waiting: int = 0


def scan_dropfolder(*, now: datetime) -> Looked:
    """Look once. Without a folder in the settings nothing is done; one that fails keeps no other waiting."""
    folder = settings.FINANCE_DROP_FOLDER
    if not folder:
        return Looked()
    root = Path(folder)
    taken = failed = waiting = 0
    seen = set()
    for path in _files_in(root):
        name = str(path.relative_to(root))
        seen.add(name)
        if not _stands_still(name, path, now) or not transactions.run(partial(_lease, name, now)):
            waiting += 1
            continue
        if _take(root, path, now):
            taken += 1
        else:
            failed += 1
        transactions.run(DroppedFile.objects.filter(path=name).delete)
    gone = DroppedFile.objects.exclude(path__in=seen).filter(seen_at__lt=now - LEASE)
    transactions.run(gone.delete)
    return Looked(taken, failed, waiting)


def _files_in(root: Path) -> Iterator[Path]:
    """Plain files at ``KIND/`` and ``KIND/PERIOD/``; no links, nothing hidden, nothing half written."""
    if not root.is_dir():
        log.warning("drop_folder_missing", folder=str(root))
        return
    for kind in BatchKind:
        top = root / kind.value
        for pattern in ("*", "*/*"):
            for path in sorted(top.glob(pattern)):
                hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
                linked = any(one.is_symlink() for one in (path, path.parent, top))
                if path.is_file() and not hidden and not linked and not path.name.endswith(_UNFINISHED):
                    yield path


def _stands_still(name: str, path: Path, now: datetime) -> bool:
    """Whether size and time are those of an earlier look; notes them for the next one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    row = DroppedFile.objects.filter(path=name[:255]).first()
    if row is not None and (row.size, row.changed_ns) == (found.st_size, found.st_mtime_ns):
        return now - row.seen_at >= STILL
    values = {"size": found.st_size, "changed_ns": found.st_mtime_ns, "seen_at": now, "lease_until": None}
    try:
        transactions.run(lambda: _note(name[:255], values))
    except IntegrityError:
        log.info("drop_folder_seen_twice", path=name)
    return False


def _note(name: str, values: dict[str, object]) -> None:
    if not DroppedFile.objects.filter(path=name).update(**values):
        with transaction.atomic():
            DroppedFile.objects.create(path=name, **values)


def _lease(name: str, now: datetime) -> bool:
    """Whether it is ours to take: another look, here or on another host, may have begun."""
    free = DroppedFile.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lte=now), path=name[:255])
    return bool(free.update(lease_until=now + LEASE))


def _take(root: Path, path: Path, now: datetime) -> bool:
    kind, *between, _name = path.relative_to(root).parts
    period = between[0] if between else ""
    try:
        if path.stat().st_size > settings.FINANCE_UPLOAD_LIMIT:
            raise FileTooLargeError
        with path.open("rb") as content:
            # A folder that is named after no month is refused there, as a period that is none.
            receive_batch(
                kind=kind,
                period=period,
                files=[Delivered(path.name, content)],
                source=BatchSource.DROP_FOLDER,
                by=DROP_FOLDER,
                now=now,
            )
    except DomainError as error:
        log.warning("drop_folder_refused", path=str(path), code=error.code)
        target = _move(root / FAILED, path, now)
        target.with_name(f"{target.name}.txt").write_text(f"{_said(error)}\n", encoding="utf-8")
        return False
    _move(root / DONE, path, now)
    return True


def _said(error: DomainError) -> str:
    errors = error.errors if isinstance(error, InvalidError) else {}
    told = [str(detail) for pairs in errors.values() for _code, detail in pairs]
    return " ".join(told) or str(error.detail)


def _move(folder: Path, path: Path, now: datetime) -> Path:
    """Out of the way, under a name that says when, and that no other file has."""
    folder.mkdir(exist_ok=True)
    target = folder / f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}-{path.name}"
    path.replace(target)
    return target
