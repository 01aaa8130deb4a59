"""Strikes, and the hold that too many of them bring."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Member, PrivilegeHold
from bcc.core.errors import RuleError
from facilities.models import Facility, StrikeRule
from reservations import services
from reservations.models import Reservation, Strike, Type
from reservations.services.strikes import give_strike
from tests.factories import make_facility
from tests.reservations.bookings import STAFF, book, codes, wish_for

pytestmark = pytest.mark.django_db
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def rule(db: None) -> StrikeRule:
    return StrikeRule.objects.create(name="Three in a month", strikes=3, within_days=30, hold_days=14)


@pytest.fixture
def bookings(owner: Member, court: Facility, now: datetime) -> list[Reservation]:
    return [book(owner, wish_for(court, hour=hour), now=now) for hour in range(7, 15)]


def strike(reservation: Reservation, at: datetime) -> Strike:
    return give_strike(reservation=reservation, reason="Did not come.", now=at)


class TestGiveStrike:
    def test_the_last_of_a_rules_number_brings_a_hold(
        self, rule: StrikeRule, owner: Member, bookings: list[Reservation], now: datetime
    ) -> None:
        for number in range(2):
            strike(bookings[number], now + number * DAY)
        assert not PrivilegeHold.objects.exists()

        strike(bookings[2], now + 2 * DAY)

        hold = PrivilegeHold.objects.get()
        assert (hold.member, hold.source, hold.scope) == (owner, "strikes", "booking")
        assert (hold.starts_at, hold.until) == (now + 2 * DAY, now + 16 * DAY)
        assert hold.reason == "3 strikes in 30 days."

    def test_the_hold_keeps_the_member_from_booking_until_it_ends(
        self, rule: StrikeRule, owner: Member, bookings: list[Reservation], now: datetime
    ) -> None:
        other = make_facility("Court Two", terms={"open_days_ahead": 60})
        for number in range(3):
            strike(bookings[number], now)
        until = now + 14 * DAY

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(other, day=20), now=until - SECOND)

        assert codes(refused) == {"privilege_hold"}
        assert refused.value.rules[0].retry_at == until
        assert book(owner, wish_for(other, day=20), now=until).pk

    @pytest.mark.parametrize(("apart", "held"), [(30 * DAY, False), (30 * DAY - SECOND, True)], ids=str)
    def test_counts_those_inside_the_days_of_the_rule(
        self, rule: StrikeRule, bookings: list[Reservation], now: datetime, apart: timedelta, held: bool
    ) -> None:
        strike(bookings[0], now)
        strike(bookings[1], now + DAY)

        strike(bookings[2], now + apart)

        assert PrivilegeHold.objects.exists() is held

    def test_does_not_count_what_staff_waived(
        self, rule: StrikeRule, bookings: list[Reservation], now: datetime
    ) -> None:
        first = strike(bookings[0], now)
        Strike.objects.filter(pk=first.pk).update(waived_at=now)

        for number in (1, 2):
            strike(bookings[number], now)

        assert not PrivilegeHold.objects.exists()

    def test_after_a_hold_they_are_counted_from_its_start(
        self, rule: StrikeRule, bookings: list[Reservation], now: datetime
    ) -> None:
        for number in range(5):
            strike(bookings[number], now + number * DAY)
        assert PrivilegeHold.objects.count() == 1

        strike(bookings[5], now + 5 * DAY)

        assert PrivilegeHold.objects.count() == 2

    def test_without_a_rule_they_are_only_counted(self, bookings: list[Reservation], now: datetime) -> None:
        for reservation in bookings:
            strike(reservation, now)

        assert (Strike.objects.count(), PrivilegeHold.objects.count()) == (8, 0)

    def test_a_rule_that_is_not_active_holds_nobody(
        self, rule: StrikeRule, bookings: list[Reservation], now: datetime
    ) -> None:
        rule.is_active = False
        rule.save()

        for reservation in bookings:
            strike(reservation, now)

        assert not PrivilegeHold.objects.exists()

    def test_is_for_members_only(self, court: Facility, now: datetime) -> None:
        block = services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court).interval,
            type=Type.BLOCKED,
            title="Nets",
            by=STAFF,
            now=now,
        )

        with pytest.raises(ValueError, match="nobody"):
            strike(block, now)
