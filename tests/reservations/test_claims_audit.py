"""Claims against states, and what takes them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Member
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, SlotClaim, Type
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.claims import take_claims
from reservations.services.claims_audit import check_claims, remove_stray_claims
from reservations.services.errors import SlotTakenError
from tests.factories import make_facility, make_space
from tests.reservations.bookings import STAFF, actor_of, book, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
QUARTER = timedelta(minutes=15)


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    return book(owner, wish_for(court), now=now)


class TestCheckClaims:
    def test_finds_nothing_where_all_is_well(self, booked: Reservation, now: datetime) -> None:
        assert check_claims(now=now).is_clean

    def test_finds_claims_of_what_is_over(self, booked: Reservation, now: datetime) -> None:
        Reservation.objects.filter(pk=booked.pk).update(state=State.EXPIRED)

        audit = check_claims(now=now)

        assert (audit.stray, audit.missing, audit.is_clean) == ([booked.pk], [], False)

    def test_finds_who_holds_too_few_too_many_or_others(
        self, booked: Reservation, owner: Member, court: Facility, now: datetime
    ) -> None:
        few, many, other = booked, *(book(owner, wish_for(court, hour=hour), now=now) for hour in (13, 16))
        few.claims.order_by("cell_start")[0].delete()
        last = many.claims.order_by("-cell_start")[0]
        SlotClaim.objects.create(
            space=last.space, reservation=many, cell_start=last.cell_start + QUARTER, lane=0
        )
        moved = other.claims.order_by("-cell_start")[0]
        SlotClaim.objects.filter(pk=moved.pk).update(cell_start=moved.cell_start + 4 * QUARTER)

        assert check_claims(now=now).missing == [few.pk, many.pk, other.pk]


class TestRemoveStrayClaims:
    def test_frees_what_no_standing_reservation_holds(
        self, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        Reservation.objects.filter(pk=booked.pk).update(state=State.COMPLETED)
        standing = book(stranger, wish_for(court, hour=12), now=now)

        removed = remove_stray_claims(reservation_ids=[booked.pk, standing.pk])

        assert removed == 4
        assert set(SlotClaim.objects.values_list("reservation_id", flat=True)) == {standing.pk}
        assert book(stranger, wish_for(court), now=now).pk


class TestTakeClaims:
    def test_the_database_refuses_what_came_by_another_path(
        self, booked: Reservation, court: Facility, now: datetime
    ) -> None:
        """A second reservation that nobody judged: the unique constraint is what is left."""
        second = Reservation.objects.get(pk=booked.pk)
        second.pk, second.public_id = None, court.public_id
        second.save(force_insert=True)
        rules = current_rules()

        with pytest.raises(SlotTakenError):
            take_claims(
                second,
                facility=rules.facilities[court.pk],
                interval=second.interval,
                lanes=1,
                rules=rules,
            )

    def test_gives_the_lowest_lanes_that_are_free(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        pool = make_facility("Pool", kind="class", lanes=4, takes="person", terms={"party_max": 4})
        first = book(owner, wish_for(pool, party=2), now=now)
        book(stranger, wish_for(pool), now=now)
        services.cancel_reservation(reservation=first, by=actor_of(owner), reason="", now=now)

        again = book(owner, wish_for(pool, party=3), now=now)

        assert sorted(set(again.claims.values_list("lane", flat=True))) == [0, 1, 3]

    def test_what_touches_no_cell_cannot_be_taken(self, now: datetime) -> None:
        """Between check-out and check-in a room is nobody's."""
        rooms = make_facility("Rooms", kind="room_night", grid=0)
        noon = wish_for(rooms, hour=12).interval

        with pytest.raises(SlotTakenError):
            services.block_facility(
                facility_id=rooms.pk, interval=noon, type=Type.BLOCKED, title="Linen", by=STAFF, now=now
            )

    def test_takes_nothing_where_the_lanes_do_not_suffice_or_no_cell_is_touched(
        self, owner: Member, now: datetime
    ) -> None:
        """What the rules let pass by mistake still cannot be taken."""
        gym = make_facility("Gym", kind="class", lanes=2)
        rooms = make_facility("Rooms", kind="room_night", grid=0)
        booked = book(owner, wish_for(gym), now=now)
        rules = current_rules()

        for facility, interval in ((gym, booked.interval), (rooms, wish_for(rooms, hour=12).interval)):
            with pytest.raises(SlotTakenError):
                take_claims(
                    booked, facility=rules.facilities[facility.pk], interval=interval, lanes=2, rules=rules
                )

        assert booked.claims.count() == 4

    def test_claims_every_space_of_the_facility(self, owner: Member, now: datetime) -> None:
        halves = [make_space("East half"), make_space("West half", grid=30)]
        hall = make_facility("Grand hall", kind="hall", spaces=halves)

        booked = book(owner, wish_for(hall), now=now)

        assert [booked.claims.filter(space=half).count() for half in halves] == [4, 2]
