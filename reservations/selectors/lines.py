"""Reservations as plain values in the order of the contract: what the serializers show, without rows.

``ReservationSerializer`` and ``ReservationDetailSerializer`` are the contract; a test holds these to
them, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from reservations.models import Participant, Reservation
from reservations.policies.states import OCCUPYING
from reservations.policies.terms import FacilityFacts, MemberFacts, Terms

# What a line is read from, in this order.
COLUMNS: Final = (
    "public_id",
    "facility__public_id",
    "facility__name",
    "facility__kind",
    "member__public_id",
    "member__member_no",
    "member__first_name",
    "member__last_name",
    "type",
    "state",
    "starts_at",
    "ends_at",
    "expires_at",
    "party",
    "guest_count",
    "nights",
    "room_no",
    "notes",
    "reschedules",
    "version",
    "created_at",
)

Line = dict[str, Any]


def line_of(row: tuple[Any, ...]) -> Line:
    """A line from the values of ``COLUMNS``; more that follow are not looked at."""
    public_id = row[0]
    return {
        "id": public_id,
        "reference": str(public_id)[:8],
        "facility": {"id": row[1], "name": row[2], "kind": row[3]},
        "member": None
        if row[4] is None
        else {"id": row[4], "member_no": row[5], "name": f"{row[6]} {row[7]}".strip()},
        "type": row[8],
        "state": row[9],
        "starts_at": row[10],
        "ends_at": row[11],
        "expires_at": row[12],
        "party": row[13],
        "guests": row[14],
        "nights": row[15],
        "room_no": row[16],
        "notes": row[17],
        "reschedules": row[18],
        "version": row[19],
        "created_at": row[20],
    }


def detail_of(
    reservation: Reservation,
    *,
    facility: FacilityFacts,
    member: MemberFacts,
    terms: Terms,
    people: Iterable[tuple[Participant.Kind, UUID | None, str]],
) -> Line:
    """The whole of a reservation of ``member``, from what the booking knows; ``people`` with the member."""
    free_until: datetime | None = None
    if reservation.state in OCCUPYING:
        free_until = reservation.starts_at - timedelta(minutes=terms.cancellation_cutoff_minutes)
    return {
        "id": reservation.public_id,
        "reference": str(reservation.public_id)[:8],
        "facility": {"id": facility.public_id, "name": facility.name, "kind": facility.kind},
        "member": {"id": member.public_id, "member_no": member.member_no, "name": member.name},
        "type": str(reservation.type),
        "state": str(reservation.state),
        "starts_at": reservation.starts_at,
        "ends_at": reservation.ends_at,
        "expires_at": reservation.expires_at,
        "party": reservation.party,
        "guests": reservation.guest_count,
        "nights": reservation.nights,
        "room_no": reservation.room_no,
        "notes": reservation.notes,
        "reschedules": reservation.reschedules,
        "version": reservation.version,
        "created_at": reservation.created_at,
        "participants": [{"kind": str(kind), "id": pk, "name": name} for kind, pk, name in people],
        "cancel_free_until": free_until,
    }
