"""What documents keep of one member: given out on request, and made nobody's where Finance need not keep it.

Statements, receipts and the rows of an account belong to the household and to the club's books, so they
stay as they are when one person is made anonymous; their pictures go.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Member
from accounts.services.personal_data import register_part
from documents.models import (
    AccountEntry,
    Document,
    DocumentAccess,
    Image,
    ImagePurpose,
    MemberPhoto,
    StatementSummary,
    may_see_statements,
)
from documents.services.images import delete_image


def register_personal_data() -> None:
    register_part("documents", export=_papers)
    register_part("account_sums", export=_sums)
    register_part("account_entries", export=_entries)
    register_part("pictures", export=_pictures, anonymise=_forget_pictures)
    register_part("documents_read", export=_reads)


def _papers(member: Member) -> list[dict[str, Any]]:
    """What the member could open; nothing of a household that is not theirs to see."""
    rows = Document.objects.readable_by(member).order_by("pk")
    return _listed(rows.values("public_id", "kind", "period", "number", "version", "sha256", "published_at"))


def _sums(member: Member) -> list[dict[str, Any]]:
    if not may_see_statements(member):
        return []
    rows = (
        StatementSummary.objects.published().filter(membership=member.membership_id).order_by("period", "pk")
    )
    return _with_texts(rows.values("period", "previous", "charges", "payments", "due", "due_on"))


def _entries(member: Member) -> list[dict[str, Any]]:
    if not may_see_statements(member):
        return []
    rows = AccountEntry.objects.published().filter(membership=member.membership_id).order_by("pk")
    return _with_texts(
        rows.values("period", "posted_on", "kind", "number", "description", "outlet", "amount")
    )


def _listed(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def _with_texts(rows: QuerySet[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    """Amounts as the text of a decimal, as over the API."""
    money = ("previous", "charges", "payments", "due", "amount")
    return [{name: str(value) if name in money else value for name, value in row.items()} for row in rows]


def _own_pictures(member: Member) -> QuerySet[Image]:
    """What they sent as theirs, and the photo that is theirs, whoever sent it; not the club's pictures."""
    sent = Image.objects.filter(uploaded_by=member.user_id).exclude(purpose=ImagePurpose.CLUB)
    if member.user_id is None:
        sent = Image.objects.none()
    return sent | Image.objects.filter(photo_of__member=member)


def _pictures(member: Member) -> list[dict[str, Any]]:
    rows = _own_pictures(member).distinct().order_by("pk")
    return _listed(rows.values("public_id", "purpose", "alt", "width", "height", "created_at"))


def _reads(member: Member) -> list[dict[str, Any]]:
    """Which documents the member opened, and when."""
    if member.user_id is None:
        return []
    rows = DocumentAccess.objects.filter(user=member.user_id, is_staff=False).order_by("pk")
    return _listed(rows.values("document__kind", "document__period", "kind", "at"))


def _forget_pictures(member: Member, now: datetime) -> None:
    """Their files go with the next sweep. What was sent in a chat goes with the chat's own part."""
    pictures = list(_own_pictures(member).exclude(purpose=ImagePurpose.CHAT).distinct().order_by("pk"))
    MemberPhoto.objects.filter(member=member).delete()
    for image in pictures:
        delete_image(image=image)
