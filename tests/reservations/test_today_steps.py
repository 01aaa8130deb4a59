"""Blocks at the front desk, and what is done to bookings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from reservations import services
from reservations.models import (
    Reservation,
    ReservationEvent,
    Strike,
)
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import (
    make_facility,
    make_rooms,
)
from tests.reservations.front_desk import (
    STAFF,
    act_on,
    block_at,
    book,
    signed_in,
    state_of,
    stay,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


@pytest.fixture
def desk(front_desk: User, travel: object) -> Client:
    return signed_in(front_desk)


@pytest.fixture
def facilities_staff(make_staff: Callable[[str], User]) -> User:
    return make_staff("Facilities")


class TestBlock:
    def test_takes_the_time_to_the_minute(self, desk: Client, court: Facility) -> None:
        response = block_at(desk, court, notes="Bring the ladder.")

        row = Reservation.objects.get()
        assert (row.type, row.title, row.notes) == ("BLOCKED", "Net repair", "Bring the ladder.")
        assert (row.starts_at, row.ends_at) == (at_club(2, 10, 15), at_club(2, 11, 45))
        assert response["Location"].endswith(f"#at-{court.pk}-021015")

    def test_says_who_is_in_the_way_and_keeps_what_was_typed(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        book(owner, court, hour=11)

        response = block_at(desk, court, notes="Keep me.")

        shown = text_of(response)
        assert "This time is taken." in shown
        assert f"11:00–12:00 {owner}, confirmed" in shown
        assert 'value="Keep me."' in response.content.decode()
        assert Reservation.objects.count() == 1

    def test_needs_to_say_what_for(self, desk: Client, court: Facility) -> None:
        assert "This field is required." in block_at(desk, court, title="").content.decode()

    def test_takes_some_of_many(self, desk: Client) -> None:
        pool = make_facility("Pool", kind="class", lanes=30)
        assert "There are only 30." in text_of(block_at(desk, pool, lanes=31))
        assert not Reservation.objects.exists()
        block_at(desk, pool, lanes=10, type="EVENT")
        assert (Reservation.objects.get().lanes, Reservation.objects.get().type) == (10, "EVENT")

    def test_takes_nights_of_rooms(self, desk: Client) -> None:
        rooms = make_rooms(rooms=4)
        block_at(desk, rooms, starts_at=at_club(2, 14).isoformat(), nights=3, lanes=2)
        row = Reservation.objects.get()
        assert (row.starts_at, row.ends_at, row.lanes) == (at_club(2, 14), at_club(5, 12), 2)

    def test_until_before_from_is_the_next_day(self, desk: Client, court: Facility) -> None:
        block_at(desk, court, begins="21:00", ends="01:00")
        assert Reservation.objects.get().ends_at == at_club(3, 1)

    def test_is_given_back(self, desk: Client, court: Facility) -> None:
        block_at(desk, court)
        row = Reservation.objects.get()
        act_on(desk, row, "cancel_by_club", reason="Repaired.")
        assert state_of(row) == State.CANCELLED_CLUB


class TestSteps:
    def test_checks_in_from_the_list_and_stays_there(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        row = book(owner, court)
        response = act_on(desk, row, "check_in", from_list=1)
        assert state_of(row) == State.CHECKED_IN
        assert response["Location"].endswith(f"#list-{row.public_id}")

    def test_marks_a_no_show_after_the_start_only(
        self, desk: Client, front_desk: User, owner: Member, court: Facility, travel: Any
    ) -> None:
        row = book(owner, court)
        assert "It has not started yet." in act_on(desk, row, "no_show").content.decode()
        assert state_of(row) == State.CONFIRMED

        travel.move_to(at_club(2, 10, 20))
        act_on(signed_in(front_desk), row, "no_show", reason="Phone did not answer.")
        assert state_of(row) == State.NO_SHOW
        assert Strike.objects.filter(member=owner).count() == 1

    def test_completes_and_confirms_and_assigns(
        self, desk: Client, front_desk: User, owner: Member, court: Facility, travel: Any
    ) -> None:
        asking = make_facility("Asking Court", terms={"confirm_within_minutes": 600})
        waiting = book(owner, asking)
        act_on(desk, waiting, "confirm")
        assert state_of(waiting) == State.CONFIRMED

        night = stay(owner, make_rooms(), day=2, nights=1)
        act_on(desk, night, "room", room_no="204")
        assert Reservation.objects.get(pk=night.pk).room_no == "204"

        row = book(owner, court)
        travel.move_to(at_club(2, 10, 30))
        act_on(signed_in(front_desk), row, "complete")
        assert state_of(row) == State.COMPLETED

    def test_cancels_for_the_member_at_the_cost_of_the_policy(self, desk: Client, owner: Member) -> None:
        strict = make_facility(
            "Strict Court", terms={"cancellation_cutoff_minutes": 48 * 60, "late_cancel": "strike"}
        )
        row = book(owner, strict)
        act_on(desk, row, "cancel", reason="Called at eight.")
        assert state_of(row) == State.CANCELLED_MEMBER
        assert Strike.objects.filter(reservation=row).exists()
        assert ReservationEvent.objects.filter(reservation=row).latest("pk").reason == "Called at eight."

    def test_cancels_for_the_club_without_cost(self, desk: Client, owner: Member, court: Facility) -> None:
        row = book(owner, court)
        act_on(desk, row, "cancel_by_club", reason="Rain.")
        assert state_of(row) == State.CANCELLED_CLUB
        assert not Strike.objects.exists()

    @pytest.mark.parametrize("do", ["cancel", "cancel_by_club"])
    def test_no_cancelling_without_a_reason(
        self, desk: Client, owner: Member, court: Facility, do: str
    ) -> None:
        row = book(owner, court)
        response = act_on(desk, row, do, reason=" ")
        assert "Say why." in response.content.decode()
        assert state_of(row) == State.CONFIRMED

    def test_a_refused_cancelling_keeps_the_reason(self, desk: Client, owner: Member) -> None:
        denying = make_facility("Denying Court", terms={"cancellation_cutoff_minutes": 48 * 60})
        row = book(owner, denying)

        response = act_on(desk, row, "cancel", reason="Called at eight.")

        assert "the policy does not let the member cancel" in response.content.decode()
        assert 'value="Called at eight."' in response.content.decode()
        assert state_of(row) == State.CONFIRMED

    def test_the_cost_is_waived_by_who_may(self, desk: Client, facilities_staff: User, owner: Member) -> None:
        denying = make_facility("Denying Court", terms={"cancellation_cutoff_minutes": 48 * 60})
        row = book(owner, denying)

        refused = act_on(desk, row, "cancel", reason="Storm.", waive_cost="on")
        assert "You may not waive" in refused.content.decode()
        assert state_of(row) == State.CONFIRMED

        act_on(signed_in(facilities_staff), row, "cancel", reason="Storm.", waive_cost="on")
        assert state_of(row) == State.CANCELLED_MEMBER

    def test_the_slower_of_two_is_told_who_was_faster(
        self, desk: Client, facilities_staff: User, owner: Member, court: Facility
    ) -> None:
        row = book(owner, court)
        act_on(signed_in(facilities_staff), row, "cancel_by_club", reason="Rain.")

        response = act_on(desk, row, "check_in")

        shown = text_of(response)
        assert "Test Facilities was faster (08:00)" in shown
        assert "cancelled by the club" in shown
        assert state_of(row) == State.CANCELLED_CLUB

    def test_the_same_step_twice_is_done_once(self, desk: Client, owner: Member, court: Facility) -> None:
        row = book(owner, court)
        act_on(desk, row, "check_in")
        again = act_on(desk, row, "check_in")
        assert "was faster" in again.content.decode()
        assert ReservationEvent.objects.filter(reservation=row).count() == 2

    def test_who_is_overtaken_inside_the_service_changes_nothing(
        self, desk: Client, owner: Member, court: Facility, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody's change lands between our look and the service's lock."""
        night = stay(owner, make_rooms(), day=2, nights=1)
        assign = services.assign_room

        def late(**said: Any) -> Reservation:
            assign(reservation=said["reservation"], room_no="101", by=STAFF, now=said["now"])
            return assign(**said)

        monkeypatch.setattr(services, "assign_room", late)
        response = act_on(desk, night, "room", room_no="102")

        assert "Nothing was done" in response.content.decode()
        assert Reservation.objects.get(pk=night.pk).room_no == ""

    @pytest.mark.parametrize(
        "odd",
        [{"booking": "x"}, {"version": "one"}],
        ids=["no-id", "no-version"],
    )
    def test_odd_input_changes_nothing(
        self, desk: Client, owner: Member, court: Facility, odd: dict[str, str]
    ) -> None:
        row = book(owner, court)
        response = act_on(desk, row, "check_in", **odd)
        assert response.status_code == 302
        assert state_of(row) == State.CONFIRMED

    def test_an_unknown_step_is_none(self, desk: Client, owner: Member, court: Facility) -> None:
        row = book(owner, court)
        assert act_on(desk, row, "delete").status_code == 302
        assert state_of(row) == State.CONFIRMED
