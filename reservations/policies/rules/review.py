"""Every rule with its verdict, also those that passed: for staff who ask why, and never for a booking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bcc.core.errors import RuleFailure
from reservations.policies import occupancy, quotas
from reservations.policies.ask import Ask
from reservations.policies.rules.base import Rule
from reservations.policies.rules.member import (
    AgeRule,
    BookingRightRule,
    LockoutRule,
    MembershipRule,
    PrivilegeHoldRule,
    StandingRule,
    age_on,
)
from reservations.policies.rules.party import GuestLimitRule, GuestNamesRule, GuestRule, PartyRule
from reservations.policies.rules.place import (
    BufferRule,
    CapacityRule,
    ClosureRule,
    OpeningRule,
    SlotRule,
    slot_count,
)
from reservations.policies.rules.quota import QuotaLimitRule
from reservations.policies.rules.window import NoticeRule, PastRule, ReleaseRule, RescheduleRule


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the review. ``about`` says what is asked, ``detail`` what stands in the way.

    ``limit`` and ``current`` are in the unit of the rule, as in a refusal; None where it has no limit.
    """

    code: str
    about: str
    passed: bool
    can_be_waived: bool
    detail: str = ""
    limit: int | None = None
    current: int | None = None
    retry_at: datetime | None = None


ABOUT: Final[Mapping[type[Any], str | Promise]] = {
    PastRule: _("not in the past"),
    NoticeRule: _("enough notice"),
    ReleaseRule: _("the day is open for booking"),
    RescheduleRule: _("moved not too often"),
    PartyRule: _("size of the party"),
    GuestLimitRule: _("number of guests"),
    GuestNamesRule: _("guests are named"),
    GuestRule: _("how often the same guest comes"),
    BookingRightRule: _("the member may book"),
    MembershipRule: _("the membership is valid on the day"),
    StandingRule: _("good standing"),
    AgeRule: _("old enough"),
    PrivilegeHoldRule: _("no hold on booking"),
    LockoutRule: _("no lock-out after a cancellation"),
    QuotaLimitRule: _("quota"),
    SlotRule: _("a slot, and a whole number of them"),
    OpeningRule: _("inside the opening hours"),
    ClosureRule: _("not closed"),
    CapacityRule: _("the place is free"),
    BufferRule: _("enough time to the neighbours"),
}

Numbers = tuple[int | None, int | None]


def _notice(ask: Ask) -> Iterator[Numbers]:
    if ask.terms.min_notice_minutes:
        yield (
            ask.terms.min_notice_minutes,
            int((ask.interval.starts_at - ask.now).total_seconds() // 60),
        )
    if ask.terms.min_notice_days:
        yield ask.terms.min_notice_days, _days_ahead(ask)


def _days_ahead(ask: Ask) -> int:
    return (ask.starts_on - ask.now.astimezone(ask.zone).date()).days


def _visits(ask: Ask) -> Iterator[Numbers]:
    if ask.terms.same_guest_limit is not None:
        for guest in ask.guests:
            yield ask.terms.same_guest_limit, guest.visits


def _names(ask: Ask) -> Iterator[Numbers]:
    if ask.terms.guest_names_required and ask.names_given:
        yield 0, ask.unnamed


def _age(ask: Ask) -> Iterator[Numbers]:
    if ask.terms.min_age is not None:
        yield ask.terms.min_age, age_on(ask.member.birth_date, ask.starts_on)


def _lanes(ask: Ask) -> Iterator[Numbers]:
    lanes = min((space.lanes for space in ask.facility.spaces), default=0)
    yield lanes, lanes - occupancy.lanes_left(ask.facility, ask.interval, ask.occupancy)


# (limit, count) of a rule that passed; a failure brings its own.
_NUMBERS: Final[Mapping[type[Any], Callable[[Ask], Iterable[Numbers]]]] = {
    NoticeRule: _notice,
    ReleaseRule: lambda ask: [(ask.terms.open_days_ahead, _days_ahead(ask))],
    RescheduleRule: lambda ask: [(ask.terms.reschedule_limit, ask.reschedules)],
    PartyRule: lambda ask: [(ask.terms.party_max, ask.party)],
    GuestLimitRule: lambda ask: [(ask.terms.guests_max, ask.guest_count)],
    GuestNamesRule: _names,
    GuestRule: _visits,
    AgeRule: _age,
    SlotRule: lambda ask: [(ask.terms.max_slots, slot_count(ask))],
    CapacityRule: _lanes,
}


def review(ask: Ask, *, house: Iterable[Rule], physical: Iterable[Rule]) -> list[Verdict]:
    """A verdict on each rule, in the order of the rules; those that failed are the failures of ``judge``."""
    return [
        verdict
        for rules, can_be_waived in ((house, True), (physical, False))
        for rule in rules
        if _is_asked(rule, ask)
        for verdict in _verdicts(rule, ask, can_be_waived)
    ]


def _numbers(rule: Rule, ask: Ask) -> Iterable[Numbers]:
    read = _NUMBERS.get(type(rule))
    return () if read is None else read(ask)


def _is_asked(rule: Rule, ask: Ask) -> bool:
    return not isinstance(rule, RescheduleRule) or ask.reschedules is not None


def _verdicts(rule: Rule, ask: Ask, can_be_waived: bool) -> Iterator[Verdict]:
    if isinstance(rule, QuotaLimitRule):
        yield from _quotas(rule, ask, can_be_waived)
        return
    failures = list(rule.judge(ask))
    if failures:
        yield from (_failed(rule, failure, can_be_waived) for failure in failures)
        return
    for limit, current in list(_numbers(rule, ask)) or [(None, None)]:
        yield Verdict(rule.code, str(ABOUT[type(rule)]), True, can_be_waived, limit=limit, current=current)


def _quotas(rule: QuotaLimitRule, ask: Ask, can_be_waived: bool) -> Iterator[Verdict]:
    """One line for each quota that speaks about the wish: which of them is full is the question."""
    speaking = [quota for quota in ask.quotas if quotas.applies(quota, ask)]
    for quota in speaking:
        failures = list(rule.judge(replace(ask, quotas=(quota,))))
        if failures:
            yield from (_failed(rule, failure, can_be_waived) for failure in failures)
        else:
            yield Verdict(
                rule.code,
                quota.name,
                True,
                can_be_waived,
                limit=quota.limit,
                current=quotas.count(quota, ask),
            )
    if not speaking:
        yield Verdict(rule.code, str(ABOUT[type(rule)]), True, can_be_waived)


def _failed(rule: Rule, failure: RuleFailure, can_be_waived: bool) -> Verdict:
    return Verdict(
        failure.code,
        str(ABOUT[type(rule)]),
        False,
        can_be_waived,
        detail=str(failure.detail),
        limit=failure.limit,
        current=failure.current,
        retry_at=failure.retry_at,
    )
