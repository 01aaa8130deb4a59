"""What becomes of coming bookings when a household falls out of good standing."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import STANDING
from bcc.core.errors import ConflictError
from reservations.models import Reservation, ReservationEvent
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.cancel import cancel_by_club
from reservations.services.changes import own_terms
from reservations.services.move import announce, change, locked, write_event

BATCH = 100
log = structlog.get_logger(__name__)


def apply_standings(*, now: datetime, membership_id: int | None = None) -> int:
    """Flag or cancel what each booking's own policy says, each in its own transaction; how many.

    Of one household, or of every one whose standing turned bad. Idempotent: the step that was taken
    stands in the history, so a missed signal, a second run or a second scheduler changes nothing.
    """
    hit = Reservation.objects.hit_by_standing(now)
    if membership_id is not None:
        hit = hit.filter(membership_id=membership_id)
    taken = after = 0
    while True:
        batch = list(hit.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
        for pk in batch:
            taken += _apply_one(pk=pk, now=now)
        if len(batch) < BATCH:
            return taken
        after = batch[-1]


def _apply_one(*, pk: int, now: datetime) -> bool:
    try:
        return apply_standing(pk=pk, now=now)
    except ConflictError:
        # The member or staff changed it between the look and the lock; the next look decides anew.
        log.info("standing_overtaken", reservation=pk)
        return False


@transactions.writes
def apply_standing(*, pk: int, now: datetime) -> bool:
    """Take the step that the policy asks for with one booking, and tell its member once.

    False when it is not hit any more: the household settled its account, or the booking is over.
    """
    rules = current_rules()
    reservation = locked(Reservation.objects.get(pk=pk), rules)
    # Looked at again under the household's lock, which a change of its standing takes too.
    if not Reservation.objects.hit_by_standing(now).filter(pk=pk).exists():
        return False
    reason = _("The membership is not in good standing. Settle the account with Finance first.")
    if own_terms(reservation, rules).on_bad_standing == "cancel":
        cancel_by_club(reservation=reservation, by=STANDING, reason=reason, now=now)
        return True
    change(reservation, now=now, values={"needs_attention": True})
    write_event(
        reservation,
        action=ReservationEvent.Action.FLAGGED,
        source=State(reservation.state),
        by=STANDING,
        now=now,
        reason=reason,
    )
    announce(reservation, kind="reservation_kept", now=now, reason=reason)
    return True
