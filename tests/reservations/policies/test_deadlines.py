from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations.policies.deadlines import deadline, entry_state, state_after_approval
from reservations.policies.states import DEADLINED, State
from reservations.policies.terms import Terms
from tests.reservations.policies.asks import HOUR, MINUTE, NOW, SECOND

STARTS = NOW + 26 * HOUR
minutes = st.integers(min_value=1, max_value=3 * 24 * 60)


class TestEntryState:
    @pytest.mark.parametrize(
        ("terms", "state"),
        [
            ({}, State.CONFIRMED),
            ({"hold_minutes": 10}, State.HELD),
            ({"hold_minutes": 10, "approval_required": True}, State.HELD),
            ({"approval_required": True}, State.PENDING_APPROVAL),
            ({"approval_required": True, "confirm_within_minutes": 60}, State.PENDING_APPROVAL),
            ({"confirm_within_minutes": 60}, State.PENDING_CONFIRMATION),
            ({"confirm_before_start_minutes": 0}, State.PENDING_CONFIRMATION),
        ],
        ids=lambda value: "+".join(value) or "nothing" if isinstance(value, dict) else str(value),
    )
    def test_is_what_the_policy_asks_first(self, terms: dict[str, int], state: State) -> None:
        assert entry_state(Terms(**terms), hold=True) is state  # type: ignore[arg-type]  # as parametrised

    def test_leaves_a_hold_for_what_comes_after_it(self) -> None:
        assert entry_state(Terms(hold_minutes=10), hold=False) is State.CONFIRMED
        assert (
            entry_state(Terms(hold_minutes=10, approval_required=True), hold=False) is State.PENDING_APPROVAL
        )

    def test_an_approval_is_followed_by_a_confirmation_where_the_policy_asks_for_one(self) -> None:
        assert state_after_approval(Terms(approval_required=True)) is State.CONFIRMED
        assert (
            state_after_approval(Terms(approval_required=True, confirm_within_minutes=60))
            is State.PENDING_CONFIRMATION
        )


class TestDeadline:
    def test_of_a_hold_is_its_minutes(self) -> None:
        assert deadline(State.HELD, Terms(hold_minutes=10), starts_at=STARTS, now=NOW) == NOW + 10 * MINUTE

    def test_of_an_approval_is_the_clubs_promise(self) -> None:
        terms = Terms(approval_required=True, approval_sla_minutes=90)

        assert deadline(State.PENDING_APPROVAL, terms, starts_at=STARTS, now=NOW) == NOW + 90 * MINUTE

    @pytest.mark.parametrize(
        ("within", "before", "expected"),
        [
            (60, None, NOW + HOUR),
            (None, 120, STARTS - 2 * HOUR),
            (60, 120, NOW + HOUR),
            (25 * 60, 120, STARTS - 2 * HOUR),
            (24 * 60, 120, STARTS - 2 * HOUR),
        ],
    )
    def test_of_a_confirmation_is_the_earlier_of_the_two(
        self, within: int | None, before: int | None, expected: object
    ) -> None:
        terms = Terms(confirm_within_minutes=within, confirm_before_start_minutes=before)

        assert deadline(State.PENDING_CONFIRMATION, terms, starts_at=STARTS, now=NOW) == expected

    def test_a_limit_that_has_passed_before_the_booking_came_is_none(self) -> None:
        """Booked two hours ahead where one confirms three hours ahead: the other limit or the start holds."""
        soon = NOW + 2 * HOUR
        both = Terms(confirm_within_minutes=30, confirm_before_start_minutes=180)
        one = Terms(confirm_before_start_minutes=180)

        assert deadline(State.PENDING_CONFIRMATION, both, starts_at=soon, now=NOW) == NOW + 30 * MINUTE
        assert deadline(State.PENDING_CONFIRMATION, one, starts_at=soon, now=NOW) == soon

    def test_a_limit_that_passes_at_this_instant_has_passed(self) -> None:
        terms = Terms(confirm_before_start_minutes=120)

        ends = [
            deadline(State.PENDING_CONFIRMATION, terms, starts_at=NOW + 2 * HOUR + late, now=NOW)
            for late in (-SECOND, timedelta(0), SECOND)
        ]

        assert ends == [NOW + 2 * HOUR - SECOND, NOW + 2 * HOUR, NOW + SECOND]

    def test_holds_grace_and_never_passes_the_start(self) -> None:
        terms = Terms(hold_minutes=10, expiry_grace_minutes=5)

        assert deadline(State.HELD, terms, starts_at=STARTS, now=NOW) == NOW + 15 * MINUTE
        assert deadline(State.HELD, terms, starts_at=NOW + 12 * MINUTE, now=NOW) == NOW + 12 * MINUTE

    @pytest.mark.parametrize("state", sorted(set(State) - DEADLINED))
    def test_is_none_in_a_state_that_waits_for_nobody(self, state: State) -> None:
        terms = Terms(hold_minutes=10, confirm_within_minutes=10, approval_required=True)

        assert deadline(state, terms, starts_at=STARTS, now=NOW) is None

    @given(
        state=st.sampled_from(sorted(DEADLINED)),
        hold=minutes,
        within=st.none() | minutes,
        before=st.none() | minutes,
        grace=st.integers(min_value=0, max_value=120),
        ahead=minutes,
    )
    def test_is_always_ahead_and_never_after_the_start(
        self, state: State, hold: int, within: int | None, before: int | None, grace: int, ahead: int
    ) -> None:
        starts_at = NOW + ahead * MINUTE
        terms = Terms(
            hold_minutes=hold,
            approval_sla_minutes=hold,
            confirm_within_minutes=within,
            confirm_before_start_minutes=before,
            expiry_grace_minutes=grace,
        )

        found = deadline(state, terms, starts_at=starts_at, now=NOW)

        assert found is not None
        assert NOW < found <= starts_at
