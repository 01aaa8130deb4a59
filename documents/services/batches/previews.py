"""A page of an item as a picture, from wherever it lies: a merged PDF, an archive, a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from bcc.core import transactions
from bcc.core.errors import NotFoundError
from documents.isolation import ChildFailedError, Refusal
from documents.isolation.folders import WorkFolder
from documents.models import AccessKind, Asset, DocumentAccess, ImportItem
from documents.parsers import archives, pdfs
from documents.services import assets
from documents.services.batches.sources import path_of

WIDEST: Final = 1_200


def picture_of(*, item: ImportItem, page: int, width: int, user_id: int, now: datetime) -> bytes:
    """Page ``page`` (from 1) of an item as WebP. Of a published document the look is written down.

    Raises NotFoundError for a page that is none, or that cannot be drawn.
    """
    pages = item.last_page - item.first_page + 1 if item.last_page else 0
    if not 1 <= page <= pages:
        raise NotFoundError
    try:
        with _whole(item) as (path, first):
            picture = pdfs.thumbnail(path, first + page - 1, min(width, WIDEST))
    except (Refusal, ChildFailedError) as error:
        raise NotFoundError from error
    if item.document_id is not None:
        document_id = item.document_id
        transactions.run(
            lambda: DocumentAccess.objects.create(
                document_id=document_id, user_id=user_id, is_staff=True, kind=AccessKind.PREVIEW, at=now
            )
        )
    return picture


@contextmanager
def _whole(item: ImportItem) -> Iterator[tuple[Path, int]]:
    """The PDF that the item's pages stand in, and the number of its first page there."""
    asset: Asset = item.file.asset
    with path_of(asset) as path:
        if not _is_archive(path):
            yield path, item.first_page
            return
        for position, member in enumerate(archives.members(path), 1):
            if position == item.row_number:
                with WorkFolder() as folder:
                    copy = Path(folder) / "one.pdf"
                    with member.open() as content, copy.open("wb") as out:
                        while chunk := content.read(assets.CHUNK):
                            out.write(chunk)
                    yield copy, 1
                return
    raise NotFoundError


def _is_archive(path: Path) -> bool:
    with path.open("rb") as content:
        return content.read(4) == b"PK\x03\x04"
