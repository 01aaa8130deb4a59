"""How far a batch is, pushed to the sockets of Finance. A hint: the page and the rows are the truth."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from accounts.models import User
from bcc.core import push as sockets
from documents.models import ImportBatch

APPROVE: Final = "approve_batch"
UPLOAD: Final = "upload_batch"


def push(batch: ImportBatch) -> None:
    """Tell Finance's sockets once the present transaction has committed."""
    message = {
        "type": "batch.progress",
        "id": str(batch.public_id),
        "state": batch.state,
        "done": batch.done,
        "total": batch.total,
    }
    people = finance_staff().values_list("public_id", flat=True)
    sockets.to_each((public_id, message) for public_id in people)


def finance_staff() -> QuerySet[User]:
    """Active staff who upload or approve batches, by their group or by a permission of their own."""
    wanted = Permission.objects.filter(content_type__app_label="documents", codename__in=(UPLOAD, APPROVE))
    theirs = Q(groups__permissions__in=wanted) | Q(user_permissions__in=wanted)
    found = User.objects.filter(theirs, is_active=True, is_staff=True).values("pk")
    return User.objects.filter(pk__in=found)
