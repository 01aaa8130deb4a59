"""At the venue: check-in, no-show, completion, and the sweeps that do the same by the clock."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import SCHEDULER, Actor
from bcc.core.errors import ConflictError, RuleFailure
from facilities.models import Facility
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.policies.terms import FacilityFacts
from reservations.selectors.rulebook import current_rules
from reservations.services.changes import own_terms
from reservations.services.errors import ReservationMovedOnError, WrongVenueCodeError
from reservations.services.move import locked, move
from reservations.services.strikes import give_strike

BATCH = 200
log = structlog.get_logger(__name__)


def venue_code(facility: Facility | FacilityFacts, on: date) -> str:
    """The four digits that hang at the venue on a day; the Today page shows them."""
    digest = salted_hmac("reservations.venue_code", f"{facility.public_id}:{on}", algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10_000:04d}"


@transactions.writes
def check_in(*, reservation: Reservation, by: Actor, now: datetime, code: str | None = None) -> Reservation:
    """Staff check somebody in; a member does it with the code that hangs at the venue.

    From the policy's minutes before the start until the end. Raises WrongVenueCodeError, and
    ReservationMovedOnError outside of that time or state.
    """
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.state == State.CHECKED_IN:
        return reservation
    expected = venue_code(reservation.facility, reservation.starts_on)
    # As bytes: of texts it takes ASCII only.
    if not by.is_staff and not hmac.compare_digest((code or "").encode(), expected.encode()):
        raise WrongVenueCodeError(
            [
                RuleFailure(
                    WrongVenueCodeError.code, _("This is not the code of the venue. Read it there again.")
                )
            ]
        )
    opens_at = reservation.starts_at - own_terms(reservation, rules).check_in_from
    if reservation.ends_at <= now or (now < opens_at and not by.is_staff):
        raise ReservationMovedOnError(_("Check-in is not open now. It opens shortly before the start."))
    return move(reservation, to=State.CHECKED_IN, by=by, now=now)


@transactions.writes
def mark_no_show(*, reservation: Reservation, by: Actor, now: datetime, reason: str = "") -> Reservation:
    """Nobody came: the place is free again and the member has a strike.

    Staff may say so from the start on, the scheduler when the policy gives it up.
    """
    reservation = locked(reservation, current_rules())
    if by.is_system and not _is_given_up(reservation, now):
        raise ReservationMovedOnError
    if reservation.starts_at > now:
        raise ReservationMovedOnError(_("It has not started yet. Wait until the start."))
    move(reservation, to=State.NO_SHOW, by=by, now=now, reason=reason)
    if reservation.member_id is not None:
        give_strike(reservation=reservation, reason=_("Did not come."), now=now)
    return reservation


@transactions.writes
def complete_reservation(*, reservation: Reservation, by: Actor, now: datetime) -> Reservation:
    """It is over: by itself at the end, by staff earlier."""
    reservation = locked(reservation, current_rules())
    if by.is_system and reservation.ends_at > now:
        # It was moved between the look and the lock.
        raise ReservationMovedOnError
    return move(reservation, to=State.COMPLETED, by=by, now=now)


def mark_no_shows(*, now: datetime, by: Actor = SCHEDULER) -> int:
    """Mark every confirmed booking that its policy gives up by now; how many."""
    return _sweep(find_no_shows(now=now), lambda row: mark_no_show(reservation=row, by=by, now=now))


def find_no_shows(*, now: datetime) -> list[Reservation]:
    """The confirmed bookings that their policies give up by now."""
    rows = (
        Reservation.objects.filter(
            state=State.CONFIRMED,
            starts_at__lte=now,
            policy_version__no_show_after_minutes__isnull=False,
        )
        .select_related("policy_version", "facility", "member")
        .order_by("pk")
    )
    return [row for row in rows.iterator(chunk_size=BATCH) if _is_given_up(row, now)]


def complete_finished(*, now: datetime, by: Actor = SCHEDULER) -> int:
    """Complete what is over: checked in, or confirmed where nobody has to check in; how many."""
    over = Reservation.objects.filter(ends_at__lte=now).order_by("pk")
    finished = [
        *over.filter(state=State.CHECKED_IN),
        *over.filter(state=State.CONFIRMED, policy_version__no_show_after_minutes__isnull=True),
    ]
    return _sweep(finished, lambda row: complete_reservation(reservation=row, by=by, now=now))


def _is_given_up(reservation: Reservation, now: datetime) -> bool:
    """Whether its policy gives it up by now; a policy without check-in never does."""
    version = reservation.policy_version
    if version is None or version.no_show_after_minutes is None:
        return False
    return reservation.starts_at + timedelta(minutes=version.no_show_after_minutes) <= now


def _sweep(rows: list[Reservation], step: Callable[[Reservation], object]) -> int:
    done = 0
    for row in rows:
        try:
            step(row)
            done += 1
        except ConflictError:
            # Staff were faster; what they did stands.
            log.info("sweep_overtaken", reservation=row.pk)
    return done
