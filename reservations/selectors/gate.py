"""Who may be let in at the gate on a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from bcc.core import clock
from bcc.core.walltime import day_bounds
from reservations.models import Guest, Participant, Reservation
from reservations.policies.states import OCCUPYING, State


@dataclass(frozen=True, slots=True)
class Expected:
    """A guest of a reservation, or ``unnamed`` places of one that nobody was named for yet."""

    name: str
    unnamed: int
    host: str
    member_no: str
    facility: str
    starts_at: datetime
    ends_at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class GateList:
    """``expected`` come with a reservation, ``sponsored`` may come on any of their days."""

    expected: tuple[Expected, ...]
    sponsored: tuple[Guest, ...]


def gate_list(on: date) -> GateList:
    """The guests of every reservation that reaches into the day, by name, and the sponsored. Two queries."""
    since, _after = day_bounds(on, clock.zone())
    until, _after = day_bounds(on + timedelta(days=1), clock.zone())
    rows = (
        Participant.objects.filter(
            kind__in=(Participant.Kind.GUEST, Participant.Kind.TBD),
            reservation__state__in=[*OCCUPYING, State.COMPLETED],
            reservation__starts_at__lt=until,
            reservation__ends_at__gt=since,
        )
        .select_related("guest", "reservation__facility", "reservation__member")
        .order_by("reservation__starts_at", "reservation_id", "pk")
    )
    named: list[Expected] = []
    unnamed: Counter[int] = Counter()
    bookings: dict[int, Reservation] = {}
    for row in rows:
        bookings[row.reservation_id] = row.reservation
        if row.guest is not None:
            named.append(_expected(row.reservation, name=row.guest.name))
        else:
            unnamed[row.reservation_id] += 1
    named.sort(key=lambda one: one.name.casefold())
    to_be_named = [_expected(bookings[pk], unnamed=count) for pk, count in unnamed.items()]
    sponsored = (
        Guest.objects.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=on),
            Q(valid_until__isnull=True) | Q(valid_until__gte=on),
            guest_class=Guest.GuestClass.SPONSORED,
        )
        .select_related("host")
        .order_by("name", "pk")
    )
    return GateList((*named, *to_be_named), tuple(sponsored))


def _expected(booking: Reservation, *, name: str = "", unnamed: int = 0) -> Expected:
    host = booking.member
    return Expected(
        name=name,
        unnamed=unnamed,
        host=host.full_name if host else "",
        member_no=host.member_no if host else "",
        facility=booking.facility.name,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        reference=str(booking.public_id)[:8],
    )
