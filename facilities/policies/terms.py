"""The terms of a policy version and of a quota rule as plain values.

Field by field what the models keep; rules and texts read these, so that neither needs a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Literal

LateCancelling = Literal["deny", "strike", "charge"]
OnBadStanding = Literal["keep", "flag", "cancel"]
Measure = Literal["count", "minutes", "nights", "guests"]
QuotaPeriod = Literal["day", "week", "month", "year", "outstanding", "concurrent"]
Per = Literal["member", "household"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Durations are whole minutes unless the name says days. A None means: no such limit or step."""

    open_days_ahead: int = 7
    release_time: time = time(7)
    min_notice_minutes: int = 0
    min_notice_days: int = 0
    slot_minutes: int = 60
    min_slots: int = 1
    max_slots: int = 1
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    party_min: int = 1
    party_max: int = 4
    guests_max: int | None = None
    guest_names_required: bool = False
    same_guest_limit: int | None = None
    same_guest_days: int = 30
    hold_minutes: int | None = None
    approval_required: bool = False
    approval_sla_minutes: int = 24 * 60
    confirm_within_minutes: int | None = None
    confirm_before_start_minutes: int | None = None
    reminder_before_deadline_minutes: int | None = None
    reminder_before_start_minutes: int | None = None
    expiry_grace_minutes: int = 0
    cancellation_cutoff_minutes: int = 0
    late_cancel: LateCancelling = "deny"
    late_cancel_charge: Decimal = Decimal(0)
    reschedule_limit: int = 2
    check_in_from_minutes: int = 30
    no_show_after_minutes: int | None = None
    weather_exempt: bool = False
    rebook_lockout_minutes: int = 0
    waitlist_max: int = 0
    waitlist_offer_minutes: int = 30
    requires_good_standing: bool = True
    on_bad_standing: OnBadStanding = "keep"
    min_age: int | None = None
    recurrence_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most ``limit`` of ``measure`` in ``period`` for each ``per``; ``scope`` is a name, "" everything."""

    measure: Measure
    period: QuotaPeriod
    per: Per
    limit: int
    prime_time_only: bool = False
    scope: str = ""
