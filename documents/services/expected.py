"""Finance is told of a file that has not come by its day, each of them once."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format

from accounts.services.notifications import News, notify_each
from bcc.core import clock, transactions
from documents.selectors.expected import files_missing
from documents.services.batches.progress import finance_staff
from documents.services.batches.telling import period_text
from documents.services.messages import FILE_MISSING


@transactions.writes
def tell_of_missing_files(*, now: datetime) -> int:
    """Returns how many messages were written; the same file again writes none."""
    people = list(finance_staff().values_list("pk", flat=True))
    news = [
        News(
            user_id=user_id,
            kind=FILE_MISSING.code,
            context={
                "kind": str(one.kind.label),
                "period": period_text(one.period),
                "day": date_format(one.day, "j F Y"),
            },
            dedupe=f"finance-missing:{one.kind}:{one.period}:{user_id}",
        )
        for one in files_missing(clock.local_date(now))
        for user_id in people
    ]
    return notify_each(kind=FILE_MISSING.code, news=news, now=now) if news else 0
