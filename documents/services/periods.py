"""A month is closed when every membership has its statement or a reason; closed, it takes no batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Membership
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError
from documents.models import GapReason, ImportBatch, Period, PeriodGap
from documents.selectors.completeness import completeness_of
from documents.services.batches.errors import (
    BatchesInHandError,
    PeriodClosedError,
    PeriodIncompleteError,
    PeriodOpenError,
)


def _locked(period: Period) -> Period:
    transactions.lock_rows(Period, [period.pk])
    return Period.objects.get(pk=period.pk)


@transactions.writes
def explain_gaps(
    *,
    period: Period,
    memberships: Sequence[Membership],
    reason: str,
    note: str,
    by: Actor,
    now: datetime,
) -> int:
    """Say why memberships have no statement in a month; a second word takes the place of the first.

    Raises PeriodClosedError, and InvalidError for a reason that is none, or “another” without a note.
    """
    if _locked(period).is_closed:
        raise PeriodClosedError
    if reason not in GapReason.values:
        raise InvalidError(errors={"reason": [("unknown", _("Choose a reason of the list."))]})
    if reason == GapReason.OTHER and not note.strip():
        raise InvalidError(errors={"note": [("blank", _("Say what the other reason is."))]})
    if by.user_id is None:
        raise ValueError("A person explains a gap.")
    ids = [one.pk for one in memberships]
    PeriodGap.objects.filter(period=period, membership_id__in=ids).delete()
    PeriodGap.objects.bulk_create(
        PeriodGap(
            period=period,
            membership_id=pk,
            reason=reason,
            note=note.strip()[:300],
            explained_by_id=by.user_id,
            explained_at=now,
        )
        for pk in ids
    )
    return len(ids)


@transactions.writes
def close_period(*, period: Period, by: Actor, now: datetime) -> Period:
    """No batch is published into it any more, and none is rolled back.

    Raises PeriodIncompleteError while a gap has no explanation, BatchesInHandError while a batch of the
    month is on its way, PeriodClosedError when somebody was first.
    """
    period = _locked(period)
    if period.is_closed:
        raise PeriodClosedError(_("This period is closed already."))
    on_the_way = ImportBatch.objects.in_hand().filter(period=period.period).count()
    if on_the_way:
        raise BatchesInHandError
    found = completeness_of(period.period)
    if found.unexplained:
        said = _("%(count)d memberships have neither a statement nor a reason. Explain each gap first.")
        raise PeriodIncompleteError(said % {"count": found.unexplained}, missing=found.unexplained)
    period.closed_at, period.closed_by_id = now, by.user_id
    period.save(update_fields=["closed_at", "closed_by"])
    return period


@transactions.writes
def reopen_period(*, period: Period, by: Actor) -> Period:
    """Batches may be published into it again. Who closed and opened it stands in the audit log."""
    period = _locked(period)
    if not period.is_closed:
        raise PeriodOpenError
    period.closed_at, period.closed_by = None, None
    period.save(update_fields=["closed_at", "closed_by"])
    return period
