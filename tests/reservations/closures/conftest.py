from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from accounts.models import Member, User
from bcc.core.actors import Actor
from facilities.models import Facility
from reservations.models import Reservation
from tests.reservations.bookings import book, wish_for


@pytest.fixture
def by(make_staff: Callable[[str], User]) -> Actor:
    user = make_staff("Facilities")
    return Actor("staff", str(user), user.pk)


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from ten to eleven."""
    return book(owner, wish_for(court), now=now)


@pytest.fixture
def later(stranger: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from two to three."""
    return book(stranger, wish_for(court, hour=14), now=now)
