"""Reservations with all that hangs on them, as the services write them, in a few statements a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction

from accounts.models import Channel, Member, Notification
from bcc.core import clock
from facilities.models import Facility, PolicyVersion, Space
from reservations.models import Participant, Reservation, ReservationEvent, SlotClaim
from reservations.policies.states import State

Row = tuple[Facility, datetime, Member, bool]
CELLS = 4


@lru_cache
def _space_of(facility_id: int) -> int:
    return Space.objects.get(facility_spaces__facility_id=facility_id).pk


@lru_cache
def _version_of(facility_id: int) -> PolicyVersion:
    return PolicyVersion.objects.get(policy__facility_id=facility_id)


def write_reservations(rows: Sequence[Row]) -> None:
    """One hour each: (facility, start, member, whether it is to come and so holds claims)."""
    with transaction.atomic():
        reservations = Reservation.objects.bulk_create(
            [_reservation(facility, at, member, coming) for facility, at, member, coming in rows]
        )
        pairs = list(zip(reservations, rows, strict=True))
        SlotClaim.objects.bulk_create(
            [
                SlotClaim(
                    space_id=_space_of(facility.pk),
                    cell_start=at + cell * timedelta(minutes=15),
                    lane=0,
                    reservation=reservation,
                )
                for reservation, (facility, at, _member, coming) in pairs
                if coming
                for cell in range(CELLS)
            ],
            batch_size=5_000,
        )
        Participant.objects.bulk_create(
            [
                Participant(reservation=reservation, kind=Participant.Kind.MEMBER, member=member, position=0)
                for reservation, (_facility, _at, member, _coming) in pairs
            ]
        )
        ReservationEvent.objects.bulk_create(
            [
                ReservationEvent(
                    reservation=reservation,
                    action=ReservationEvent.Action.CREATED,
                    to_state=State.CONFIRMED,
                    actor_kind="member",
                    actor_name=member.full_name,
                    actor_user_id=member.user_id,
                    at=reservation.created_at,
                )
                for reservation, (_facility, _at, member, _coming) in pairs
            ]
        )
        Notification.objects.bulk_create(
            [
                _notification(reservation, member, channel)
                for reservation, (_facility, _at, member, _coming) in pairs
                for channel in (Channel.IN_APP, Channel.EMAIL)
            ],
            batch_size=5_000,
        )


def _reservation(facility: Facility, at: datetime, member: Member, coming: bool) -> Reservation:
    version = _version_of(facility.pk)
    return Reservation(
        facility=facility,
        member=member,
        membership_id=member.membership_id,
        booked_by_id=member.user_id,
        policy_version=version,
        state=State.CONFIRMED if coming else State.COMPLETED,
        starts_at=at,
        ends_at=at + timedelta(hours=1),
        starts_on=clock.local_date(at),
        party=2,
        buffer_after_minutes=version.buffer_after_minutes,
        notes="Two rackets, please.",
        created_at=at - timedelta(days=70),
        ended_at=None if coming else at + timedelta(hours=1),
    )


def _notification(reservation: Reservation, member: Member, channel: Channel) -> Notification:
    at = reservation.created_at
    return Notification(
        user_id=member.user_id or 0,
        channel=channel,
        kind="reservation_confirmed",
        context={"facility": "Court", "reference": str(reservation.public_id)[:8]},
        link=f"reservations/{reservation.public_id}",
        dedupe_key=f"reservation:{reservation.public_id}:v1:{channel}",
        state=Notification.State.SENT,
        created_at=at,
        send_at=at,
        valid_until=at + timedelta(days=1),
        sent_at=at,
    )
