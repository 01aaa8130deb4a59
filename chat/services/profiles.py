"""What somebody allows others in the chat."""

from __future__ import annotations

from bcc.core import transactions
from chat.models import ChatProfile


@transactions.writes
def change_preferences(*, user_id: int, **changes: bool) -> None:
    """Keep ``accepts_direct``, ``accepts_groups`` and ``shows_presence`` as given; others stay."""
    row, _made = ChatProfile.objects.get_or_create(user_id=user_id)
    if changes:
        ChatProfile.objects.filter(pk=row.pk).update(**changes)
