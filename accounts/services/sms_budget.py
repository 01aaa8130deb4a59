"""The budgets of text messages: a day, for each number, for each address that asks, and for the club.

A message takes its place before it leaves, in one transaction with conditional updates, so that a crowd
of senders together stays within the budget. A message that then fails has used its place: the gateway may
have sent it all the same.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import F

from accounts.models import SmsUse
from accounts.policies.texts import may_be_texted, sms_parts
from accounts.services.counting import address_key as key_of
from bcc.core import clock, transactions

Scope = SmsUse.Scope


class SmsRefusedError(Exception):
    """Not to this number, or not today. Its text names neither."""


@transactions.writes
def take_place(*, number: str, address_key: str, text: str, now: datetime) -> None:
    """Count one message to ``number``, asked for from ``address_key`` if from anywhere.

    Raises SmsRefusedError for a country that is not on the list, and where a budget of the day is used up.
    """
    if not may_be_texted(number, settings.SMS_COUNTRIES):
        raise SmsRefusedError("the country is not on the list")
    day, parts = clock.local_date(now), sms_parts(text)
    # The club's own counter last: the others are of few, it is everybody's.
    if not _count(day, Scope.NUMBER, key_of(number), settings.SMS_A_DAY_PER_NUMBER, parts):
        raise SmsRefusedError("the number has its share of the day")
    if address_key and not _count(day, Scope.ADDRESS, address_key, settings.SMS_A_DAY_PER_ADDRESS, parts):
        raise SmsRefusedError("the address has its share of the day")
    cost = Decimal(settings.SMS_COST_PER_PART) * parts
    if not _count(day, Scope.CLUB, "", settings.SMS_A_DAY, parts, cost):
        raise SmsRefusedError("the club's messages of the day are used up")


def _count(day: date, scope: Scope, key: str, limit: int, parts: int, cost: Decimal = Decimal(0)) -> bool:
    """One more under ``key`` unless that were more than ``limit``; 0 is no limit."""
    SmsUse.objects.get_or_create(day=day, scope=scope, key=key)
    counter = SmsUse.objects.filter(day=day, scope=scope, key=key)
    if limit:
        counter = counter.filter(used__lt=limit)
    return bool(counter.update(used=F("used") + 1, parts=F("parts") + parts, cost=F("cost") + cost))
