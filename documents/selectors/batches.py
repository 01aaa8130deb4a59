"""What is in a batch, counted: how its items ended, and whether that is what Finance says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, Sum

from documents.models import ImportBatch
from documents.policies.batches import ABSENT, UNCOUNTED, Decision, Outcome

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Counts:
    """``total`` items, of which ``counted`` are what Finance counts; ``amount`` is the sum of those.

    ``waiting`` is what a person has to look at, of the ``quarantined``.
    """

    total: int
    counted: int
    open: int
    filed: int
    quarantined: int
    waiting: int
    discarded: int
    duplicate: int
    accepted: int
    reassigned: int
    amount: Decimal

    @property
    def is_reconciled(self) -> bool:
        """Every item stands under exactly one heading."""
        return self.total == self.open + self.filed + self.quarantined + self.duplicate


def counts_of(batch: ImportBatch) -> Counts:
    """One query."""
    counted = ~Q(reason__in=UNCOUNTED) & ~Q(method=ABSENT)
    quarantined = Q(outcome=Outcome.QUARANTINED)
    row = batch.items.aggregate(
        total=Count("pk"),
        counted=Count("pk", filter=counted),
        open=Count("pk", filter=Q(outcome=Outcome.OPEN)),
        filed=Count("pk", filter=Q(outcome=Outcome.FILED)),
        quarantined=Count("pk", filter=quarantined),
        waiting=Count("pk", filter=quarantined & ~Q(decision=Decision.DISCARD)),
        discarded=Count("pk", filter=quarantined & Q(decision=Decision.DISCARD)),
        duplicate=Count("pk", filter=Q(outcome=Outcome.DUPLICATE)),
        accepted=Count("pk", filter=Q(decision=Decision.ACCEPT)),
        reassigned=Count("pk", filter=Q(decision=Decision.REASSIGN)),
        amount=Sum("amount", filter=counted),
    )
    amount = row.pop("amount")
    # SQLite sums in floating point: right to the cent for as long as a double has the digits.
    return Counts(**row, amount=Decimal(amount or 0).quantize(CENT))
