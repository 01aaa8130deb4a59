"""Who reads what: every hand-over of a document's bytes leaves a row, whoever takes them."""

from __future__ import annotations

from datetime import datetime

from bcc.core import transactions
from bcc.core.prepared import PreparedInsert
from documents.models import AccessKind, DocumentAccess

_ACCESS = PreparedInsert(DocumentAccess)


@transactions.writes
def note_access(
    *, document_id: int, user_id: int | None, is_staff: bool, kind: AccessKind, now: datetime
) -> None:
    """Write that ``user_id`` read the document; what staff read, its member is shown.

    Before the bytes leave: who cannot be written down gets none.
    """
    _ACCESS.one(
        DocumentAccess(document_id=document_id, user_id=user_id, is_staff=is_staff, kind=kind.value, at=now)
    )
