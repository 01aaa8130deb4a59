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

BATCH = 200


@dataclass(slots=True)
class ClaimsAudit:
    """Ids of reservations that hold claims and should not, and that stand and do not hold exactly theirs."""

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
    standing = Reservation.objects.occupying().order_by("pk")
    after = 0
    while batch := list(standing.filter(pk__gt=after)[:BATCH]):
        after = batch[-1].pk
        held = _held([row.pk for row in batch])
        for row in batch:
            spaces = rules.facilities[row.facility_id].spaces
            expected = {
                (space.id, cell): row.lanes
                for space in spaces
                for cell in cells_of(space, row.interval, rules.zone)
            }
            if held[row.pk] != expected:
                audit.missing.append(row.pk)
    return audit


def _held(reservation_ids: list[int]) -> dict[int, dict[tuple[int, datetime], int]]:
    """Of each reservation: how many lanes it holds of each cell of each space."""
    held: dict[int, dict[tuple[int, datetime], int]] = {pk: {} for pk in reservation_ids}
    rows = SlotClaim.objects.filter(reservation_id__in=reservation_ids).order_by()
    counted = rows.values_list("reservation_id", "space_id", "cell_start").annotate(lanes=Count("pk"))
    for pk, space_id, cell, lanes in counted:
        held[pk][space_id, cell] = lanes
    return held


@transactions.writes
def remove_stray_claims(*, reservation_ids: list[int]) -> int:
    """Free what no standing reservation holds; how many claims. What is missing is for people to decide."""
    removed, _by_model = (
        SlotClaim.objects.filter(reservation_id__in=reservation_ids)
        .exclude(reservation__state__in=list(OCCUPYING))
        .delete()
    )
    return removed
