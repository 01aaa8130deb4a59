"""What the front desk sees of a day: boards, rooms, lists, and what is to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from accounts.models import Member, Standing, User
from bcc.core.actors import Actor
from facilities.models import Closure, Facility
from reservations import services
from reservations.models import (
    Participant,
    Reservation,
    SlotClaim,
)
from reservations.policies.states import State
from reservations.selectors.board import Board
from reservations.services.booking import Companion, Wish
from reservations.services.closures import close
from tests.conftest import at_club
from tests.factories import (
    MemberFactory,
    make_facility,
    make_rooms,
    make_space,
    make_version,
)
from tests.reservations.front_desk import (
    PAGE,
    STAFF,
    TUESDAY,
    block,
    book,
    cells,
    day_of,
    kinds,
    policy_of,
    signed_in,
    stay,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestBoard:
    def test_a_row_has_no_hole_and_fills_its_columns(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_facility("Late Lane", kind="lane", opens=time(10), closes=time(20, 30))
        book(owner, court)

        board = day_of(now).areas[0].boards[0]

        width = sum(column.span for column in board.columns)
        for row in board.rows:
            assert sum(cell.span for cell in row.cells) == width
            edges = [(cell.interval.starts_at, cell.interval.ends_at) for cell in row.cells]
            assert all(before[1] == after[0] for before, after in pairwise(edges))

    def test_says_what_is_free_booked_blocked_closed_and_shut(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        make_facility("Early Court", opens=time(5), closes=time(23))
        book(owner, court, hour=10)
        block(court, hour=12, minutes=60)
        close(
            closure=Closure(
                facility=court, starts_at=at_club(2, 14), ends_at=at_club(2, 16), reason="Painting."
            ),
            decisions={}, by=STAFF, now=now,
        )  # fmt: skip

        found = kinds(day_of(now), court)

        assert found["05:00"] == "shut"
        assert found["09:00"] == "free"
        assert found["10:00"] == "booked"
        assert found["12:00"] == "booked"
        assert found["14:00"] == "closed"
        assert "15:00" not in found
        assert found["16:00"] == "free"
        assert found["22:00"] == "shut"

    def test_what_is_over_is_not_offered(self, court: Facility, now: datetime) -> None:
        found = kinds(day_of(at_club(2, 10, 30)), court)

        assert found["06:00"] == "past"
        assert "07:00" not in found
        assert found["10:00"] == "free"

    def test_the_rest_of_a_slot_that_is_partly_taken_cannot_be_booked(
        self, court: Facility, now: datetime
    ) -> None:
        block(court, hour=10, minutes=30)

        found = kinds(day_of(now), court)

        assert (found["10:00"], found["10:30"], found["11:00"]) == ("booked", "gap", "free")

    def test_a_slot_inside_the_buffer_of_a_neighbour_cannot_be_booked(
        self, owner: Member, now: datetime
    ) -> None:
        hall = make_facility("Buffered Hall", kind="hall", terms={"buffer_after_minutes": 60})
        book(owner, hall, hour=10)

        found = kinds(day_of(now), hall)

        assert (found["09:00"], found["11:00"], found["12:00"]) == ("gap", "gap", "free")

    def test_a_booking_of_the_whole_stands_on_its_halves(self, owner: Member, now: datetime) -> None:
        north, south = make_space("North"), make_space("South")
        half = make_facility("North Half", kind="hall", spaces=[north])
        other = make_facility("South Half", kind="hall", spaces=[south])
        whole = make_facility("Whole Hall", kind="hall", spaces=[north, south])
        row = book(owner, whole)

        day = day_of(now)

        for facility in (half, other, whole):
            booked = [cell for cell in cells(day, facility) if cell.booking is not None]
            assert [cell.booking.row.pk for cell in booked if cell.booking] == [row.pk]

    def test_an_overdue_hold_is_free_again(self, owner: Member, now: datetime) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 5})
        services.create_reservation(
            wish=Wish(court.public_id, at_club(2, 10), at_club(2, 11)),
            member_id=owner.pk,
            membership_id=owner.membership_id,
            by=Actor("member", owner.full_name, owner.user_id, owner.pk),
            now=now,
        )

        assert kinds(day_of(now + timedelta(minutes=4)), court)["10:00"] == "booked"
        late = day_of(now + timedelta(minutes=5))
        assert kinds(late, court)["10:00"] == "free"
        assert late.bookings == []

    def test_who_did_not_come_leaves_the_slot_to_others_while_it_lasts(
        self, owner: Member, court: Facility
    ) -> None:
        row = book(owner, court)
        services.mark_no_show(reservation=row, by=STAFF, now=at_club(2, 10, 20))

        assert kinds(day_of(at_club(2, 10, 30)), court)["10:00"] == "free"
        assert kinds(day_of(at_club(2, 12)), court)["10:00"] == "booked"

    def test_a_pool_shows_how_many_are_in_each_hour(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        pool = make_facility("Pool", kind="class", lanes=30, takes="person")
        book(owner, pool, party=4)
        book(stranger, pool, party=2)

        at_ten = next(cell for cell in cells(day_of(now), pool) if cell.used)

        assert (at_ten.kind, at_ten.used, at_ten.lanes, at_ten.left) == ("count", 6, 30, 24)
        assert at_ten.interval.starts_at == at_club(2, 10)

    def test_short_slots_of_many_lanes_are_counted_by_the_hour(self, owner: Member, now: datetime) -> None:
        gym = make_facility("Gym", kind="class", lanes=5, terms={"slot_minutes": 15})
        starts_at = at_club(2, 10, 15)
        services.create_reservation(
            wish=Wish(gym.public_id, starts_at, starts_at + timedelta(minutes=15)),
            member_id=owner.pk, membership_id=owner.membership_id, by=STAFF, now=now,
        )  # fmt: skip

        taken = [cell for cell in cells(day_of(now), gym) if cell.used]

        assert [(cell.interval.minutes, cell.used) for cell in taken] == [(60, 1)]

    def test_tee_times_stand_in_a_sheet_with_a_row_for_each_hour(self, owner: Member, now: datetime) -> None:
        golf = make_facility("Golf", kind="tee", grid=10, terms={"slot_minutes": 10})
        starts_at = at_club(2, 10, 20)
        services.create_reservation(
            wish=Wish(golf.public_id, starts_at, starts_at + timedelta(minutes=10)),
            member_id=owner.pk, membership_id=owner.membership_id, by=STAFF, now=now,
        )  # fmt: skip

        board = day_of(now).areas[0].boards[0]

        assert board.sheet is not None
        assert [column.minute for column in board.columns] == [0, 10, 20, 30, 40, 50]
        ten = next(row for row in board.rows if row.hour == at_club(2, 10))
        assert [cell.kind for cell in ten.cells] == ["free", "free", "booked", "free", "free", "free"]

    def test_a_bar_over_the_hour_goes_on_in_the_next_row_of_a_sheet(self, now: datetime) -> None:
        golf = make_facility("Golf", kind="tee", grid=10, terms={"slot_minutes": 10})
        block(golf, hour=10, minutes=80)

        board: Board = day_of(now).areas[0].boards[0]

        ten, eleven = (
            next(row for row in board.rows if row.hour == at_club(2, hour)).cells[0] for hour in (10, 11)
        )
        assert (ten.span, ten.begins) == (6, True)
        assert (eleven.span, eleven.begins) == (2, False)

    def test_hours_past_midnight_are_on_both_days(self, owner: Member, now: datetime) -> None:
        bar = make_facility("Night Lane", kind="lane", opens=time(20), closes=time(2), next_day=True)
        row = book(owner, bar, day=3, hour=1)

        evening, morning = day_of(now), day_of(now, date(2026, 6, 3))

        assert [one.row.pk for one in evening.bookings] == [row.pk]
        assert [one.row.pk for one in morning.bookings] == [row.pk]
        assert kinds(morning, bar)["00:00"] == "free"
        assert kinds(morning, bar)["01:00"] == "booked"

    def test_a_place_without_terms_is_shown_but_not_offered(self, court: Facility, now: datetime) -> None:
        bare = make_facility("Bare Court")
        policy = policy_of(bare)
        policy.valid_until = date(2026, 5, 31)
        policy.save()

        assert set(kinds(day_of(now), bare).values()) == {"gap"}


class TestRooms:
    def test_arrivals_stays_departures_and_the_nights_ahead(
        self, owner: Member, spouse: Member, stranger: Member, now: datetime
    ) -> None:
        rooms = make_rooms(rooms=3)
        leaving = stay(owner, rooms, day=1, nights=1)
        staying = stay(spouse, rooms, day=1, nights=3)
        arriving = stay(stranger, rooms, day=2, nights=2)

        place = day_of(now).places[0]

        assert [one.row.pk for one in place.departures] == [leaving.pk]
        assert [one.row.pk for one in place.staying] == [staying.pk]
        assert [one.row.pk for one in place.arrivals] == [arriving.pk]
        assert [(night.used, night.left) for night in place.nights[:4]] == [(2, 1), (2, 1), (0, 3), (0, 3)]

    def test_an_arrival_without_a_room_is_to_look_at(self, owner: Member, now: datetime) -> None:
        row = stay(owner, make_rooms(), day=2, nights=1)
        assert day_of(now).booking(row.public_id).attention == ("no_room",)  # type: ignore[union-attr]  # there

        services.assign_room(reservation=row, room_no="104", by=STAFF, now=now)

        assert day_of(now).attention == []


class TestAttention:
    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"approval_required": True}, "approval"),
            ({"confirm_within_minutes": 600}, "unconfirmed"),
            ({"no_show_after_minutes": 20}, "late"),
        ],
        ids=["approval", "confirmation", "late"],
    )
    def test_follows_the_policy(self, owner: Member, terms: dict[str, Any], code: str) -> None:
        court = make_facility("Asking Court", terms=terms)
        book(owner, court, hour=10)

        before, after = day_of(at_club(2, 9)), day_of(at_club(2, 10, 5))

        if code == "late":
            assert before.attention == []
            assert [one.attention for one in after.attention] == [("late",)]
        else:
            found = [one.attention for one in day_of(at_club(1, 9)).attention]
            assert found == [(code,)]

    def test_names_that_the_policy_wants_and_does_not_have(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        strict = make_facility("Strict Court")
        row, other = book(owner, strict, party=3), book(owner, court, hour=14, party=3)
        version = make_version(policy_of(strict), number=2, guest_names_required=True)
        Reservation.objects.filter(pk=row.pk).update(policy_version=version)

        day = day_of(now)

        assert [one.row.pk for one in day.attention] == [row.pk]
        assert (day.attention[0].attention, day.attention[0].unnamed) == (("unnamed",), 2)
        assert day.booking(other.public_id).unnamed == 2  # type: ignore[union-attr]  # it is there

    def test_an_account_that_is_not_in_good_standing(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, court)
        owner.membership.standing = Standing.DELINQUENT
        owner.membership.save()

        assert [one.attention for one in day_of(now).attention] == [("standing",)]

    def test_what_was_flagged_until_it_is_over(self, owner: Member, court: Facility, now: datetime) -> None:
        row = book(owner, court)
        Reservation.objects.filter(pk=row.pk).update(needs_attention=True)
        assert [one.attention for one in day_of(now).attention] == [("flagged",)]

        services.cancel_by_club(
            reservation=Reservation.objects.get(pk=row.pk), by=STAFF, reason="Rain.", now=now
        )

        assert day_of(now).attention == []


class TestDay:
    def test_lists_what_no_longer_stands_apart(self, owner: Member, court: Facility, now: datetime) -> None:
        row = book(owner, court)
        services.cancel_reservation(reservation=row, by=STAFF, reason="Ill.", now=now)

        place = day_of(now).places[0]

        assert place.bookings == ()
        assert [one.row.pk for one in place.gone] == [row.pk]

    def test_knows_the_party_by_name(
        self, owner: Member, spouse: Member, court: Facility, now: datetime
    ) -> None:
        row = book(
            owner, court, party=4,
            companions=(Companion(member=spouse.public_id), Companion(guest_name="Test Guest")),
        )  # fmt: skip

        one = day_of(now).booking(row.public_id)

        assert one is not None
        assert [str(person.member or person.guest) for person in one.companions] == [
            str(spouse),
            "Test Guest",
        ]
        assert one.unnamed == 1

    def test_counts_members_bookings_and_not_the_clubs_own(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, court, party=3)
        block(court, hour=12)

        counts = day_of(now).counts

        assert (counts["bookings"], counts["people"], counts["confirmed"], counts["club"]) == (1, 3, 1, 1)

    def test_of_one_area_or_kind(self, court: Facility, now: datetime) -> None:
        pool = make_facility("Pool", kind="class", lanes=30, area="Fitness")

        by_area, by_kind = day_of(now, area="Fitness"), day_of(now, kind="class")

        assert [place.facility.id for place in by_area.places] == [pool.pk]
        assert [place.facility.id for place in by_kind.places] == [pool.pk]
        assert by_area.all_areas == ("Fitness",)

    def test_a_facility_that_is_not_shown_is_there_only_with_bookings(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, court)
        court.state = "retired"
        court.save()

        assert [place.facility.id for place in day_of(now).places] == [court.pk]
        assert day_of(now, date(2026, 6, 3)).places == []

    def test_reads_as_often_for_five_hundred_bookings_as_for_ten(
        self, front_desk: User, travel: object, court: Facility
    ) -> None:
        pool = make_facility("Pool", kind="class", lanes=600, takes="person")
        desk = signed_in(front_desk)
        fill(pool, 10)
        url = f"{PAGE}?date=2026-06-02"
        assert desk.get(url).status_code == 200  # the rulebook is in memory from here on

        few = count_queries(lambda: desk.get(url))
        fill(pool, 490)
        many = count_queries(lambda: desk.get(url))

        assert Reservation.objects.count() == 500
        assert few == many
        assert few <= 12


def fill(facility: Facility, count: int) -> None:
    """Bookings of as many members, written at once."""
    space = facility.spaces.get()
    first = Reservation.objects.count()
    version = policy_of(facility).versions.get()
    members = [MemberFactory.create(user=None) for _number in range(count)]
    starts_at = at_club(2, 10)
    rows = Reservation.objects.bulk_create(
        Reservation(
            facility=facility, member=member, membership=member.membership, policy_version=version,
            state=State.CONFIRMED, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1),
            starts_on=TUESDAY, party=1, created_at=starts_at,
        )
        for member in members
    )  # fmt: skip
    Participant.objects.bulk_create(
        Participant(reservation=row, kind="member", member_id=row.member_id) for row in rows
    )
    SlotClaim.objects.bulk_create(
        SlotClaim(
            space=space, cell_start=starts_at + quarter * timedelta(minutes=15), lane=first + number,
            reservation=row,
        )
        for number, row in enumerate(rows)
        for quarter in range(4)
    )  # fmt: skip


def count_queries(work: Callable[[], Any]) -> int:
    asked: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        work()
    return len(asked)
