from facilities.models.content import (
    Announcement,
    Audience,
    ClubRule,
    Contact,
    Content,
    ContentQuerySet,
    Event,
    Faq,
    Illustrated,
    Outlet,
    Promo,
    check_audience,
)
from facilities.models.dates import Publishing
from facilities.models.facility import Facility, FacilityImage, FacilitySpace, Grid, Kind, Space, Takes
from facilities.models.hours import Closure, Holiday, OpeningPeriod, OpeningSpan, PrimeTime, Weekday
from facilities.models.policy import (
    LateCancel,
    OnBadStanding,
    PolicyVersion,
    PublishedVersionError,
    ReservationPolicy,
)
from facilities.models.quotas import QuotaRule, Rate, StrikeRule
from facilities.models.rulebook import Rulebook

__all__ = [
    "Announcement",
    "Audience",
    "Closure",
    "ClubRule",
    "Contact",
    "Content",
    "ContentQuerySet",
    "Event",
    "Facility",
    "FacilityImage",
    "FacilitySpace",
    "Faq",
    "Grid",
    "Holiday",
    "Illustrated",
    "Kind",
    "LateCancel",
    "OpeningPeriod",
    "OpeningSpan",
    "OnBadStanding",
    "Outlet",
    "PolicyVersion",
    "PrimeTime",
    "Promo",
    "PublishedVersionError",
    "Publishing",
    "QuotaRule",
    "Rate",
    "ReservationPolicy",
    "Rulebook",
    "Space",
    "StrikeRule",
    "Takes",
    "Weekday",
    "check_audience",
]
