"""Counting against quotas."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from reservations.policies.ask import Ask
from reservations.policies.terms import Counted, QuotaFacts


def period_of(on: date, period: str, week_start: int) -> tuple[date, date]:
    """First day of the period that ``on`` falls in, and first day of the next."""
    if period == "day":
        return on, on + timedelta(days=1)
    if period == "week":
        first = on - timedelta(days=(on.weekday() - week_start) % 7)
        return first, first + timedelta(days=7)
    if period == "month":
        first = on.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    if period == "year":
        return on.replace(month=1, day=1), on.replace(year=on.year + 1, month=1, day=1)
    raise ValueError(period)


def applies(quota: QuotaFacts, ask: Ask) -> bool:
    """Whether the quota speaks about this wish at all."""
    return (
        quota.facility_id in (None, ask.facility.id)
        and quota.kind in ("", ask.facility.kind)
        and quota.category_id in (None, ask.member.category_id)
        and (ask.is_prime or not quota.prime_time_only)
        and quota.is_valid_on(ask.starts_on)
    )


def count(quota: QuotaFacts, ask: Ask) -> int:
    """How much of the quota is used, without the wish itself; in the quota's own unit."""
    return sum(amount(quota, row) for row in _rows(quota, ask))


def wanted(quota: QuotaFacts, ask: Ask) -> int:
    """How much the wish itself would use."""
    if quota.measure == "minutes":
        return ask.interval.minutes
    if quota.measure == "nights":
        return ask.nights
    if quota.measure == "guests":
        return ask.guest_count
    return 1


class Ledger:
    """The quotas that may speak about one facility, each with what counts for it; for many wishes."""

    def __init__(self, ask: Ask) -> None:
        """``ask`` is any wish of the member at the facility: its hour is not looked at."""
        self._accounts = [
            (
                quota,
                [
                    row
                    for row in ask.counted
                    if in_scope(quota, row) and (quota.per_household or row.member_id == ask.member.member_id)
                ],
            )
            for quota in ask.quotas
            if quota.facility_id in (None, ask.facility.id)
            and quota.kind in ("", ask.facility.kind)
            and quota.category_id in (None, ask.member.category_id)
        ]

    @property
    def reads_the_hour(self) -> bool:
        """Whether what a quota says of a wish depends on its hour, and not on its day alone."""
        return any(quota.period == "concurrent" for quota, _rows in self._accounts)

    def may_refuse(self, ask: Ask) -> bool:
        """Whether a quota could refuse some wish like this one at another hour of its day.

        False is a promise for every wish of the same day, length, party and prime time; what is at the
        same time is counted as if all of it were.
        """
        for quota, rows in self._accounts:
            amount_wanted = wanted(quota, ask)
            if not amount_wanted or not applies(quota, ask):
                continue
            concurrent = quota.period == "concurrent"
            used = sum(
                amount(quota, row)
                for row in rows
                if (row.occupies if concurrent else _falls_in(quota, ask, row))
            )
            if used + amount_wanted > quota.limit:
                return True
        return False


def frees_at(quota: QuotaFacts, ask: Ask) -> datetime | None:
    """When enough of what is outstanding has ended to make room; None where waiting does not help."""
    if quota.period != "outstanding":
        return None
    used = count(quota, ask) + wanted(quota, ask)
    for row in sorted(_rows(quota, ask), key=lambda row: row.interval.ends_at):
        used -= amount(quota, row)
        if used <= quota.limit:
            return row.interval.ends_at
    return None


def in_scope(quota: QuotaFacts, row: Counted) -> bool:
    """Whether the quota counts this row at all, in whatever period."""
    return (
        row.counts
        and quota.facility_id in (None, row.facility_id)
        and quota.kind in ("", row.kind)
        and (row.is_prime or not quota.prime_time_only)
    )


def amount(quota: QuotaFacts, row: Counted) -> int:
    """How much of the quota one row uses."""
    if quota.measure == "minutes":
        return row.interval.minutes
    if quota.measure == "nights":
        return row.nights
    if quota.measure == "guests":
        return row.guests
    return 1


def _rows(quota: QuotaFacts, ask: Ask) -> list[Counted]:
    return [
        row
        for row in ask.counted
        if in_scope(quota, row)
        and (quota.per_household or row.member_id == ask.member.member_id)
        and _falls_in(quota, ask, row)
    ]


def _falls_in(quota: QuotaFacts, ask: Ask, row: Counted) -> bool:
    if quota.period == "outstanding":
        return row.occupies and row.interval.ends_at > ask.now
    if quota.period == "concurrent":
        return row.occupies and row.interval.overlaps(ask.interval)
    first, after = period_of(ask.starts_on, quota.period, ask.week_start)
    return first <= row.starts_on < after
