"""The table of states, as docs print it, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from reservations.policies.states import COUNTED_WHEN_OVER, DEADLINED, OCCUPYING, TABLE, State, may_move

NEW = "(new)"
# from | by | to. Staff may do for a member what the member may do.
ALLOWED = """
(new)                 member staff          HELD PENDING_APPROVAL PENDING_CONFIRMATION CONFIRMED
HELD                  member staff          PENDING_APPROVAL PENDING_CONFIRMATION CONFIRMED
PENDING_APPROVAL      staff                 PENDING_CONFIRMATION CONFIRMED DENIED
PENDING_CONFIRMATION  member staff          CONFIRMED
HELD                  scheduler booking     EXPIRED
PENDING_APPROVAL      scheduler booking     EXPIRED
PENDING_CONFIRMATION  scheduler booking     EXPIRED
HELD                  member staff          CANCELLED_MEMBER
PENDING_APPROVAL      member staff          CANCELLED_MEMBER
PENDING_CONFIRMATION  member staff          CANCELLED_MEMBER
CONFIRMED             member staff          CANCELLED_MEMBER
HELD                  staff standing        CANCELLED_CLUB
PENDING_APPROVAL      staff standing        CANCELLED_CLUB
PENDING_CONFIRMATION  staff standing        CANCELLED_CLUB
CONFIRMED             staff standing        CANCELLED_CLUB
CONFIRMED             member staff          CHECKED_IN
CONFIRMED             staff scheduler       NO_SHOW
CONFIRMED             staff scheduler       COMPLETED
CHECKED_IN            staff scheduler       COMPLETED
"""
MOVERS = ("member", "staff", "scheduler", "booking", "standing")


def allowed() -> set[tuple[str, str, str]]:
    rows = set()
    for line in ALLOWED.strip().splitlines():
        source, *words = line.split()
        movers = [word for word in words if word in MOVERS]
        targets = [word for word in words if word not in MOVERS]
        rows |= set(product([source], movers, targets))
    return rows


class TestMayMove:
    @pytest.mark.parametrize("mover", MOVERS)
    @pytest.mark.parametrize("target", sorted(State))
    @pytest.mark.parametrize("source", [NEW, *sorted(State)])
    def test_follows_the_table_for_every_pair(self, source: str, target: State, mover: str) -> None:
        state = None if source == NEW else State(source)

        may = may_move(state, target, mover)  # type: ignore[arg-type]  # one of MOVERS

        assert may is ((source, mover, target.value) in allowed())

    def test_nothing_leaves_what_is_over(self) -> None:
        over = set(State) - OCCUPYING

        assert not [row for row in TABLE if row.source in over]

    def test_each_pair_stands_in_the_table_once(self) -> None:
        pairs = [(row.source, row.target) for row in TABLE]

        assert len(pairs) == len(set(pairs))


class TestSets:
    def test_what_occupies_is_what_may_still_happen(self) -> None:
        assert {
            State.HELD,
            State.PENDING_APPROVAL,
            State.PENDING_CONFIRMATION,
            State.CONFIRMED,
            State.CHECKED_IN,
        } == OCCUPYING

    def test_only_what_occupies_has_a_deadline(self) -> None:
        assert DEADLINED < OCCUPYING

    def test_what_counts_when_over_does_not_occupy(self) -> None:
        assert not COUNTED_WHEN_OVER & OCCUPYING
