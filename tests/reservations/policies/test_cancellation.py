from __future__ import annotations

import pytest

from reservations.policies.cancellation import Verdict, judge_cancellation
from reservations.policies.states import State
from reservations.policies.terms import Terms
from tests.reservations.policies.asks import HOUR, SECOND, local

STARTS = local(2, 10)
CUTOFF = STARTS - 2 * HOUR
COSTS = [("deny", Verdict.DENIED), ("strike", Verdict.STRIKE), ("charge", Verdict.CHARGE)]


class TestJudgeCancellation:
    @pytest.mark.parametrize(("late_cancel", "verdict"), COSTS)
    def test_is_in_time_until_the_cutoff_itself(self, late_cancel: str, verdict: Verdict) -> None:
        terms = Terms(cancellation_cutoff_minutes=120, late_cancel=late_cancel)  # type: ignore[arg-type]  # one of three

        verdicts = [
            judge_cancellation(terms=terms, state=State.CONFIRMED, starts_at=STARTS, now=at).verdict
            for at in (CUTOFF - SECOND, CUTOFF, CUTOFF + SECOND)
        ]

        assert verdicts == [Verdict.FREE, Verdict.FREE, verdict]

    def test_says_since_when_it_is_late(self) -> None:
        terms = Terms(cancellation_cutoff_minutes=120)

        judged = judge_cancellation(terms=terms, state=State.CONFIRMED, starts_at=STARTS, now=CUTOFF + SECOND)

        assert judged.late_since == CUTOFF

    def test_without_a_cutoff_it_is_in_time_until_the_start(self) -> None:
        def verdict_at(at: object) -> Verdict:
            return judge_cancellation(
                terms=Terms(),
                state=State.CONFIRMED,
                starts_at=STARTS,
                now=at,  # type: ignore[arg-type]  # an instant
            ).verdict

        assert (verdict_at(STARTS), verdict_at(STARTS + SECOND)) == (Verdict.FREE, Verdict.DENIED)

    @pytest.mark.parametrize("state", [State.HELD, State.PENDING_APPROVAL, State.PENDING_CONFIRMATION])
    def test_what_was_never_confirmed_costs_nothing(self, state: State) -> None:
        terms = Terms(cancellation_cutoff_minutes=120)

        assert (
            judge_cancellation(terms=terms, state=state, starts_at=STARTS, now=STARTS).verdict is Verdict.FREE
        )

    @pytest.mark.parametrize("late_cancel", [cost[0] for cost in COSTS])
    def test_what_staff_waive_costs_nothing(self, late_cancel: str) -> None:
        terms = Terms(cancellation_cutoff_minutes=120, late_cancel=late_cancel)  # type: ignore[arg-type]  # one of three

        judged = judge_cancellation(
            terms=terms, state=State.CONFIRMED, starts_at=STARTS, now=STARTS - SECOND, waived=True
        )

        assert judged.verdict is Verdict.FREE
