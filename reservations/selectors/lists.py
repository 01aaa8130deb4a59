"""Lists of reservations as members and the desk read them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Prefetch

from accounts.models import Member
from reservations.models import Participant, Reservation
from reservations.models.reservation import ReservationQuerySet


def reservations_seen_by(member: Member) -> ReservationQuerySet:
    """What the member may see, with facility, member and terms in the same query."""
    return Reservation.objects.visible_to(member).with_details()


def with_people(rows: ReservationQuerySet) -> ReservationQuerySet:
    """With the party, in one more query."""
    party = Participant.objects.select_related("member", "guest").order_by("position", "pk")
    return rows.prefetch_related(Prefetch("participants", queryset=party))


def list_reservations(
    *, member: Member, when: str | None, state: str | None, now: datetime
) -> ReservationQuerySet:
    """The member's list; ``when`` is upcoming, past or None for all, ``state`` one state or None."""
    rows = reservations_seen_by(member)
    if when == "upcoming":
        rows = rows.upcoming(now)
    elif when == "past":
        rows = rows.past(now)
    return rows.filter(state=state) if state else rows
