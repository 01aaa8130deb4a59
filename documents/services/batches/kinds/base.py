"""What each kind of batch says of itself: how its files are read, checked, filed and taken back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from django.db import models
from django.utils.functional import Promise

from bcc.core.actors import Actor
from documents.models import Asset, BatchFile, BatchKind, ImportBatch, ImportItem, KindRule, Severity
from documents.parsers.pdfs import Workers
from documents.policies.batches import Decision, Outcome
from documents.policies.reasons import DUPLICATES
from documents.services.batches.kinds.accounts import Accounts

DETAIL_LENGTH = 300
Notice = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of a batch, to be read. ``notice`` takes what a person should know of it: (code, detail)."""

    batch: ImportBatch
    file: BatchFile
    path: Path
    workers: Workers
    accounts: Accounts
    notice: Notice
    tick: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An item as it is read, without a number yet. ``problem`` is what the reading itself found wrong.

    ``replaces`` is the number of the item that a corrected row takes the place of; 0 for none.
    """

    source_name: str = ""
    first_page: int = 0
    last_page: int = 0
    row_number: int = 0
    key_read: str = ""
    method: str = ""
    number: str = ""
    amount: Decimal | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    membership_id: int | None = None
    problem: tuple[str, str] | None = None
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that checking found. ``code`` has its sentence in ``policies.reasons``."""

    severity: Severity
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """An item with what is to be filed of it: a stored file and its pages, or nothing for a row."""

    item: ImportItem
    asset: Asset | None = None
    pages: int = 0
    refused: Finding | None = None


class Handler(ABC):
    """One kind of batch. Without state: one instance serves every batch."""

    kind: ClassVar[BatchKind]
    # What a correction's columns are, in words for the upload page.
    expects: ClassVar[str | Promise]
    # The cells of the error file, in order; empty where corrected rows make no sense.
    error_columns: ClassVar[Sequence[str]] = ()

    def title_of(self, column: str) -> str:
        """The heading of a column of the error file, as it is read again."""
        return column

    @abstractmethod
    def read(self, source: Source, *, after: ImportItem | None) -> Iterator[Draft]:
        """What is in a file, in its order, from behind ``after`` (its last item written) on.

        Raises Refusal and ChildFailedError for a file that is none of this kind.
        """

    def rest(self, batch: ImportBatch) -> Iterator[Draft]:
        """What follows from all the files together. Items that are there already are not given again."""
        return iter(())

    @abstractmethod
    def check(self, batch: ImportBatch, items: Sequence[ImportItem], rule: KindRule) -> None:
        """Settle each of ``items``; the caller writes them. Reads alone."""

    def pieces(self, source: Source, items: Iterable[ImportItem]) -> Iterator[Piece]:
        """``items`` of one file in their order, each with what is to be filed, stored before it is given."""
        return (Piece(item) for item in items)

    @abstractmethod
    def file(self, batch: ImportBatch, pieces: Sequence[Piece], *, by: Actor, now: datetime) -> None:
        """File a chunk, inside the caller's transaction; sets the outcome of each item, which it writes."""

    @abstractmethod
    def take_back(
        self, batch: ImportBatch, items: Sequence[ImportItem], *, by: Actor, now: datetime
    ) -> list[str]:
        """Undo what ``file`` did, inside the caller's transaction; what could not be undone, as lines."""

    def tell(self, batch: ImportBatch, items: Sequence[ImportItem], *, now: datetime) -> int:
        """Tell the members of filed items, each once; returns how many messages were written."""
        return 0


def settle(item: ImportItem, findings: Sequence[Finding]) -> None:
    """Write on the item what was found: the gravest is its reason, the rest stands in the detail.

    What waits for a person does not wait any more once a person has accepted it.
    """
    order = {Severity.ERROR: 0, Severity.WAITS: 1, Severity.NOTICE: 2, Severity.OK: 3}
    found = sorted(findings, key=lambda one: order[one.severity])
    worst = found[0] if found else Finding(Severity.OK, "")
    item.severity, item.reason = worst.severity, worst.code
    item.detail = "; ".join(filter(None, dict.fromkeys(one.detail for one in found)))[:DETAIL_LENGTH]
    if worst.code in DUPLICATES:
        item.outcome = Outcome.DUPLICATE
    elif worst.severity == Severity.ERROR or (
        worst.severity == Severity.WAITS and item.decision != Decision.ACCEPT
    ):
        item.outcome = Outcome.QUARANTINED
    else:
        item.outcome = Outcome.OPEN


def chunked(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most ``size``."""
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def by_key(queryset: models.QuerySet[Any], size: int, key: str = "ordinal") -> Iterator[list[Any]]:
    """Rows in order of a unique number, a chunk at a time and none twice, whatever a chunk changes.

    Asked anew for each chunk, from behind the last one: a driver that buffers holds one chunk.
    """
    last = -1
    while chunk := list(queryset.filter(**{f"{key}__gt": last}).order_by(key)[:size]):
        yield chunk
        last = getattr(chunk[-1], key)
