"""What leaves from the page of a published batch: its ZIP, and the statements that are rendered from rows."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.downloads import content_disposition
from documents.models import BatchKind, ImportBatch
from documents.policies.batches import BatchState
from documents.services.archives import batch_archive, note_export
from documents.services.statements import render_statements

READ: Final = "documents.read_document"
APPROVE: Final = "documents.approve_batch"
# Of these come rows that a statement is rendered from, and of these papers to take away.
ROWS: Final = frozenset({BatchKind.BALANCES, BatchKind.ENTRIES, BatchKind.ASSESSMENTS})
PAPERS: Final = frozenset({BatchKind.STATEMENT_ZIP, BatchKind.STATEMENT_PDF, BatchKind.PAPERS})


def offers(request: HttpRequest, batch: ImportBatch) -> dict[str, bool]:
    """Which of the two the page shows to whoever looks at it."""
    user: Any = request.user
    is_published = batch.state == BatchState.PUBLISHED
    return {
        "may_take_away": is_published and batch.kind in PAPERS and user.has_perm(READ),
        "may_render": is_published and batch.kind in ROWS and user.has_perm(APPROVE),
    }


def archive_page(page: ClubModelAdmin[ImportBatch], request: HttpRequest, pk: int) -> HttpResponseBase:
    """The ZIP, made while it is sent. Each document of it is written down as read first."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    if not offers(request, batch)["may_take_away"]:
        raise PermissionDenied
    user: Any = request.user
    note_export(batch=batch, user_id=user.pk, now=clock.now())
    name = f"{batch.kind}_{batch.period or batch.pk}.zip"
    return StreamingHttpResponse(
        batch_archive(batch),
        content_type="application/zip",
        headers={
            "Content-Disposition": content_disposition(name),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def render_page(page: ClubModelAdmin[ImportBatch], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Render the statements of the batch's month from the rows that are published."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    batch = get_object_or_404(ImportBatch, pk=pk)
    if not offers(request, batch)["may_render"]:
        raise PermissionDenied

    def work() -> str:
        done = render_statements(period=batch.period, now=clock.now())
        return _(
            "Statements made: %(made)d. There already: %(unchanged)d. Sent by Finance as files: %(given)d."
        ) % {"made": len(done.made), "unchanged": done.unchanged, "given": done.given}

    return page.do(request, work, back=page.url_of("change", pk))
