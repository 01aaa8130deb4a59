"""The front desk in tests: bookings on Tuesday 2 June, and what the page is sent."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.test import Client

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.intervals import Interval
from facilities.models import Facility, ReservationPolicy
from reservations import services
from reservations.models import (
    Reservation,
    Type,
)
from reservations.selectors.board import Cell
from reservations.selectors.today import Day, get_day
from reservations.services.booking import Wish
from tests.conftest import at_club

PAGE = "/admin/reservations/today/"
TUESDAY = date(2026, 6, 2)
DESK = {"Front Desk", "Facilities"}
STAFF = Actor("staff", "Another Desk")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def book(
    member: Member, facility: Facility, *, day: int = 2, hour: int = 10, hours: int = 1, **more: Any
) -> Reservation:
    starts_at = at_club(day, hour)
    return services.create_reservation(
        wish=Wish(facility.public_id, starts_at, starts_at + timedelta(hours=hours), **more),
        member_id=member.pk,
        membership_id=member.membership_id,
        by=STAFF,
        now=at_club(1, 8),
    )


def stay(member: Member, rooms: Facility, *, day: int, nights: int) -> Reservation:
    return services.create_reservation(
        wish=Wish(rooms.public_id, at_club(day, 14), at_club(day + nights, 12)),
        member_id=member.pk,
        membership_id=member.membership_id,
        by=STAFF,
        now=at_club(1, 8),
    )


def block(facility: Facility, *, day: int = 2, hour: int = 10, minutes: int = 60, **more: Any) -> Reservation:
    starts_at = at_club(day, hour)
    return services.block_facility(
        facility_id=facility.pk,
        interval=Interval(starts_at, starts_at + timedelta(minutes=minutes)),
        type=Type.BLOCKED,
        title="Net repair",
        by=STAFF,
        now=at_club(1, 8),
        **more,
    )


def day_of(now: datetime, on: date = TUESDAY, **more: str) -> Day:
    return get_day(on=on, now=now, **more)


def cells(day: Day, facility: Facility) -> list[Cell]:
    for area in day.areas:
        for board in area.boards:
            for row in board.rows:
                if row.facility.id == facility.pk:
                    return list(row.cells)
    raise AssertionError(f"No row for {facility}")


def kinds(day: Day, facility: Facility) -> dict[str, str]:
    """Start by the club's clock → what is there; of the day itself where a row goes past midnight."""
    found: dict[str, str] = {}
    for cell in cells(day, facility):
        found.setdefault(f"{cell.interval.starts_at + timedelta(hours=8):%H:%M}", cell.kind)
    return found


def policy_of(facility: Facility) -> ReservationPolicy:
    return ReservationPolicy.objects.get(facility=facility)


def page(client: Client, **query: str) -> str:
    response = client.get(PAGE, {"date": "2026-06-02", **query})
    assert response.status_code == 200
    return str(response.content.decode())


def text_of(response: Any) -> str:
    """The page as it is read, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def send(client: Client, do: str, **said: object) -> Any:
    values = {name: str(value) for name, value in said.items() if value is not None}
    return client.post(f"{PAGE}?date=2026-06-02", {"do": do, **values})


def book_at(
    client: Client, facility: Facility, member: str, *, hour: int = 10, slots: int = 1, **more: object
) -> Any:
    said = {
        "facility": facility.public_id,
        "starts_at": at_club(2, hour).isoformat(),
        "once": uuid4(),
        "member": member,
        "slots": slots,
        "party": 1,
    }
    free = {name: more.pop(name) for name in ("find", "take") if name in more}
    return send(client, "book", **{f"book-{name}": value for name, value in {**said, **more}.items()}, **free)


def block_at(client: Client, facility: Facility, **more: object) -> Any:
    said = {
        "facility": facility.public_id,
        "starts_at": at_club(2, 10).isoformat(),
        "once": uuid4(),
        "title": "Net repair",
        "type": "BLOCKED",
        "begins": "10:15",
        "ends": "11:45",
    }
    return send(client, "block", **{f"block-{name}": value for name, value in {**said, **more}.items()})


def act_on(client: Client, row: Reservation, do: str, **more: object) -> Any:
    return send(client, do, **{"booking": row.public_id, "version": row.version, **more})


def state_of(row: Reservation) -> str:
    return Reservation.objects.values_list("state", flat=True).get(pk=row.pk)
