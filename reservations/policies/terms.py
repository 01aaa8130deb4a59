"""What the rules read: plain values, copied from rows by the rulebook. No ORM, no clock, no settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from bcc.core.intervals import Interval
from facilities.policies.bindings import most_specific
from facilities.policies.hours import Band, Period
from facilities.policies.terms import Terms as ClubTerms

MEMBER_CLASS: Final = "member"
ACCOMPANIED_CLASS: Final = "accompanied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(ClubTerms):
    """The terms of one version of a policy, with durations as the rules compute with them."""

    version_id: int = 0
    name: str = ""

    @property
    def slot(self) -> timedelta:
        return timedelta(minutes=self.slot_minutes)

    @property
    def min_notice(self) -> timedelta:
        return timedelta(minutes=self.min_notice_minutes)

    @property
    def buffer_before(self) -> timedelta:
        return timedelta(minutes=self.buffer_before_minutes)

    @property
    def buffer_after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    @property
    def hold(self) -> timedelta | None:
        return _minutes(self.hold_minutes)

    @property
    def approval_sla(self) -> timedelta:
        return timedelta(minutes=self.approval_sla_minutes)

    @property
    def confirm_within(self) -> timedelta | None:
        return _minutes(self.confirm_within_minutes)

    @property
    def confirm_before_start(self) -> timedelta | None:
        return _minutes(self.confirm_before_start_minutes)

    @property
    def expiry_grace(self) -> timedelta:
        return timedelta(minutes=self.expiry_grace_minutes)

    @property
    def cancellation_cutoff(self) -> timedelta:
        return timedelta(minutes=self.cancellation_cutoff_minutes)

    @property
    def check_in_from(self) -> timedelta:
        return timedelta(minutes=self.check_in_from_minutes)

    @property
    def rebook_lockout(self) -> timedelta:
        return timedelta(minutes=self.rebook_lockout_minutes)


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)


@dataclass(frozen=True, slots=True)
class BoundTerms:
    """Terms with what they are bound to; the most specific that is valid on the day wins."""

    terms: Terms
    facility_id: int | None = None
    kind: str = ""
    category_id: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """``grid`` is minutes of a cell, or 0 for one cell a night."""

    id: int
    grid: int
    lanes: int
    check_in_at: time = time(14)
    check_out_at: time = time(12)


@dataclass(frozen=True, slots=True)
class ClosureFacts:
    interval: Interval
    reason: str


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    id: int
    public_id: UUID
    name: str
    kind: str
    takes_per_person: bool
    spaces: tuple[SpaceFacts, ...]
    periods: tuple[Period, ...] = ()
    closures: tuple[ClosureFacts, ...] = ()
    prime_bands: tuple[Band, ...] = ()
    bound_terms: tuple[BoundTerms, ...] = ()
    rates: tuple[RateFacts, ...] = ()
    is_published: bool = True
    shown_from: datetime | None = None
    shown_until: datetime | None = None

    def is_shown(self, at: datetime) -> bool:
        """Published, and inside the schedule of its publication."""
        return (
            self.is_published
            and (self.shown_from is None or self.shown_from <= at)
            and (self.shown_until is None or at < self.shown_until)
        )

    @property
    def is_nightly(self) -> bool:
        return bool(self.spaces) and self.spaces[0].grid == 0

    def lanes_for(self, party: int) -> int:
        """Lanes that a party takes of every cell of every space."""
        return party if self.takes_per_person else 1

    def terms_on(self, on: date, category_id: int | None) -> Terms | None:
        """The terms for a category on a day; None where the facility cannot be booked then."""
        bound = most_specific(
            self.bound_terms, facility_id=self.id, kind=self.kind, category_id=category_id, on=on
        )
        return None if bound is None else bound.terms


@dataclass(frozen=True, slots=True)
class RateFacts:
    """A price; ``unit`` is slot, night or head, ``guest_class`` member, accompanied or sponsored."""

    unit: str
    amount: Decimal
    guest_class: str = MEMBER_CLASS
    category_id: int | None = None
    prime_time_only: bool = False
    valid_from: date | None = None
    valid_until: date | None = None

    def is_valid_on(self, on: date) -> bool:
        return _is_valid(on, self.valid_from, self.valid_until)


def _is_valid(on: date, first: date | None, last: date | None) -> bool:
    return (first is None or on >= first) and (last is None or on <= last)


@dataclass(frozen=True, slots=True)
class QuotaFacts:
    """At most ``limit`` of ``measure`` in ``period`` for a member or a household, in a scope."""

    id: int
    name: str
    measure: str
    period: str
    per_household: bool
    limit: int
    facility_id: int | None = None
    kind: str = ""
    prime_time_only: bool = False
    category_id: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def is_valid_on(self, on: date) -> bool:
        return _is_valid(on, self.valid_from, self.valid_until)


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """The member a booking is for, as they stand now."""

    member_id: int
    membership_id: int
    category_id: int
    standing: str
    can_book: bool = True
    birth_date: date | None = None
    valid_to: date | None = None
    hold_until: datetime | None = None
    hold_reason: str = ""
    user_id: int | None = None
    user_public_id: UUID | None = None
    name: str = ""
    public_id: UUID | None = None
    member_no: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A reservation of the household as quotas see it; ``occupies`` is of its state now."""

    reservation_id: int
    member_id: int
    facility_id: int
    kind: str
    interval: Interval
    starts_on: date
    nights: int
    guests: int
    occupies: bool
    is_prime: bool
    counts: bool = True
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GuestVisit:
    """A guest of the party, with how often they come in the policy's days around; no id before the first."""

    name: str
    visits: int = 0
    guest_class: str = ACCOMPANIED_CLASS
    valid_from: date | None = None
    valid_until: date | None = None
    guest_id: int | None = None
