"""A facility taken for the club itself."""

from __future__ import annotations

from datetime import datetime

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.intervals import Interval
from facilities.models import Space
from reservations.models import Reservation, ReservationEvent, Type
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.selectors.situation import load_occupancy
from reservations.services.claims import take_claims
from reservations.services.errors import SlotTakenError
from reservations.services.expiry import expire_in_the_way
from reservations.services.move import signal, write_event


@transactions.writes
def block_facility(
    *,
    facility_id: int,
    interval: Interval,
    type: Type,
    title: str,
    by: Actor,
    now: datetime,
    lanes: int | None = None,
    notes: str = "",
) -> Reservation:
    """Take a facility for the club itself (STAFF, BLOCKED, EVENT), at any hour; no quota counts it.

    ``lanes`` of every space; all of them unless said. Raises SlotTakenError where somebody has it.
    """
    rules = current_rules()
    facility = rules.facilities[facility_id]
    space_ids = [space.id for space in facility.spaces]
    transactions.lock_rows(Space, space_ids)
    expire_in_the_way(space_ids=space_ids, interval=interval, membership_id=None, now=now)
    wanted = lanes if lanes is not None else min((space.lanes for space in facility.spaces), default=1)
    reservation = Reservation(
        facility_id=facility.id,
        booked_by_id=by.user_id,
        type=type,
        state=State.CONFIRMED,
        starts_at=interval.starts_at,
        ends_at=interval.ends_at,
        starts_on=interval.starts_at.astimezone(rules.zone).date(),
        lanes=wanted,
        party=0,
        title=title,
        notes=notes,
        created_at=now,
    )
    occupancy = load_occupancy(rules=rules, facilities=[facility], window=interval, now=now)
    if any(occupancy[space_id].lanes_left(interval) < wanted for space_id in space_ids):
        raise SlotTakenError
    reservation.save(force_insert=True)
    take_claims(reservation, facility=facility, interval=interval, lanes=wanted, rules=rules)
    write_event(
        reservation, action=ReservationEvent.Action.CREATED, source=None, by=by, now=now, reason=title
    )
    signal(reservation, now)
    return reservation
