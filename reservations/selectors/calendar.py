from __future__ import annotations

from datetime import datetime

from django.conf import settings
from icalendar import Calendar, Event

from reservations.models import Reservation


def calendar_of(reservation: Reservation, *, now: datetime) -> bytes:
    """The reservation as an iCalendar file (RFC 5545) with one event; a cancelled one says so."""
    event = Event()
    event.add("uid", f"{reservation.public_id}@{settings.CLUB_NAME.lower().replace(' ', '-')}")
    event.add("dtstamp", now)
    event.add("dtstart", reservation.starts_at)
    event.add("dtend", reservation.ends_at)
    event.add("summary", f"{reservation.facility.name}, {settings.CLUB_NAME}")
    event.add("location", reservation.facility.location or settings.CLUB_NAME)
    event.add("sequence", reservation.version)
    event.add("status", "CONFIRMED" if reservation.occupies else "CANCELLED")
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLUB_NAME}//BCC//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
