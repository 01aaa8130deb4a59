"""Who has a statement for a month, and why not: every active membership under exactly one heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from documents.models import Document, DocumentKind, ImportItem, PeriodGap, Publication, StatementSummary
from documents.policies.batches import BatchState, Decision, Outcome
from documents.policies.periods import first_day

COMPLETE: Final = "complete"
EXPLAINED: Final = "explained"
WITHDRAWN: Final = "withdrawn"
QUARANTINED: Final = "quarantined"
MISSING: Final = "missing"
HEADINGS: Final[Mapping[str, str | Promise]] = {
    COMPLETE: _("have their statement"),
    EXPLAINED: _("have none, and somebody said why"),
    WITHDRAWN: _("had one that was withdrawn"),
    QUARANTINED: _("wait in quarantine"),
    MISSING: _("are in no batch, and nobody said why"),
}
# These keep a period open: what the rows tell is where to look, and what a person says is why.
UNEXPLAINED: Final = (WITHDRAWN, QUARANTINED, MISSING)


@dataclass(frozen=True, slots=True)
class Completeness:
    """``counts`` by heading, which add up to the ``active`` memberships."""

    period: str
    active: int
    counts: Mapping[str, int]

    @property
    def unexplained(self) -> int:
        return sum(self.counts[heading] for heading in UNEXPLAINED)

    @property
    def adds_up(self) -> bool:
        return sum(self.counts.values()) == self.active


def active_in(period: str) -> QuerySet[Membership]:
    """The memberships that had not ended when the month began."""
    lasting = Q(valid_to__isnull=True) | Q(valid_to__gte=first_day(period))
    return Membership.objects.filter(lasting)


def completeness_of(period: str) -> Completeness:
    """Two queries, whatever the number of memberships."""
    rows = _headed(period).values("heading").annotate(count=Count("pk")).values_list("heading", "count")
    counts = dict.fromkeys(HEADINGS, 0) | dict(rows)
    return Completeness(period, active_in(period).count(), counts)


def gaps_of(period: str) -> QuerySet[Any]:
    """The active memberships with a ``heading`` each, by account number."""
    return _headed(period).order_by("account_no", "pk")


def _headed(period: str) -> QuerySet[Any]:
    """The first that holds counts: what is published goes before what anybody said."""
    mine = OuterRef("pk")
    statements = Document.objects.filter(membership=mine, kind=DocumentKind.STATEMENT, period=period)
    sums = StatementSummary.objects.filter(membership=mine, period=period)
    waiting = ImportItem.objects.filter(
        membership=mine,
        outcome=Outcome.QUARANTINED,
        batch__period=period,
        batch__state__in=[
            str(state)
            for state in (BatchState.REVIEW, BatchState.APPROVED, BatchState.PUBLISHING, BatchState.PUBLISHED)
        ],
    ).exclude(decision=Decision.DISCARD)
    has_one = Exists(statements.filter(state=Publication.PUBLISHED)) | Exists(
        sums.filter(state=Publication.PUBLISHED)
    )
    had_one = Exists(statements.filter(state=Publication.WITHDRAWN)) | Exists(
        sums.filter(state=Publication.WITHDRAWN)
    )
    return active_in(period).annotate(
        heading=Case(
            When(has_one, then=Value(COMPLETE)),
            When(
                Exists(PeriodGap.objects.filter(membership=mine, period__period=period)),
                then=Value(EXPLAINED),
            ),
            When(Exists(waiting), then=Value(QUARANTINED)),
            When(had_one, then=Value(WITHDRAWN)),
            default=Value(MISSING),
            output_field=CharField(),
        )
    )
