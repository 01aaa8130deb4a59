"""Refusals of reservations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from bcc.core.errors import ConflictError, Ruled, RuleError, RuleFailure, WrongStateError
from reservations.policies.rules import SLOT_TAKEN


class SlotTakenError(Ruled, ConflictError):
    """Somebody else has it, and no rule of the club stood in the way."""

    code = SLOT_TAKEN
    title = _("The time is taken.")
    default_detail = _("This time is taken. Choose another one.")

    def __init__(
        self, rules: Sequence[RuleFailure] = (), *, alternatives: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__()
        self.rules = list(rules)
        self.alternatives = [dict(alternative) for alternative in alternatives]


class TooLateToCancelError(RuleError):
    code = "too_late_to_cancel"


class ReservationMovedOnError(WrongStateError):
    """The state table has no such move."""

    default_detail = _("This is not possible in the reservation's present state. Read it again.")


class WrongVenueCodeError(RuleError):
    code = "wrong_venue_code"


class UndecidedBookingsError(ConflictError):
    """A change of the club would hit bookings that staff have not decided about.

    ``reservations`` are those without a decision, ``hits`` all that it hits, and ``kept`` the keys of
    those that were kept when it was put in force.
    """

    code = "bookings_undecided"
    title = _("Bookings are in the way.")
    default_detail = _("Decide for every booking that this hits whether to keep or to cancel it.")

    def __init__(
        self,
        reservations: Sequence[Any],
        *,
        hits: Sequence[Any] | None = None,
        kept: Collection[int] = (),
    ) -> None:
        super().__init__()
        self.reservations = list(reservations)
        self.hits = self.reservations if hits is None else list(hits)
        self.kept = frozenset(kept)


Refusal = RuleError | SlotTakenError


def refusal(failures: Sequence[RuleFailure]) -> Refusal:
    """A slot that is only taken is a conflict; anything else names every rule that failed."""
    if {failure.code for failure in failures} == {SLOT_TAKEN}:
        return SlotTakenError(failures[:1])
    return RuleError(failures)
