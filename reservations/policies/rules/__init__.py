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
from reservations.policies.rules.window import NoticeRule, PastRule, ReleaseRule, RescheduleRule

SLOT_TAKEN = CapacityRule.code

# What no one can waive: the place itself.
PHYSICAL: tuple[Rule, ...] = (SlotRule(), OpeningRule(), ClosureRule(), CapacityRule(), BufferRule())
# Asked again when only the party changes.
PARTY: tuple[Rule, ...] = (GuestLimitRule(), GuestNamesRule(), GuestRule(), QuotaLimitRule())

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


def judge(ask: Ask, rules: Iterable[Rule] = ALL) -> list[RuleFailure]:
    """Every rule that the wish does not meet, in the order of the rules; empty when it passes."""
    return [failure for rule in rules for failure in rule.judge(ask)]


__all__ = ["ALL", "HOUSE", "PARTY", "PHYSICAL", "SLOT_TAKEN", "Rule", "judge"]
