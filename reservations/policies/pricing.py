"""What a booking would cost by the club's rates. An estimate: no payment is taken here."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from reservations.policies.ask import Ask
from reservations.policies.terms import MEMBER_CLASS, RateFacts

CENT = Decimal("0.01")


def estimate(ask: Ask) -> Decimal | None:
    """The sum of the best-fitting rate for each unit and class of guest; None where nothing is priced.

    A slot or night rate is for the booking, a head rate for each person of its class.
    """
    slots = ask.interval.minutes // ask.terms.slot_minutes if not ask.facility.is_nightly else 0
    amounts = {
        ("slot", MEMBER_CLASS): slots,
        ("night", MEMBER_CLASS): ask.nights,
        ("head", MEMBER_CLASS): ask.party - ask.guest_count,
    }
    for guest_class, heads in Counter(guest.guest_class for guest in ask.guests).items():
        amounts["head", guest_class] = heads
    total: Decimal | None = None
    for (unit, guest_class), count in amounts.items():
        rate = _best(ask, unit, guest_class)
        if rate is not None and count:
            total = (total or Decimal(0)) + rate.amount * count
    return None if total is None else total.quantize(CENT)


def _best(ask: Ask, unit: str, guest_class: str) -> RateFacts | None:
    """The most specific rate: of the member's category before any, of prime time before any."""
    fitting = [
        rate
        for rate in ask.facility.rates
        if rate.unit == unit
        and rate.guest_class == guest_class
        and rate.category_id in (None, ask.member.category_id)
        and (ask.is_prime or not rate.prime_time_only)
        and rate.is_valid_on(ask.starts_on)
    ]
    return max(fitting, key=lambda rate: (rate.category_id is not None, rate.prime_time_only), default=None)
