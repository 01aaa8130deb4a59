"""Who reads what: every hand-over of a document's bytes leaves a row, whoever takes them."""

from __future__ import annotations

from datetime import datetime

from bcc.core import transactions
from documents.models import AccessKind, Document, DocumentAccess


@transactions.writes
def note_access(
    *, document: Document, user_id: int | None, is_staff: bool, kind: AccessKind, now: datetime
) -> DocumentAccess:
    """Write that ``user_id`` read ``document``; what staff read, its member is shown.

    Before the bytes leave: who cannot be written down gets none.
    """
    return DocumentAccess.objects.create(
        document=document, user_id=user_id, is_staff=is_staff, kind=kind, at=now
    )
