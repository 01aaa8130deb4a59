from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from time_machine import Traveller

from accounts.models import Member, User
from facilities.models import Facility
from reservations.models import Reservation
from tests.reservations.bookings import book, wish_for
from tests.reservations.desk import enter


@pytest.fixture
def desk(front_desk: User, travel: Traveller) -> Client:
    return enter(front_desk)


@pytest.fixture
def facilities_staff(make_staff: Callable[[str], User], travel: Traveller) -> Client:
    return enter(make_staff("Facilities"))


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    return book(owner, wish_for(court), now=now)
