"""How often a member may book, and look."""

from __future__ import annotations

from bcc.core.rest.throttles import UserThrottle


class BookingThrottle(UserThrottle):
    """Whatever takes, moves or gives back a place, and the quote that a booking begins with."""

    scope = "booking"
