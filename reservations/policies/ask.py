"""One wish to book, with everything the rules need to judge it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bcc.core.intervals import Interval
from reservations.policies.occupancy import Occupancy
from reservations.policies.terms import Counted, FacilityFacts, GuestVisit, MemberFacts, QuotaFacts, Terms


@dataclass(frozen=True, slots=True)
class Ask:
    """``counted`` is what the household has; ``occupancy`` what is taken around the interval.

    ``reschedules`` is how often it was moved already, None for a new booking. ``unnamed`` are the
    places still to be named; ``names_given`` is whether the party is known by name: availability and
    an open quote ask before that.
    """

    now: datetime
    zone: ZoneInfo
    week_start: int
    facility: FacilityFacts
    terms: Terms
    interval: Interval
    starts_on: date
    party: int
    occupancy: Occupancy
    open_on: Callable[[date], list[Interval]]
    member: MemberFacts
    quotas: tuple[QuotaFacts, ...] = ()
    counted: tuple[Counted, ...] = ()
    is_prime: bool = False
    guests: tuple[GuestVisit, ...] = ()
    unnamed: int = 0
    names_given: bool = False
    reschedules: int | None = None
    nights: int = 0

    @property
    def guest_count(self) -> int:
        return len(self.guests)
