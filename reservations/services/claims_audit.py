"""Claims against states: a reservation holds its claims if and only if its state occupies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count

from bcc.core import transactions
from reservations.models import Reservation, SlotClaim
from reservations.policies.cells import cells_of
from reservations.policies.states import OCCUPYING
from reservations.selectors.rulebook import current_rules


@dataclass(slots=True)
class ClaimsAudit:
    """Ids of reservations that hold claims and should not, and that should and do not hold all of theirs."""

    stray: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.stray and not self.missing


def check_claims(*, now: datetime) -> ClaimsAudit:
    """Compare every claim with the state of its reservation, and every coming booking with its cells."""
    rules = current_rules()
    audit = ClaimsAudit()
    audit.stray = list(
        SlotClaim.objects.exclude(reservation__state__in=list(OCCUPYING))
        .order_by("reservation_id")
        .values_list("reservation_id", flat=True)
        .distinct()
    )
    held = dict(
        SlotClaim.objects.order_by()
        .values_list("reservation_id")
        .annotate(count=Count("pk"))
        .values_list("reservation_id", "count")
    )
    for row in Reservation.objects.occupying().order_by("pk").iterator(chunk_size=500):
        facility = rules.facilities[row.facility_id]
        expected = (
            sum(len(cells_of(space, row.interval, rules.zone)) for space in facility.spaces) * row.lanes
        )
        if held.get(row.pk, 0) != expected:
            audit.missing.append(row.pk)
    return audit


@transactions.writes
def remove_stray_claims(*, reservation_ids: list[int]) -> int:
    """Free what no standing reservation holds; how many claims. What is missing is for people to decide."""
    removed, _by_model = (
        SlotClaim.objects.filter(reservation_id__in=reservation_ids)
        .exclude(reservation__state__in=list(OCCUPYING))
        .delete()
    )
    return removed
