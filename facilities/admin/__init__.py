"""The back office of the club's data that no booking depends on, and of the rules between bookings."""

from facilities.admin.content import (
    AnnouncementAdmin,
    ClubRuleAdmin,
    ContactAdmin,
    EventAdmin,
    FaqAdmin,
    OutletAdmin,
    PromoAdmin,
)
from facilities.admin.prime_time import PrimeTimeAdmin
from facilities.admin.quotas import QuotaRuleAdmin
from facilities.admin.rates import RateAdmin
from facilities.admin.strikes import StrikeRuleAdmin

__all__ = [
    "AnnouncementAdmin",
    "ClubRuleAdmin",
    "ContactAdmin",
    "EventAdmin",
    "FaqAdmin",
    "OutletAdmin",
    "PrimeTimeAdmin",
    "PromoAdmin",
    "QuotaRuleAdmin",
    "RateAdmin",
    "StrikeRuleAdmin",
]
