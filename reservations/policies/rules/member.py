"""Whether this member may book at all, now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from django.utils.translation import gettext as _

from bcc.core.errors import RuleFailure
from reservations.policies.ask import Ask
from reservations.policies.rules.base import local_text

GOOD = "good"


class BookingRightRule:
    code: ClassVar[str] = "may_not_book"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if not ask.member.can_book:
            yield RuleFailure(self.code, _("This member may not book. Ask the principal of the membership."))


class MembershipRule:
    code: ClassVar[str] = "membership_expired"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.member.valid_to is not None and ask.starts_on > ask.member.valid_to:
            yield RuleFailure(
                self.code, _("The membership ends before this day. Ask Membership to renew it.")
            )


class StandingRule:
    code: ClassVar[str] = "not_in_good_standing"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.terms.requires_good_standing and ask.member.standing != GOOD:
            yield RuleFailure(
                self.code, _("The membership is not in good standing. Settle the account with Finance first.")
            )


class AgeRule:
    """Completed years on the day; a member whose birth date is not known is not refused."""

    code: ClassVar[str] = "too_young"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        limit, age = ask.terms.min_age, age_on(ask.member.birth_date, ask.starts_on)
        if limit is None or age is None:
            return
        if age < limit:
            yield RuleFailure(
                self.code,
                _("One must be %(limit)d years old. Ask an adult of the household to book.")
                % {"limit": limit},
                limit=limit,
                current=age,
            )


def age_on(born: date | None, on: date) -> int | None:
    if born is None:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


class PrivilegeHoldRule:
    code: ClassVar[str] = "privilege_hold"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        until = ask.member.hold_until
        if until is not None and until > ask.now:
            yield RuleFailure(
                self.code,
                _("Booking is on hold until %(until)s: %(reason)s Ask the club if this is wrong.")
                % {"until": local_text(until, ask.zone), "reason": ask.member.hold_reason},
                retry_at=until,
            )


class LockoutRule:
    """After giving a booking back, the same member waits before booking that facility again."""

    code: ClassVar[str] = "rebook_lockout"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        lockout = ask.terms.rebook_lockout
        if not lockout:
            return
        ends = [
            row.cancelled_at + lockout
            for row in ask.counted
            if row.cancelled_at is not None
            and row.member_id == ask.member.member_id
            and row.facility_id == ask.facility.id
        ]
        until = max(ends, default=None)
        if until is not None and until > ask.now:
            yield RuleFailure(
                self.code,
                _("After a cancellation this facility can be booked again from %(until)s. Try again then.")
                % {"until": local_text(until, ask.zone)},
                limit=int(lockout.total_seconds() // 60),
                retry_at=until,
            )
