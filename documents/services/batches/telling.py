"""Members are told of what was published for them: each once, however often a worker begins anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from accounts.models import Member
from accounts.services.notifications import News, notify_each
from bcc.core import push
from documents.models import Document, DocumentKind, ImportBatch, ImportItem, may_see_statements
from documents.policies.periods import first_day
from documents.services.batches.values import date_in, money_in
from documents.services.messages import (
    ASSESSMENT_PUBLISHED,
    PAPER_PUBLISHED,
    STATEMENT_CORRECTED,
    STATEMENT_PUBLISHED,
)

Reader = tuple[int, UUID]


def period_text(period: str) -> str:
    """“October 2026”."""
    return date_format(first_day(period), "F Y")


def readers_of(membership_ids: Iterable[int]) -> dict[int, list[Reader]]:
    """Who of each membership may see its account: (key, public id) of their users."""
    people = Member.objects.select_related("user").filter(
        membership_id__in=list(membership_ids), user__is_active=True
    )
    found: dict[int, list[Reader]] = defaultdict(list)
    for member in people.order_by("pk"):
        if member.user is not None and may_see_statements(member):
            found[member.membership_id].append((member.user.pk, member.user.public_id))
    return found


def tell_of_statements(period: str, items: Sequence[ImportItem], *, model: Any, now: datetime) -> int:
    """A month's statement is told of once, whether it came as a PDF, as sums, or as both.

    ``model`` is what the items were filed as. A later version is told of as a correction.
    """
    ids = {one.membership_id for one in items if one.membership_id is not None}
    published = model.objects.published().filter(membership_id__in=ids, period=period)
    if model is Document:
        published = published.filter(kind=DocumentKind.STATEMENT)
    versions = dict(published.values_list("membership_id", "version"))
    readers = readers_of(versions)
    told = 0
    for kind, is_first in ((STATEMENT_PUBLISHED, True), (STATEMENT_CORRECTED, False)):
        news = [
            News(
                user_id=user_id,
                kind=kind.code,
                context={"period": period_text(period)},
                dedupe=f"statement:{period}:{membership_id}:{version}:{user_id}",
                link=f"statements/{period}",
            )
            for membership_id, version in versions.items()
            if (version == 1) == is_first
            for user_id, _public_id in readers[membership_id]
        ]
        told += notify_each(kind=kind.code, news=news, now=now) if news else 0
    hint(DocumentKind.STATEMENT, period, readers)
    return told


def tell_of_papers(batch: ImportBatch, items: Sequence[ImportItem], *, now: datetime) -> int:
    documents = [one.document for one in items if one.document is not None]
    readers = readers_of({one.membership_id for one in documents})
    news = [
        News(
            user_id=user_id,
            kind=PAPER_PUBLISHED.code,
            context={
                "kind": str(document.get_kind_display()),
                "number": document.number,
                "period": period_text(document.period),
            },
            dedupe=f"document:{document.public_id.hex}:{user_id}",
            link=f"documents/{document.public_id}",
        )
        for document in documents
        for user_id, _public_id in readers[document.membership_id]
    ]
    if not news:
        return 0
    told = notify_each(kind=PAPER_PUBLISHED.code, news=news, now=now)
    hint(DocumentKind.NOTICE, batch.period, readers)
    return told


def tell_of_assessments(period: str, items: Sequence[ImportItem], *, now: datetime) -> int:
    readers = readers_of({one.membership_id for one in items if one.membership_id is not None})
    news = []
    for item in items:
        due_on = date_in(item.values, "due_on")
        context = {
            "description": str(item.values.get("description") or ""),
            "amount": number_format(money_in(item.values, "amount"), 2, force_grouping=True),
            "due": _("Due on %(day)s.") % {"day": date_format(due_on, "j F Y")} if due_on else "",
        }
        news += [
            News(
                user_id=user_id,
                kind=ASSESSMENT_PUBLISHED.code,
                context=context,
                dedupe=f"assessment:{period}:{item.membership_id}:{item.sha256[:24]}:{user_id}",
                link="account/entries",
            )
            for user_id, _public_id in readers.get(item.membership_id or 0, [])
        ]
    return notify_each(kind=ASSESSMENT_PUBLISHED.code, news=news, now=now) if news else 0


def hint(kind: str, period: str, readers: dict[int, list[Reader]]) -> None:
    """Have the apps that are open read their lists again, after commit."""
    people = [public_id for some in readers.values() for _user_id, public_id in some]
    message = {"type": "document.published", "kind": str(kind), "period": period}
    push.to_each((public_id, message) for public_id in people)
