"""Which state a booking enters, and until when it may stay there."""

from __future__ import annotations

from datetime import datetime

from reservations.policies.states import State
from reservations.policies.terms import Terms


def entry_state(terms: Terms, *, hold: bool) -> State:
    """The state of a new booking; ``hold`` False for one that leaves its hold."""
    if hold and terms.hold is not None:
        return State.HELD
    if terms.approval_required:
        return State.PENDING_APPROVAL
    return state_after_approval(terms)


def state_after_approval(terms: Terms) -> State:
    if terms.confirm_within is not None or terms.confirm_before_start is not None:
        return State.PENDING_CONFIRMATION
    return State.CONFIRMED


def deadline(state: State, terms: Terms, *, starts_at: datetime, now: datetime) -> datetime | None:
    """When a booking that enters ``state`` now expires; None where the state has no deadline.

    Never after the start. The policy's grace is part of it. A limit that had passed before the booking
    came is none: who books an hour ahead cannot confirm two hours ahead, and confirms until the start.
    """
    if state is State.HELD and terms.hold is not None:
        limits = [now + terms.hold]
    elif state is State.PENDING_APPROVAL:
        limits = [now + terms.approval_sla]
    elif state is State.PENDING_CONFIRMATION:
        limits = []
        if terms.confirm_within is not None:
            limits.append(now + terms.confirm_within)
        if terms.confirm_before_start is not None:
            limits.append(starts_at - terms.confirm_before_start)
    else:
        return None
    ahead = [limit for limit in limits if limit > now]
    return min(min(ahead, default=starts_at) + terms.expiry_grace, starts_at)
