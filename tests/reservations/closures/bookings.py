"""What the tests of closures ask of members and bookings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from accounts.models import Member, Notification
from facilities.models import Closure, Facility, OpeningSpan, Space
from reservations.models import Reservation
from reservations.services.booking import Wish
from reservations.services.closures import Decision
from tests.conftest import at_club

KEEP, CANCEL = Decision.KEEP, Decision.CANCEL


def closure_of(
    target: Facility | Space, *, day: int = 2, hours: tuple[int, int] = (8, 18), handling: str = "notify"
) -> Closure:
    return Closure(
        facility=target if isinstance(target, Facility) else None,
        space=target if isinstance(target, Space) else None,
        starts_at=at_club(day, hours[0]),
        ends_at=at_club(day, hours[1]),
        reason="The net is torn.",
        handling=handling,
    )


def told(member: Member) -> list[str]:
    """The kinds of what a member was told, by e-mail."""
    sent = Notification.objects.filter(user=member.user, channel="email").order_by("pk")
    return list(sent.values_list("kind", flat=True))


def state_of(reservation: Reservation) -> str:
    return Reservation.objects.get(pk=reservation.pk).state


def shorten(facility: Facility, *, closes: int) -> Callable[[], None]:
    """What writes other hours: the facility closes at an earlier hour, every day."""

    def apply() -> None:
        OpeningSpan.objects.filter(period__facility=facility).update(closes=time(closes))

    return apply


def wish_of_nights(rooms: Facility, *, first: int, nights: int) -> Wish:
    return Wish(rooms.public_id, at_club(first, 14), at_club(first + nights, 12))
