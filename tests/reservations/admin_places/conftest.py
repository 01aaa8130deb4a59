from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from reservations.models import Reservation
from tests.reservations.admin_places.pages import (
    signed_in,
)
from tests.reservations.bookings import book, wish_for


@pytest.fixture
def grounds(make_staff: Callable[[str], User]) -> Client:
    return signed_in(make_staff("Facilities"))


@pytest.fixture
def wait_until(grounds: Client, travel: time_machine.Traveller) -> Callable[[datetime], None]:
    """The clock moves on; sessions last a shift, so the browser signs in again."""

    def wait(instant: datetime) -> None:
        travel.move_to(instant)
        grounds.force_login(User.objects.get(display_name="Test Facilities"))

    return wait


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from ten to eleven."""
    return book(owner, wish_for(court), now=now)


@pytest.fixture
def later(stranger: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from two to three."""
    return book(stranger, wish_for(court, hour=14), now=now)
