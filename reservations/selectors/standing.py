"""A member's privileges: holds in force, strikes, and what is left of each quota."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from accounts.models import PrivilegeHold
from bcc.core.intervals import Interval
from reservations.models import Strike
from reservations.policies.quotas import amount, in_scope, period_of
from reservations.policies.terms import Counted, QuotaFacts
from reservations.selectors.situation import get_member_and_rules, load_counted

STRIKES_SHOWN_DAYS = 365


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """``used`` and ``limit`` in the unit of ``measure``; ``until`` is the last day of the period."""

    quota: QuotaFacts
    used: int
    until: date | None

    @property
    def left(self) -> int:
        return max(0, self.quota.limit - self.used)


@dataclass(frozen=True, slots=True)
class Privileges:
    standing: str
    can_book: bool
    holds: tuple[PrivilegeHold, ...]
    strikes: tuple[Strike, ...]
    quotas: tuple[QuotaLeft, ...]


def get_privileges(*, member_id: int, now: datetime) -> Privileges:
    """What stands for and against the member now; quotas of the periods that today falls in. Four queries."""
    member, rules = get_member_and_rules(member_id=member_id, now=now)
    today = now.astimezone(rules.zone).date()
    counted = load_counted(rules=rules, member=member, window=Interval(now, now + timedelta(days=1)), now=now)
    quotas = [
        _left(
            quota, [row for row in counted if quota.per_household or row.member_id == member_id], today, now
        )
        for quota in rules.quotas
        if quota.category_id in (None, member.category_id)
        and quota.is_valid_on(today)
        and quota.period != "concurrent"
    ]
    holds = PrivilegeHold.objects.filter(
        member_id=member_id, starts_at__lte=now, until__gt=now, lifted_at=None
    )
    strikes = Strike.objects.filter(
        member_id=member_id, at__gt=now - timedelta(days=STRIKES_SHOWN_DAYS), waived_at=None
    )
    return Privileges(
        standing=member.standing,
        can_book=member.can_book,
        holds=tuple(holds.order_by("until", "pk")),
        strikes=tuple(strikes.select_related("reservation").order_by("-at", "-pk")),
        quotas=tuple(quotas),
    )


def _left(quota: QuotaFacts, rows: list[Counted], today: date, now: datetime) -> QuotaLeft:
    counted = [row for row in rows if in_scope(quota, row)]
    until: date | None = None
    if quota.period == "outstanding":
        chosen = [row for row in counted if row.occupies and row.interval.ends_at > now]
    else:
        first, after = period_of(today, quota.period, settings.CLUB_WEEK_START)
        chosen = [row for row in counted if first <= row.starts_on < after]
        until = after - timedelta(days=1)
    return QuotaLeft(quota, sum(amount(quota, row) for row in chosen), until)
