"""The one table of states that code, documents and tests read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

# "standing" is a household that fell out of good standing, where the policy cancels.
Mover = Literal["member", "staff", "scheduler", "booking", "standing"]


class State(StrEnum):
    HELD = "HELD"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    PENDING_CONFIRMATION = "PENDING_CONFIRMATION"
    CONFIRMED = "CONFIRMED"
    CHECKED_IN = "CHECKED_IN"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    CANCELLED_MEMBER = "CANCELLED_MEMBER"
    CANCELLED_CLUB = "CANCELLED_CLUB"


OCCUPYING = frozenset(
    {State.HELD, State.PENDING_APPROVAL, State.PENDING_CONFIRMATION, State.CONFIRMED, State.CHECKED_IN}
)
DEADLINED = frozenset({State.HELD, State.PENDING_APPROVAL, State.PENDING_CONFIRMATION})
# What a quota counts beside what occupies; a late cancellation that was charged counts too.
COUNTED_WHEN_OVER = frozenset({State.COMPLETED, State.NO_SHOW})


@dataclass(frozen=True, slots=True)
class Transition:
    """A reservation may go from ``source`` (None: it is new) to ``target`` by any of ``movers``."""

    source: State | None
    target: State
    movers: frozenset[Mover]


def _rows(sources: list[State | None], targets: list[State], movers: set[Mover]) -> list[Transition]:
    return [Transition(source, target, frozenset(movers)) for source in sources for target in targets]


CANCELLABLE = frozenset({State.HELD, State.PENDING_APPROVAL, State.PENDING_CONFIRMATION, State.CONFIRMED})
_CANCELLABLE: list[State | None] = [*sorted(CANCELLABLE)]

TABLE: tuple[Transition, ...] = (
    *_rows([None], [State.HELD], {"member", "staff"}),
    *_rows(
        [None, State.HELD],
        [State.PENDING_APPROVAL, State.PENDING_CONFIRMATION, State.CONFIRMED],
        {"member", "staff"},
    ),
    *_rows([State.PENDING_APPROVAL], [State.PENDING_CONFIRMATION, State.CONFIRMED, State.DENIED], {"staff"}),
    *_rows([State.PENDING_CONFIRMATION], [State.CONFIRMED], {"member", "staff"}),
    *_rows(
        [State.HELD, State.PENDING_APPROVAL, State.PENDING_CONFIRMATION],
        [State.EXPIRED],
        {"scheduler", "booking"},
    ),
    *_rows(_CANCELLABLE, [State.CANCELLED_MEMBER], {"member", "staff"}),
    *_rows(_CANCELLABLE, [State.CANCELLED_CLUB], {"staff", "standing"}),
    *_rows([State.CONFIRMED], [State.CHECKED_IN], {"member", "staff"}),
    *_rows([State.CONFIRMED], [State.NO_SHOW], {"staff", "scheduler"}),
    *_rows([State.CONFIRMED, State.CHECKED_IN], [State.COMPLETED], {"staff", "scheduler"}),
)

_MOVERS: dict[tuple[State | None, State], frozenset[Mover]] = {
    (row.source, row.target): row.movers for row in TABLE
}


def may_move(source: State | None, target: State, mover: Mover) -> bool:
    return mover in _MOVERS.get((source, target), frozenset())
