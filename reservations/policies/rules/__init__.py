"""Each rule of the club: one small class, one stable code.

The same rules answer a quote, availability for a member, the staff's test and the booking itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from bcc.core.errors import RuleFailure
from reservations.policies.ask import Ask
from reservations.policies.rules.base import Rule
from reservations.policies.rules.member import (
    AgeRule,
    BookingRightRule,
    LockoutRule,
    MembershipRule,
    PrivilegeHoldRule,
    StandingRule,
)
from reservations.policies.rules.party import GuestLimitRule, GuestNamesRule, GuestRule, PartyRule
from reservations.policies.rules.place import BufferRule, CapacityRule, ClosureRule, OpeningRule, SlotRule
from reservations.policies.rules.quota import QuotaLimitRule
from reservations.policies.rules.window import (
    NoticeRule,
    PastRule,
    ReleaseRule,
    RescheduleRule,
    asks_of_the_hour,
)

SLOT_TAKEN = CapacityRule.code

# What no one can waive: the place itself.
PHYSICAL: tuple[Rule, ...] = (SlotRule(), OpeningRule(), ClosureRule(), CapacityRule(), BufferRule())
# Asked again when only the party changes: of quotas those that count guests, for the booking stands.
PARTY: tuple[Rule, ...] = (GuestLimitRule(), GuestNamesRule(), GuestRule(), QuotaLimitRule({"guests"}))

HOUSE: tuple[Rule, ...] = (
    PastRule(),
    NoticeRule(),
    ReleaseRule(),
    RescheduleRule(),
    PartyRule(),
    GuestLimitRule(),
    GuestNamesRule(),
    GuestRule(),
    BookingRightRule(),
    MembershipRule(),
    StandingRule(),
    AgeRule(),
    PrivilegeHoldRule(),
    LockoutRule(),
    QuotaLimitRule(),
)

ALL: tuple[Rule, ...] = (*HOUSE, *PHYSICAL)

_OF_THE_DAY = (
    ReleaseRule,
    RescheduleRule,
    PartyRule,
    GuestLimitRule,
    GuestNamesRule,
    GuestRule,
    BookingRightRule,
    MembershipRule,
    StandingRule,
    AgeRule,
    PrivilegeHoldRule,
)
# These read what the household has, and not the hour.
OF_THE_MEMBER: tuple[Rule, ...] = (LockoutRule(),)
OF_THE_HOUR: tuple[Rule, ...] = (PastRule(), NoticeRule())
OF_THE_QUOTA: tuple[Rule, ...] = (QuotaLimitRule(),)
# These read neither the hour nor what is booked, so they say the same of every wish for one day under
# the same terms: whoever looks through many slots asks them once a day.
OF_THE_DAY: tuple[Rule, ...] = tuple(rule for rule in ALL if isinstance(rule, _OF_THE_DAY))
OF_THE_SLOT: tuple[Rule, ...] = tuple(rule for rule in ALL if not isinstance(rule, _OF_THE_DAY))


def judge(ask: Ask, rules: Iterable[Rule] = ALL) -> list[RuleFailure]:
    """Every rule that the wish does not meet, in the order of the rules; empty when it passes."""
    return [failure for rule in rules for failure in rule.judge(ask)]


def passes(ask: Ask, rules: Iterable[Rule] = ALL) -> bool:
    """Whether the wish meets every rule; looks no further than the first that it does not."""
    return not any(True for rule in rules for _failure in rule.judge(ask))


__all__ = [
    "ALL",
    "HOUSE",
    "OF_THE_DAY",
    "OF_THE_HOUR",
    "OF_THE_MEMBER",
    "OF_THE_QUOTA",
    "OF_THE_SLOT",
    "PARTY",
    "PHYSICAL",
    "SLOT_TAKEN",
    "Rule",
    "asks_of_the_hour",
    "judge",
    "passes",
]
