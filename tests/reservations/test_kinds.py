"""What does not fit a plain slot: halls in halves, rooms by type, places by the person, the club's own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Member
from bcc.core.errors import NotFoundError, RuleError
from bcc.core.intervals import Interval
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Type
from reservations.policies.states import State
from reservations.services.booking import Wish
from reservations.services.errors import SlotTakenError
from tests.conftest import at_club
from tests.factories import MemberFactory, make_facility, make_quota, make_rooms, make_space
from tests.reservations.bookings import STAFF, assert_sound, book, codes, wish_for

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class TestHall:
    @pytest.fixture
    def halls(self, db: None) -> dict[str, Facility]:
        halves = {name: make_space(f"{name} half") for name in ("East", "Middle", "West")}
        chosen = {
            "east": ["East"],
            "middle": ["Middle"],
            "two": ["East", "Middle"],
            "all": ["East", "Middle", "West"],
        }
        return {
            name: make_facility(f"Hall {name}", kind="hall", spaces=[halves[one] for one in parts])
            for name, parts in chosen.items()
        }

    @pytest.mark.parametrize(
        ("first", "second", "fits"),
        [
            ("east", "middle", True),
            ("east", "two", False),
            ("two", "middle", False),
            ("all", "east", False),
            ("two", "all", False),
        ],
    )
    def test_what_shares_a_part_shares_the_time(
        self,
        halls: dict[str, Facility],
        owner: Member,
        stranger: Member,
        now: datetime,
        first: str,
        second: str,
        fits: bool,
    ) -> None:
        book(owner, wish_for(halls[first]), now=now)

        if fits:
            assert book(stranger, wish_for(halls[second]), now=now).pk
        else:
            with pytest.raises(SlotTakenError):
                book(stranger, wish_for(halls[second]), now=now)
        assert_sound(now)

    def test_buffers_hold_between_facilities_that_share_a_part(
        self, halls: dict[str, Facility], owner: Member, stranger: Member, now: datetime
    ) -> None:
        east = halls["east"].spaces.get()
        buffered = make_facility("Banquet", kind="hall", spaces=[east], terms={"buffer_after_minutes": 30})
        book(owner, wish_for(buffered), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(halls["all"], hour=11), now=now)
        assert book(stranger, wish_for(halls["all"], hour=12), now=now).pk


class TestRooms:
    def stay(self, rooms: Facility, first: int, last: int) -> Wish:
        return Wish(rooms.public_id, at_club(first, 14), at_club(last, 12))

    def test_as_many_stays_a_night_as_there_are_rooms(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        rooms = make_rooms(rooms=2)
        book(owner, self.stay(rooms, 5, 8), now=now)
        book(stranger, self.stay(rooms, 6, 7), now=now)
        third = MemberFactory.create()

        with pytest.raises(SlotTakenError):
            book(third, self.stay(rooms, 5, 7), now=now)

        assert book(third, self.stay(rooms, 7, 9), now=now).nights == 2
        assert_sound(now)

    def test_nights_count_against_a_quota_of_nights(self, owner: Member, now: datetime) -> None:
        rooms = make_rooms()
        make_quota("Five nights a month", measure="nights", period="month", limit=5)
        book(owner, self.stay(rooms, 5, 8), now=now)

        with pytest.raises(RuleError) as refused:
            book(owner, self.stay(rooms, 12, 15), now=now)

        failure = refused.value.rules[0]
        assert (failure.code, failure.limit, failure.current) == ("quota_exceeded", 5, 3)
        assert book(owner, self.stay(rooms, 12, 14), now=now).nights == 2

    def test_a_stay_is_from_check_in_to_check_out(self, owner: Member, now: datetime) -> None:
        rooms = make_rooms()

        with pytest.raises(RuleError) as refused:
            book(owner, Wish(rooms.public_id, at_club(5, 15), at_club(6, 12)), now=now)

        assert codes(refused) == {"not_a_slot"}

    def test_a_move_keeps_rooms_and_nights_right(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        rooms = make_rooms(rooms=1)
        booked = book(owner, self.stay(rooms, 5, 7), now=now)

        moved = services.reschedule_reservation(
            reservation=booked,
            starts_at=at_club(6, 14),
            ends_at=at_club(9, 12),
            by=STAFF,
            now=now,
        )

        assert (moved.nights, moved.claims.count()) == (3, 3)
        assert book(stranger, self.stay(rooms, 5, 6), now=now).pk
        assert_sound(now)


class TestByThePerson:
    def test_the_last_place_goes_once(self, owner: Member, stranger: Member, now: datetime) -> None:
        gym = make_facility("Gym", kind="class", lanes=5, takes="person", terms={"party_max": 4})
        book(owner, wish_for(gym, party=4), now=now)

        with pytest.raises(SlotTakenError) as refused:
            book(stranger, wish_for(gym, party=2), now=now)

        assert (refused.value.rules[0].limit, refused.value.rules[0].current) == (5, 4)
        assert book(stranger, wish_for(gym), now=now).lanes == 1
        assert_sound(now)

    def test_who_leaves_for_another_hour_makes_room(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        gym = make_facility("Gym", kind="class", lanes=4, takes="person", terms={"party_max": 4})
        booked = book(owner, wish_for(gym, party=4), now=now)

        services.reschedule_reservation(
            reservation=booked, starts_at=at_club(2, 15), ends_at=at_club(2, 16), by=STAFF, now=now
        )

        assert book(stranger, wish_for(gym, party=4), now=now).claims.count() == 16
        assert_sound(now)


class TestBlockFacility:
    def block(self, facility: Facility, interval: Interval, now: datetime, **more: object) -> Reservation:
        return services.block_facility(
            **{  # type: ignore[arg-type]  # as given
                "facility_id": facility.pk,
                "interval": interval,
                "type": Type.EVENT,
                "title": "Summer cup",
                "by": STAFF,
                "now": now,
                **more,
            }
        )

    def test_takes_all_of_a_place_at_any_hour(self, owner: Member, now: datetime) -> None:
        gym = make_facility("Gym", kind="class", lanes=5)

        block = self.block(gym, Interval(at_club(2, 3), at_club(2, 11)), now)

        assert (block.state, block.member_id, block.lanes) == (State.CONFIRMED, None, 5)
        with pytest.raises(SlotTakenError):
            book(owner, wish_for(gym), now=now)
        assert_sound(now)

    def test_takes_some_lanes_and_leaves_the_rest(self, owner: Member, now: datetime) -> None:
        gym = make_facility("Gym", kind="class", lanes=5)

        self.block(gym, wish_for(gym).interval, now, lanes=4)

        assert book(owner, wish_for(gym), now=now).pk
        with pytest.raises(SlotTakenError):
            book(owner, wish_for(gym), now=now)

    def test_is_refused_where_somebody_has_it_and_leaves_nothing(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)

        with pytest.raises(SlotTakenError):
            self.block(court, Interval(at_club(2, 9), at_club(2, 12)), now)

        assert Reservation.objects.count() == 1
        assert_sound(now)

    def test_no_quota_counts_it(self, owner: Member, court: Facility, now: datetime) -> None:
        make_quota("One a day", limit=1, per="household")
        self.block(court, wish_for(court).interval, now, type=Type.STAFF)

        assert book(owner, wish_for(court, hour=12), now=now).pk


class TestBookedByStaff:
    def desk_books(self, member: Member, wish: Wish, now: datetime, **more: object) -> Reservation:
        return services.create_reservation(
            **{  # type: ignore[arg-type]  # as given
                "wish": wish,
                "member_id": member.pk,
                "membership_id": member.membership_id,
                "by": STAFF,
                "now": now,
                **more,
            }
        )

    def test_holds_nothing_and_counts_for_the_member(self, owner: Member, now: datetime) -> None:
        make_quota("One a day", limit=1)
        held = make_facility("Held", terms={"hold_minutes": 10})

        booked = self.desk_books(owner, wish_for(held), now)

        assert (booked.state, booked.expires_at) == (State.CONFIRMED, None)
        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(held, hour=15), now=now)
        assert codes(refused) == {"quota_exceeded"}

    def test_may_set_house_rules_aside_but_not_the_place(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        make_quota("None", limit=0)

        booked = self.desk_books(owner, wish_for(court, day=25), now, waive=True, reason="A guest of honour.")

        event = booked.events.get()
        assert (event.reason, event.details) == ("A guest of honour.", {"rules_waived": True})
        with pytest.raises(SlotTakenError):
            self.desk_books(stranger, wish_for(court, day=25), now, waive=True)

    @pytest.mark.parametrize(
        "terms", [{"confirm_within_minutes": 60}, {"approval_required": True}], ids=["confirm", "approve"]
    )
    def test_for_who_walks_in_there_is_nothing_left_to_confirm(
        self, owner: Member, now: datetime, terms: dict[str, object]
    ) -> None:
        court = make_facility("Walk-in", terms=terms)

        booked = self.desk_books(owner, wish_for(court, day=1, hour=8), now, waive=True)

        assert (booked.state, booked.expires_at) == (State.CONFIRMED, None)
        assert services.expire_due(now=now + HOUR) == 0


class TestGetBookable:
    def test_what_is_not_shown_is_not_there(self, owner: Member, court: Facility, now: datetime) -> None:
        court.publish_until = now
        court.save()

        with pytest.raises(NotFoundError):
            services.quote(wish=wish_for(court), member_id=owner.pk, now=now)

    def test_where_nobody_of_the_category_books_the_refusal_says_so(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        policy = court.policies.get()
        policy.valid_until = at_club(1, 12).date()
        policy.save()

        with pytest.raises(RuleError) as refused:
            services.quote(wish=wish_for(court), member_id=owner.pk, now=now)

        assert codes(refused) == {"not_bookable"}
        assert refused.value.alternatives == []
