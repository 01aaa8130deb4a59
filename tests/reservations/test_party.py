"""Who comes along: quoted as they are booked, and priced."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from accounts.models import Member
from bcc.core.errors import InvalidError, RuleError
from facilities.models import Facility, Rate
from reservations import services
from reservations.models import Guest, Reservation
from reservations.services.booking import Companion, Wish
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_rooms
from tests.reservations.bookings import actor_of, book, codes, wish_for

pytestmark = pytest.mark.django_db


def brought(*names: str) -> tuple[Companion, ...]:
    return tuple(Companion(guest_name=name) for name in names)


class TestQuoteOfAParty:
    def test_refuses_the_companions_that_a_booking_would(self, owner: Member, now: datetime) -> None:
        few = make_facility("Few", terms={"guests_max": 1})
        wish = wish_for(few, party=3, companions=brought("One", "Two"))

        with pytest.raises(RuleError) as quoted:
            services.quote(wish=wish, member_id=owner.pk, now=now)
        with pytest.raises(RuleError) as refused:
            book(owner, wish, now=now)

        assert codes(quoted) == codes(refused) == {"too_many_guests"}

    def test_writes_nobody_on_the_list(self, owner: Member, court: Facility, now: datetime) -> None:
        services.quote(
            wish=wish_for(court, party=2, companions=brought("A Guest")), member_id=owner.pk, now=now
        )

        assert not Guest.objects.exists()

    def test_asks_for_missing_names_only_once_somebody_is_named(self, owner: Member, now: datetime) -> None:
        named = make_facility("Named", terms={"guest_names_required": True})

        assert services.quote(wish=wish_for(named, party=3), member_id=owner.pk, now=now).party == 3
        with pytest.raises(RuleError) as refused:
            services.quote(
                wish=wish_for(named, party=3, companions=brought("One")), member_id=owner.pk, now=now
            )
        assert (refused.value.rules[0].code, refused.value.rules[0].current) == ("guest_names_required", 1)

    def test_finds_nobody_who_is_not_there(
        self, owner: Member, court: Facility, stranger: Member, now: datetime
    ) -> None:
        theirs = Guest.objects.create(host=stranger, name="Their Guest")

        for unknown in (Companion(guest=theirs.public_id), Companion(member=court.public_id)):
            with pytest.raises(InvalidError) as refused:
                services.quote(
                    wish=wish_for(court, party=2, companions=(unknown,)), member_id=owner.pk, now=now
                )
            assert refused.value.errors["participants"][0][0] == "unknown_person"

    def test_counts_guests_against_a_quota_of_guests(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("Two guests a month", measure="guests", period="month", limit=2)
        book(owner, wish_for(court, party=3, companions=brought("One", "Two")), now=now)
        again = wish_for(court, day=3, party=2, companions=brought("Three"))

        with pytest.raises(RuleError) as refused:
            services.quote(wish=again, member_id=owner.pk, now=now)
        failure = refused.value.rules[0]
        assert (failure.code, failure.limit, failure.current) == ("quota_exceeded", 2, 2)
        assert services.quote(wish=wish_for(court, day=3, party=2), member_id=owner.pk, now=now).party == 2


class TestEstimate:
    def test_adds_up_the_rates_of_who_comes(self, owner: Member, court: Facility, now: datetime) -> None:
        Rate.objects.create(facility=court, unit="slot", amount="300")
        Rate.objects.create(facility=court, unit="head", guest_class="accompanied", amount="150")
        Rate.objects.create(facility=court, unit="head", guest_class="sponsored", amount="250")
        sponsored = Guest.objects.create(host=owner, name="Sponsored", guest_class="sponsored")
        wish = wish_for(
            court,
            slots=2,
            party=3,
            companions=(*brought("Accompanied"), Companion(guest=sponsored.public_id)),
        )

        assert services.quote(wish=wish, member_id=owner.pk, now=now).estimate == Decimal("1000.00")

    def test_is_for_the_members_category_on_the_day(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        Rate.objects.create(facility=court, unit="slot", amount="300", valid_until=date(2026, 6, 2))
        Rate.objects.create(facility=court, unit="slot", amount="200", category=owner.membership.category)

        def estimate(day: int) -> Decimal | None:
            return services.quote(wish=wish_for(court, day=day), member_id=owner.pk, now=now).estimate

        assert (estimate(2), estimate(3)) == (Decimal("200.00"), Decimal("200.00"))

    def test_of_a_stay_is_for_its_nights(self, owner: Member, now: datetime) -> None:
        rooms = make_rooms()
        Rate.objects.create(facility=rooms, unit="night", amount="2500")
        stay = Wish(rooms.public_id, at_club(5, 14), at_club(8, 12))

        found = services.quote(wish=stay, member_id=owner.pk, now=now)

        assert found.estimate == Decimal("7500.00")
        assert found.currency

    def test_is_none_where_nothing_is_priced(self, owner: Member, court: Facility, now: datetime) -> None:
        assert services.quote(wish=wish_for(court), member_id=owner.pk, now=now).estimate is None


class TestSameGuest:
    def test_counts_the_visits_around_the_day_and_not_those_that_came_to_nothing(
        self, owner: Member, now: datetime
    ) -> None:
        court = make_facility("Guests", terms={"same_guest_limit": 2, "same_guest_days": 3})
        guest = Guest.objects.create(host=owner, name="A Guest")
        with_guest = (Companion(guest=guest.public_id),)

        def bring(day: int, hour: int = 10) -> Reservation:
            return book(owner, wish_for(court, day=day, hour=hour, party=2, companions=with_guest), now=now)

        bring(2)
        given_back = bring(3)
        services.cancel_reservation(reservation=given_back, by=actor_of(owner), reason="", now=now)
        bring(4)

        with pytest.raises(RuleError) as refused:
            bring(3)
        assert (refused.value.rules[0].limit, refused.value.rules[0].current) == (2, 2)
        # Three days after the second the first is out of reach, and the one of the fourth is in it.
        assert bring(5).pk
