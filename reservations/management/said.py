"""How commands say a reservation: a line that can be looked up and searched for."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import OutputWrapper

from bcc.core import clock
from reservations.models import Reservation


def say(row: Reservation) -> str:
    """Reference, state, place, club time and member number; no name of anybody."""
    starts, ends = (instant.astimezone(clock.zone()) for instant in (row.starts_at, row.ends_at))
    whom = row.member.member_no if row.member is not None else row.title or row.type
    return (
        f"{str(row.public_id)[:8]}  {row.state:<20}  {starts:%Y-%m-%d %H:%M} - {ends:%Y-%m-%d %H:%M}  "
        f"{row.facility.name}  {whom}"
    )


def say_rows(out: OutputWrapper, rows: Iterable[Reservation]) -> int:
    """Write a line for each; how many."""
    count = 0
    for row in rows:
        out.write(say(row))
        count += 1
    return count
