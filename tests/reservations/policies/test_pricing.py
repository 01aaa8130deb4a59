from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reservations.policies.pricing import estimate
from reservations.policies.terms import GuestVisit, RateFacts, SpaceFacts, Terms
from tests.reservations.policies.asks import CATEGORY, HOUR, SPACE, facility_of, local, make_ask


def price(*rates: RateFacts, **ask: Any) -> Decimal | None:
    return estimate(make_ask(facility=facility_of(rates=rates), **ask))


def rate(amount: str, unit: str = "slot", **more: Any) -> RateFacts:
    return RateFacts(unit, Decimal(amount), **more)


class TestEstimate:
    def test_is_none_where_nothing_is_priced(self) -> None:
        assert price() is None
        assert price(rate("100", valid_from=date(2026, 6, 3))) is None

    def test_is_for_each_slot(self) -> None:
        assert price(rate("100.00"), ends_at=local(2, 10) + 3 * HOUR) == Decimal("300.00")
        assert price(rate("100.00"), terms=Terms(slot_minutes=30)) == Decimal("200.00")

    def test_is_for_each_night(self) -> None:
        room = facility_of(
            SpaceFacts(SPACE, 0, 1), kind="room_night", rates=(rate("2500", "night"), rate("1"))
        )

        found = estimate(make_ask(starts_at=local(2, 14), ends_at=local(5, 12), facility=room, nights=3))

        assert found == Decimal("7500.00")

    def test_is_for_each_head_of_its_class(self) -> None:
        rates = (rate("50", "head"), rate("200", "head", guest_class="accompanied"))

        assert price(*rates, party=4, guests=(GuestVisit("One"), GuestVisit("Two"))) == Decimal("500.00")

    def test_a_sponsored_guest_pays_the_rate_of_sponsored_guests(self) -> None:
        rates = (
            rate("50", "head"),
            rate("200", "head", guest_class="accompanied"),
            rate("350", "head", guest_class="sponsored"),
        )
        guests = (GuestVisit("One"), GuestVisit("Two", guest_class="sponsored"))

        assert price(*rates, party=3, guests=guests) == Decimal("600.00")

    def test_adds_what_is_for_the_booking_and_what_is_for_heads(self) -> None:
        assert price(rate("100"), rate("50", "head"), party=2) == Decimal("200.00")

    @pytest.mark.parametrize(("is_prime", "expected"), [(False, "80.00"), (True, "120.00")])
    def test_takes_the_rate_of_the_category_before_that_of_prime_time(
        self, is_prime: bool, expected: str
    ) -> None:
        rates = (
            rate("100"),
            rate("150", prime_time_only=True),
            rate("80", category_id=CATEGORY),
            rate("120", category_id=CATEGORY, prime_time_only=True),
            rate("1", category_id=CATEGORY + 1),
        )

        assert price(*rates, is_prime=is_prime) == Decimal(expected)
        assert price(*rates[:2], is_prime=is_prime) == Decimal("150.00" if is_prime else "100.00")

    @pytest.mark.parametrize(
        ("dates", "expected"),
        [
            ({"valid_from": date(2026, 6, 2)}, "90.00"),
            ({"valid_from": date(2026, 6, 3)}, None),
            ({"valid_until": date(2026, 6, 2)}, "90.00"),
            ({"valid_until": date(2026, 6, 1)}, None),
        ],
        ids=str,
    )
    def test_takes_the_rates_of_the_day(self, dates: dict[str, Any], expected: str | None) -> None:
        found = price(rate("90", **dates))

        assert found == (None if expected is None else Decimal(expected))

    def test_is_quantised_to_the_cent(self) -> None:
        """Half a cent goes to the even one, as Decimal does; the text never has more than two digits."""
        assert str(price(rate("33.333"), ends_at=local(2, 10) + 2 * HOUR)) == "66.67"
        assert str(price(rate("100"))) == "100.00"

    def test_a_rate_of_nothing_is_a_price(self) -> None:
        assert price(rate("0")) == Decimal("0.00")
