"""Whether storage holds what the rows say, and nothing else; and putting right what can be.

What is lost or damaged no sweep brings back: it is named, so that a backup or the sender can. What
nobody names any more (files without a row, rows without a reference, halves of a write that a crash
cut short) is deleted once it is old enough that nobody is still about to name it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

import structlog
from django.core.files.storage import default_storage
from django.db.models import F, ForeignObjectRel, Q
from django.utils import timezone

from bcc.core import transactions
from documents.models import Asset
from documents.services.assets import CHUNK, FOLDER, ORPHAN_AGE
from documents.storage import PART_PREFIX

# Rows of the table a query.
PAGE: Final = 500

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Report:
    """Storage keys, by what is the matter with them. ``removed`` counts what a repair deleted."""

    checked: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    unreferenced: list[str] = field(default_factory=list)
    removed: int = 0

    @property
    def is_well(self) -> bool:
        """Whether every row has its bytes: what is merely too much does no harm."""
        return not self.missing and not self.damaged

    @property
    def is_clean(self) -> bool:
        return self.is_well and not (self.orphans or self.partial or self.unreferenced)


def verify_assets(
    *, now: datetime, repair: bool = False, thorough: bool = True, told: Callable[[int], None] | None = None
) -> Report:
    """Compare rows and storage; ``thorough`` reads every byte and reckons its hash, else sizes alone.

    ``repair`` deletes what is too much and old enough, and nothing else. ``told`` hears how many rows
    were looked at, now and then. Memory does not grow with the number of files.
    """
    report = Report()
    for asset in _rows():
        _check(asset, report, thorough=thorough)
        if told is not None and report.checked % PAGE == 0:
            told(report.checked)
    _sweep_rows(report, now=now, repair=repair)
    _sweep_files(report, now=now, repair=repair)
    return report


def _rows() -> Iterator[Asset]:
    """Every row, by key, a page a query: no cursor stays open while files are read."""
    last = 0
    while page := list(Asset.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


def _check(asset: Asset, report: Report, *, thorough: bool) -> None:
    report.checked += 1
    try:
        size = default_storage.size(asset.key)
        if size == asset.size and thorough:
            with default_storage.open(asset.key, "rb") as content:
                is_whole = _hash(content) == asset.sha256
        else:
            is_whole = size == asset.size
    except FileNotFoundError:
        # Swept between the look at the row and at the file, or lost.
        if Asset.objects.filter(pk=asset.pk).exists():
            report.missing.append(asset.key)
            log.exception("asset_missing", key=asset.key)
        return
    report.bytes += size
    if not is_whole:
        report.damaged.append(asset.key)
        log.error("asset_damaged", key=asset.key, size=size)


def _hash(content: Any) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _unreferenced() -> Q:
    """Rows that no other row names, by whatever table: a new one is found by itself."""
    nobody = Q()
    # Hidden ones among them: `related_objects` leaves out those without a name of their own.
    for relation in Asset._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            name = relation.field.name
            named = relation.related_model._base_manager.filter(**{f"{name}__isnull": False})
            nobody &= ~Q(pk__in=named.values(name))
    return nobody


def _sweep_rows(report: Report, *, now: datetime, repair: bool) -> None:
    old = Asset.objects.filter(_unreferenced(), created_at__lte=now - ORPHAN_AGE)
    last = 0
    while page := list(old.filter(pk__gt=last).order_by("pk").values_list("pk", "key")[:PAGE]):
        for pk, key in page:
            report.unreferenced.append(key)
            if repair and _forget(pk=pk, now=now):
                report.removed += 1
        last = page[-1][0]


@transactions.writes
def _forget(*, pk: int, now: datetime) -> bool:
    """Delete a row that is still old and still nobody's; its file is an orphan then, and goes as one."""
    mine = Asset.objects.filter(pk=pk, created_at__lte=now - ORPHAN_AGE)
    # The lock of `assets.keep`, which makes a row young again before somebody names it.
    if not mine.update(size=F("size")) or not mine.filter(_unreferenced()).exists():
        return False
    mine.delete()
    return True


def _sweep_files(report: Report, *, now: datetime, repair: bool) -> None:
    for folder, names in _folders(FOLDER):
        keys = {f"{folder}/{name}": name for name in names}
        known = set(Asset.objects.filter(key__in=keys).values_list("key", flat=True))
        for key, name in keys.items():
            if key in known or not _is_old(key, now):
                continue
            (report.partial if name.startswith(PART_PREFIX) else report.orphans).append(key)
            if repair and _remove(key):
                report.removed += 1


def _folders(folder: str) -> Iterator[tuple[str, list[str]]]:
    """(folder, names in it), all the way down; a folder holds few files by the way keys are made."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for start in range(0, len(names), PAGE):
        yield folder, sorted(names)[start : start + PAGE]
    for one in sorted(folders):
        yield from _folders(str(PurePosixPath(folder) / one))


def _is_old(key: str, now: datetime) -> bool:
    try:
        changed = default_storage.get_modified_time(key)
    except FileNotFoundError:
        return False
    if timezone.is_naive(changed):
        changed = changed.replace(tzinfo=UTC)
    return changed <= now - ORPHAN_AGE


def _remove(key: str) -> bool:
    """Delete a file that no row names at this moment; who is about to has made it young (``assets.keep``)."""
    if Asset.objects.filter(key=key).exists():
        return False
    default_storage.delete(key)
    return True
