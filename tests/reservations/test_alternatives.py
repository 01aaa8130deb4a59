"""A refusal says what would pass instead: for this member, this party, now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Member, PrivilegeHold
from bcc.core.errors import RuleError
from facilities.models import Facility
from reservations import services
from reservations.models import Guest, Reservation
from reservations.selectors.alternatives import find_alternatives
from reservations.selectors.availability import get_availability
from reservations.selectors.situation import Party
from reservations.services.booking import Companion, Wish
from reservations.services.errors import SlotTakenError, TooLateToCancelError
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_rooms, make_version
from tests.reservations.bookings import actor_of, book, wish_for

pytestmark = pytest.mark.django_db
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


def alternatives(member: Member, wish: Wish, now: datetime) -> list[dict[str, Any]]:
    """What the refusal of a booking offers."""
    with (
        pytest.raises((RuleError, SlotTakenError)) as refused,
        services.offering_alternatives(wish=wish, member_id=member.pk, now=now),
    ):
        book(member, wish, now=now)
    assert isinstance(refused.value, RuleError | SlotTakenError)
    return refused.value.alternatives


def of_quote(member: Member, wish: Wish, now: datetime) -> list[dict[str, Any]]:
    with pytest.raises((RuleError, SlotTakenError)) as refused:
        services.quote(wish=wish, member_id=member.pk, now=now)
    assert isinstance(refused.value, RuleError | SlotTakenError)
    return refused.value.alternatives


def times(offered: list[dict[str, Any]]) -> list[tuple[str, datetime]]:
    return [(one["name"], one["starts_at"]) for one in offered]


@contextmanager
def counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


class TestFindAlternatives:
    def test_offers_the_nearest_times_and_sister_facilities(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        make_facility("Court Two", terms={"max_slots": 3})
        book(owner, wish_for(court, hour=10), now=now)

        offered = alternatives(stranger, wish_for(court, hour=10), now)

        assert times(offered) == [
            ("Court Two", at_club(2, 10)),
            ("Court One", at_club(2, 9)),
            ("Court One", at_club(2, 11)),
            ("Court Two", at_club(2, 9)),
            ("Court Two", at_club(2, 11)),
        ]

    def test_each_can_be_booked_as_it_is_offered(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("Three a day", limit=3)
        book(owner, wish_for(court, hour=10, slots=2), now=now)

        offered = alternatives(stranger, wish_for(court, hour=10, slots=2), now)

        assert len(offered) == 5
        for one in offered:
            wish = Wish(court.public_id, one["starts_at"], one["ends_at"])
            assert services.quote(wish=wish, member_id=stranger.pk, now=now).interval == wish.interval
            assert wish.interval.minutes == 120

    def test_goes_to_other_days_when_the_quota_of_this_one_is_used(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("One a day", limit=1)
        book(owner, wish_for(court, hour=10), now=now)

        offered = alternatives(owner, wish_for(court, hour=15), now)

        assert times(offered)[0] == ("Court One", at_club(3, 15))
        assert min(one["starts_at"] for one in offered) >= at_club(3, 0)

    def test_agrees_with_availability(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        """The nearest free slots of the day, as availability shows them to the same member."""
        second = make_facility("Court Two", terms={"min_notice_minutes": 60 * 30})
        for hour in (8, 9, 10, 12):
            book(owner, wish_for(court, hour=hour), now=now)
        make_quota("Four a day", limit=4)
        wish = wish_for(court, hour=10)

        free = [
            (slot.interval.starts_at, facility.name)
            for facility in (court, second)
            for day in get_availability(
                facility_id=facility.public_id,
                member_id=stranger.pk,
                first=date(2026, 6, 2),
                last=date(2026, 6, 2),
                party=1,
                now=now,
            ).days
            for slot in day.slots
            if slot.state == "free"
        ]
        nearest = sorted(free, key=lambda one: (abs(one[0] - wish.starts_at), one[1]))[:5]

        assert times(alternatives(stranger, wish, now)) == [(name, at) for at, name in nearest]

    def test_shortens_or_lengthens_to_what_the_policy_allows(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        offered = alternatives(owner, wish_for(court, hour=10, slots=4), now)

        assert {one["ends_at"] - one["starts_at"] for one in offered} == {3 * HOUR}

    def test_offers_stays_of_as_many_nights(self, owner: Member, stranger: Member, now: datetime) -> None:
        rooms = make_rooms(rooms=1)
        stay = Wish(rooms.public_id, at_club(5, 14), at_club(7, 12))
        book(owner, stay, now=now)

        offered = alternatives(stranger, stay, now)

        assert times(offered)[0] == ("Garden Room", at_club(7, 14))
        assert {one["ends_at"] - one["starts_at"] for one in offered} == {46 * HOUR}

    def test_reaches_over_midnight_into_the_next_days_terms(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        late = make_facility("Late", opens=time(22), closes=time(2), next_day=True)
        book(owner, wish_for(late, hour=22), now=now)

        offered = alternatives(stranger, wish_for(late, hour=22), now)

        assert times(offered)[:3] == [
            ("Late", at_club(2, 23)),
            ("Late", at_club(3, 0)),
            ("Late", at_club(3, 1)),
        ]

    def test_passes_over_sisters_that_are_not_shown(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        hidden = make_facility("Hidden")
        hidden.state = "draft"
        hidden.save()
        make_facility("Another kind", kind="hall")
        book(owner, wish_for(court), now=now)

        assert {one["name"] for one in alternatives(stranger, wish_for(court), now)} == {"Court One"}

    def test_is_nothing_for_a_wish_that_is_none(self, owner: Member, court: Facility, now: datetime) -> None:
        wish = wish_for(court)

        def found(**change: Any) -> list[Any]:
            return list(
                find_alternatives(
                    **{
                        "facility_id": wish.facility,
                        "starts_at": wish.starts_at,
                        "ends_at": wish.ends_at,
                        "party": Party(),
                        "member_id": owner.pk,
                        "now": now,
                        **change,
                    }
                )
            )

        assert len(found()) == 5
        assert found(ends_at=wish.starts_at) == []
        assert found(facility_id=owner.public_id) == []


class TestWhatNoTimeCanMend:
    """Nothing is offered, and nothing is read of what is booked, where no time of any day would pass."""

    @pytest.mark.parametrize("why", ["hold", "standing", "party", "not released", "may not book"])
    def test_offers_nothing_in_three_queries(
        self, owner: Member, court: Facility, now: datetime, why: str
    ) -> None:
        more: dict[str, Any] = {}
        match why:
            case "hold":
                PrivilegeHold.objects.create(
                    member=owner,
                    source="manual",
                    scope="booking",
                    reason="Unpaid.",
                    starts_at=now,
                    until=now + DAY,
                )
            case "standing":
                owner.membership.standing = "suspended"
                owner.membership.save(update_fields=["standing"])
            case "party":
                more = {"party": 400}
            case "not released":
                more = {"day": 29}
            case "may not book":
                owner.can_book = False
                owner.save(update_fields=["can_book"])
        wish = wish_for(court, **more)
        of_quote(owner, wish, now)

        with counting() as seen:
            assert of_quote(owner, wish, now) == []

        assert len(seen) == 3


class TestTheSameParty:
    """What is offered must pass with the people of the refused wish."""

    def test_offers_nothing_where_the_guests_are_too_many_at_any_time(
        self, owner: Member, now: datetime
    ) -> None:
        court = make_facility("Few", terms={"guests_max": 1})
        guests = (Companion(guest_name="One"), Companion(guest_name="Two"))

        assert alternatives(owner, wish_for(court, party=3, companions=guests), now) == []
        assert of_quote(owner, wish_for(court, party=3, companions=guests), now) == []

    def test_offers_nothing_where_names_are_missing(self, owner: Member, now: datetime) -> None:
        named = make_facility("Named", terms={"guest_names_required": True})
        wish = wish_for(named, party=3)

        assert alternatives(owner, wish, now) == []
        assert services.quote(wish=wish, member_id=owner.pk, now=now).party == 3

    def test_an_open_quote_is_offered_times_before_anybody_is_named(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        named = make_facility("Named", terms={"guest_names_required": True})
        book(owner, wish_for(named), now=now)

        assert len(of_quote(stranger, wish_for(named, party=3), now)) == 5

    def test_counts_a_guests_visits_around_the_day_that_is_offered(
        self, owner: Member, now: datetime
    ) -> None:
        court = make_facility("Guests", terms={"same_guest_limit": 1, "same_guest_days": 2})
        guest = Guest.objects.create(host=owner, name="A Guest")
        brought = (Companion(guest=guest.public_id), Companion(guest_name="Somebody New"))
        book(owner, wish_for(court, day=4, party=2, companions=brought[:1]), now=now)

        offered = alternatives(owner, wish_for(court, day=4, hour=15, party=3, companions=brought), now)

        # Around the fourth it has come often enough: the third and the fifth are too near as well.
        assert {one["starts_at"] for one in offered} == {at_club(6, hour) for hour in (13, 14, 15, 16, 17)}

    def test_offers_days_on_which_a_guest_is_registered(self, owner: Member, now: datetime) -> None:
        court = make_facility("Guests")
        guest = Guest.objects.create(host=owner, name="A Guest", valid_from=date(2026, 6, 5))
        brought = (Companion(guest=guest.public_id),)

        offered = alternatives(owner, wish_for(court, day=3, party=2, companions=brought), now)

        assert {one["starts_at"].date() for one in offered} == {date(2026, 6, 5)}


class TestOfAMove:
    """A reservation stays at its facility and under its own terms, and is not in its own way."""

    def refused(self, booked: Reservation, *, hour: int, now: datetime) -> list[dict[str, Any]]:
        member = booked.member
        assert member is not None
        wish = Wish(booked.facility.public_id, at_club(2, hour), at_club(2, hour + 1), party=booked.party)
        with (
            pytest.raises((RuleError, SlotTakenError)) as refused,
            services.offering_alternatives(wish=wish, member_id=member.pk, now=now, moving=booked),
        ):
            services.reschedule_reservation(
                reservation=booked,
                starts_at=wish.starts_at,
                ends_at=wish.ends_at,
                by=actor_of(member),
                now=now,
            )
        assert isinstance(refused.value, RuleError | SlotTakenError)
        return refused.value.alternatives

    def test_offers_other_times_of_the_same_facility(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        make_facility("Court Two")
        make_quota("One a day", limit=1)
        booked = book(owner, wish_for(court, hour=10), now=now)
        book(stranger, wish_for(court, hour=12), now=now)

        offered = self.refused(booked, hour=12, now=now)

        # Where it is now is no alternative, though it would pass.
        assert times(offered) == [("Court One", at_club(2, hour)) for hour in (11, 13, 14, 9, 15)]

    def test_offers_nothing_once_it_was_moved_as_often_as_it_may(self, owner: Member, now: datetime) -> None:
        booked = book(owner, wish_for(make_facility("Never", terms={"reschedule_limit": 0})), now=now)

        assert self.refused(booked, hour=12, now=now) == []

    def test_is_judged_by_its_own_terms(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court), now=now)
        book(stranger, wish_for(court, hour=12), now=now)
        make_version(court.policies.get(), number=2, open_days_ahead=0)

        assert len(self.refused(booked, hour=12, now=now)) == 5

    def test_offers_nothing_inside_the_cutoff(self, owner: Member, now: datetime) -> None:
        strict = make_facility("Strict", terms={"cancellation_cutoff_minutes": 120})
        booked = book(owner, wish_for(strict), now=now)
        wish = wish_for(strict, hour=15)

        with (
            pytest.raises(TooLateToCancelError) as refused,
            services.offering_alternatives(wish=wish, member_id=owner.pk, now=now, moving=booked),
        ):
            services.reschedule_reservation(
                reservation=booked,
                starts_at=wish.starts_at,
                ends_at=wish.ends_at,
                by=actor_of(owner),
                now=at_club(2, 8) + SECOND,
            )

        assert refused.value.alternatives == []

    def test_brings_its_own_guests(self, owner: Member, stranger: Member, now: datetime) -> None:
        court = make_facility("Guests", terms={"same_guest_limit": 1, "same_guest_days": 5})
        brought = (Companion(guest_name="A Guest"),)
        booked = book(owner, wish_for(court, party=2, companions=brought), now=now)
        book(stranger, wish_for(court, hour=12), now=now)

        # Its guest's one visit is this one, which does not count against itself.
        assert len(self.refused(booked, hour=12, now=now)) == 5


class TestQueries:
    def test_a_taken_slot_costs_what_is_taken_and_what_one_has(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        of_quote(stranger, wish_for(court), now)

        with counting() as seen:
            assert len(of_quote(stranger, wish_for(court), now)) == 5

        assert len(seen) == 5  # three of the quote, two of the day

    def test_the_days_after_are_read_only_when_the_day_has_too_little(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("None that day", limit=0, valid_from="2026-06-02", valid_until="2026-06-02")
        of_quote(owner, wish_for(court), now)

        with counting() as seen:
            assert len(of_quote(owner, wish_for(court), now)) == 5

        assert len(seen) == 7
