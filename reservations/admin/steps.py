"""What staff may do with a reservation, as a table: which button, in which state, by whose right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reservations.models import Reservation
from reservations.policies.states import CANCELLABLE, DEADLINED, OCCUPYING, State

DESK: Final = "reservations.work_the_desk"
FOR_MEMBERS: Final = "reservations.book_for_members"
WAIVE: Final = "reservations.waive_cost"

Needs = Callable[[Reservation, datetime], bool]


def _always(reservation: Reservation, now: datetime) -> bool:
    return True


def _has_member(reservation: Reservation, now: datetime) -> bool:
    return reservation.member_id is not None


def _may_be_over(reservation: Reservation, now: datetime) -> bool:
    """Who had to check in has; where nobody has to, it has begun."""
    version = reservation.policy_version
    must_check_in = version is not None and version.no_show_after_minutes is not None
    return reservation.state == State.CHECKED_IN or (not must_check_in and reservation.starts_at <= now)


@dataclass(frozen=True, slots=True)
class Step:
    """``how``: pressed, asked for a reason, or a page with a form. ``needs`` is what beside the state."""

    name: str
    label: str | Promise
    permission: str
    sources: frozenset[State]
    how: Literal["press", "reason", "form"]
    question: str | Promise = ""
    is_hard: bool = False
    needs: Needs = _always

    def is_offered(self, reservation: Reservation, now: datetime) -> bool:
        """Whether the button makes sense; the service has the last word."""
        return reservation.state in self.sources and self.needs(reservation, now)


STEPS: Final[tuple[Step, ...]] = (
    Step(
        "approve",
        _("Approve"),
        DESK,
        frozenset({State.PENDING_APPROVAL}),
        "reason",
        _("Approve this request? The member is told."),
    ),
    Step(
        "deny",
        _("Deny"),
        DESK,
        frozenset({State.PENDING_APPROVAL}),
        "reason",
        _("Deny this request? The place is free again, and the member reads your reason."),
        is_hard=True,
    ),
    Step(
        "confirm",
        _("Confirm for the member"),
        FOR_MEMBERS,
        frozenset({State.HELD, State.PENDING_CONFIRMATION}),
        "press",
    ),
    Step(
        "check-in",
        _("Check in"),
        DESK,
        frozenset({State.CONFIRMED}),
        "press",
        needs=lambda reservation, now: _has_member(reservation, now) and now < reservation.ends_at,
    ),
    Step(
        "complete",
        _("Complete"),
        DESK,
        frozenset({State.CHECKED_IN, State.CONFIRMED}),
        "press",
        needs=_may_be_over,
    ),
    Step(
        "room",
        _("Assign a room"),
        DESK,
        OCCUPYING,
        "form",
        needs=lambda reservation, now: reservation.nights > 0,
    ),
    Step(
        "reschedule",
        _("Move to another time"),
        FOR_MEMBERS,
        DEADLINED | {State.CONFIRMED},
        "form",
        needs=_has_member,
    ),
    Step(
        "attention",
        _("Looked after"),
        DESK,
        frozenset(State),
        "reason",
        _("Take the flag off? Say what was done."),
        needs=lambda reservation, now: reservation.needs_attention,
    ),
    Step(
        "no-show",
        _("No-show"),
        DESK,
        frozenset({State.CONFIRMED}),
        "reason",
        _("Nobody came? The place is free again, and the member has a strike."),
        is_hard=True,
        needs=lambda reservation, now: _has_member(reservation, now) and reservation.starts_at <= now,
    ),
    Step(
        "cancel-for-member",
        _("Cancel for the member"),
        FOR_MEMBERS,
        CANCELLABLE,
        "form",
        is_hard=True,
        needs=_has_member,
    ),
    Step(
        "cancel",
        _("Cancel by the club"),
        DESK,
        CANCELLABLE,
        "reason",
        _("Cancel this for the club? It costs the member nothing, and they read your reason."),
        is_hard=True,
    ),
)
BY_NAME: Final = {step.name: step for step in STEPS}
