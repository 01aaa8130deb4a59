"""What cancelling costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reservations.policies.states import State
from reservations.policies.terms import Terms


class Verdict(StrEnum):
    FREE = "free"
    DENIED = "denied"
    STRIKE = "strike"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class CancellationJudgement:
    """``late_since`` is the instant of the cut-off; at the cut-off itself it is still free."""

    verdict: Verdict
    late_since: datetime


def judge_cancellation(
    *, terms: Terms, state: State, starts_at: datetime, now: datetime, waived: bool = False
) -> CancellationJudgement:
    """In time while ``now <= starts_at - cutoff``. What was never confirmed costs nothing.

    ``waived`` is staff's word that the club bears it (weather where the policy exempts it, or grace).
    """
    late_since = starts_at - terms.cancellation_cutoff
    if now <= late_since or state is not State.CONFIRMED or waived:
        return CancellationJudgement(Verdict.FREE, late_since)
    verdicts = {"deny": Verdict.DENIED, "strike": Verdict.STRIKE, "charge": Verdict.CHARGE}
    return CancellationJudgement(verdicts[terms.late_cancel], late_since)
