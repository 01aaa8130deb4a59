"""Bookings as members and staff make them, and what must hold whatever they did."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.errors import RuleError
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation
from reservations.services.booking import Wish
from reservations.services.claims_audit import check_claims
from tests.conftest import at_club
from tests.live.audit import CHECKS

STAFF = Actor("staff", "Test Front Desk")


def actor_of(member: Member) -> Actor:
    return Actor("member", member.full_name, member.user_id, member.pk)


def wish_for(facility: Facility, *, day: int = 2, hour: int = 10, slots: int = 1, **more: object) -> Wish:
    starts_at = at_club(day, hour)
    return Wish(facility.public_id, starts_at, starts_at + timedelta(hours=slots), **more)  # type: ignore[arg-type]  # as given


def book(member: Member, wish: Wish, *, now: datetime) -> Reservation:
    return services.create_reservation(
        wish=wish, member_id=member.pk, membership_id=member.membership_id, by=actor_of(member), now=now
    )


def codes(refused: pytest.ExceptionInfo[RuleError]) -> set[str]:
    return {rule.code for rule in refused.value.rules}


def by_staff(user: User) -> Actor:
    return Actor("staff", user.display_name, user.pk)


def last_event(reservation: Reservation) -> tuple[str, str, str]:
    """What happened last: the action, the state it led to, and who did it."""
    event = reservation.events.order_by("-pk").first()
    assert event is not None
    return event.action, event.to_state, event.actor_name


def assert_sound(now: datetime) -> None:
    """The audit of the live tests, in SQL of its own, and the club's audit find nothing."""
    with connection.cursor() as cursor:
        for name, query in CHECKS.items():
            cursor.execute(query)
            assert cursor.fetchall() == [], name
    assert check_claims(now=now).is_clean
