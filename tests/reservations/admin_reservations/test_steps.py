"""What staff do with a reservation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from time_machine import Traveller

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.errors import BusyError
from facilities.models import Facility
from reservations import services
from reservations.admin import turn
from reservations.models import ChargeLine, Reservation, Strike
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms
from tests.reservations.admin_reservations.pages import (
    LIST,
    because,
    fresh,
    page_of,
)
from tests.reservations.bookings import book, wish_for
from tests.reservations.desk import enter, errors_of, locked_database, text_of


class TestSteps:
    @pytest.fixture
    def asked(self, owner: Member, now: datetime) -> Reservation:
        """A request that waits for approval."""
        return book(owner, wish_for(make_facility("Hall", terms={"approval_required": True})), now=now)

    @pytest.mark.parametrize(("step", "state"), [("approve", State.CONFIRMED), ("deny", State.DENIED)])
    def test_decides_a_request_with_a_reason(
        self, desk: Client, asked: Reservation, step: str, state: State
    ) -> None:
        assert "Hall, Tue 2 Jun 2026, 10:00 – 11:00" in text_of(desk.get(page_of(asked, step)))
        assert fresh(asked).state == State.PENDING_APPROVAL
        assert desk.post(page_of(asked, step), because("")).status_code == 200
        answer = desk.post(page_of(asked, step), because("Kitchen is ready."), follow=True)
        assert "Done: Hall, 2026-06-02 10:00 is" in text_of(answer)
        assert fresh(asked).state == state
        last = asked.events.order_by("pk").last()
        assert last is not None
        assert (last.actor_name, last.reason) == ("Test Front Desk", "Kitchen is ready.")

    def test_confirms_for_the_member_with_a_press(self, desk: Client, owner: Member, now: datetime) -> None:
        row = book(owner, wish_for(make_facility("Held Court", terms={"hold_minutes": 10})), now=now)
        assert desk.get(page_of(row, "confirm")).status_code == 405
        desk.post(page_of(row, "confirm"))
        assert fresh(row).state == State.CONFIRMED

    def test_checks_in_and_completes(self, front_desk: User, booked: Reservation, travel: Traveller) -> None:
        travel.move_to(at_club(2, 9, 50))
        desk = enter(front_desk)  # yesterday's session is over
        desk.post(page_of(booked, "check-in"))
        row = fresh(booked)
        assert row.state == State.CHECKED_IN
        desk.post(page_of(row, "complete"))
        assert fresh(booked).state == State.COMPLETED

    def test_marks_a_no_show_once_it_has_begun(
        self, desk: Client, front_desk: User, booked: Reservation, travel: Traveller
    ) -> None:
        early = desk.post(page_of(booked, "no-show"), because())
        assert "It has not started yet." in text_of(early)
        travel.move_to(at_club(2, 10, 5))
        desk = enter(front_desk)  # yesterday's session is over
        assert ">No-show<" in text_of(desk.get(page_of(booked)))
        desk.post(page_of(booked, "no-show"), because("Nobody at the court."))
        assert fresh(booked).state == State.NO_SHOW
        assert Strike.objects.get().reservation == booked

    def test_cancels_for_the_club_at_no_cost(self, desk: Client, booked: Reservation) -> None:
        desk.post(page_of(booked, "cancel"), because("Heavy rain."))
        assert fresh(booked).state == State.CANCELLED_CLUB
        assert not booked.claims.exists()

    def test_assigns_a_room_of_a_stay(self, desk: Client, owner: Member, now: datetime) -> None:
        stay = services.booking.Wish(make_rooms().public_id, at_club(5, 14), at_club(6, 12))
        row = book(owner, stay, now=now)
        assert ">Assign a room<" in text_of(desk.get(page_of(row)))
        assert desk.get(page_of(row, "room")).status_code == 200
        desk.post(page_of(row, "room"), {"room_no": "204"})
        assert fresh(row).room_no == "204"
        assert "room 204" in text_of(desk.get(page_of(row)))

    def test_takes_the_flag_off(self, desk: Client, booked: Reservation) -> None:
        nothing = desk.post(page_of(booked, "attention"), because())
        assert "Nothing is left to look after." in text_of(nothing)
        Reservation.objects.filter(pk=booked.pk).update(needs_attention=True)
        assert "look at it" in text_of(desk.get(LIST))
        assert "It needs attention" in text_of(desk.get(page_of(booked)))
        desk.post(page_of(booked, "attention"), because("Called them."))
        assert not fresh(booked).needs_attention
        assert "looked after" in text_of(desk.get(page_of(booked)))

    def test_there_is_no_other_step(self, desk: Client, booked: Reservation) -> None:
        assert desk.post(page_of(booked, "explode")).status_code == 404
        assert desk.get(f"{LIST}999/step/cancel/").status_code == 404

    @pytest.mark.parametrize(
        ("step", "body"),
        [
            ("check-in", {}),
            ("cancel", because()),
            ("reschedule", {"starts_at": "2026-06-03T15:00", "ends_at": "2026-06-03T16:00"}),
            ("cancel-for-member", {"reason": ""}),
        ],
        ids=["check-in", "cancel", "reschedule", "cancel-for-member"],
    )
    def test_is_not_taken_on_what_has_changed_since_it_was_looked_at(
        self, desk: Client, booked: Reservation, now: datetime, step: str, body: dict[str, str]
    ) -> None:
        seen = booked.version
        services.reschedule_reservation(
            reservation=booked,
            starts_at=at_club(4, 10),
            ends_at=at_club(4, 11),
            by=Actor("staff", "Somebody else"),
            now=now,
        )
        answer = desk.post(page_of(booked, step, version=seen), body, follow=True)
        assert "Somebody has changed this reservation in the meantime." in text_of(answer)
        row = fresh(booked)
        assert (row.state, row.starts_at) == (State.CONFIRMED, at_club(4, 10))

    def test_what_the_state_does_not_allow_is_said(self, desk: Client, booked: Reservation) -> None:
        refused = desk.post(page_of(booked, "approve"), because())
        assert "not possible in the reservation's present state" in text_of(refused)

    @pytest.mark.parametrize(
        ("step", "body"),
        [("check-in", {}), ("cancel", because()), ("cancel-for-member", {"reason": ""})],
        ids=["press", "reason", "form"],
    )
    @pytest.mark.parametrize("busy", ["service", "driver"])
    def test_a_busy_database_is_a_message_to_try_again(
        self,
        desk: Client,
        booked: Reservation,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        body: dict[str, str],
        busy: str,
    ) -> None:
        def refuse(**kwargs: Any) -> None:
            raise BusyError if busy == "service" else locked_database()

        monkeypatch.setattr(turn, "at_version", refuse)
        answer = desk.post(page_of(booked, step), body, follow=True)
        assert answer.status_code == 200
        assert "Try again in a moment." in text_of(answer)
        assert fresh(booked).state == State.CONFIRMED


class TestReschedule:
    def test_refuses_in_words_and_offers_what_passes(
        self, desk: Client, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(stranger, wish_for(court, hour=15), now=now)
        page = page_of(booked, "reschedule")
        assert 'value="2026-06-02T10:00"' in text_of(desk.get(page))
        taken = {"starts_at": "2026-06-02T15:00", "ends_at": "2026-06-02T16:00"}
        assert "This time is taken." in errors_of(desk.post(page, taken))["__all__"][0]
        backward = errors_of(desk.post(page, {**taken, "ends_at": "2026-06-02T14:00"}))
        assert backward["ends_at"] == ["It must be later than the start. Correct one of the two."]
        assert errors_of(desk.post(page, {**taken, "starts_at": "soon"})).keys() == {"starts_at"}
        assert fresh(booked).starts_at == booked.starts_at

    def test_sets_the_rules_aside_with_a_reason_only(self, desk: Client, booked: Reservation) -> None:
        page = page_of(booked, "reschedule")
        far = {"starts_at": "2026-06-20T10:00", "ends_at": "2026-06-20T11:00"}
        assert "opens for booking" in errors_of(desk.post(page, far))["__all__"][0]
        assert errors_of(desk.post(page, {**far, "waive": "on"})).keys() == {"reason"}
        assert desk.post(page, {**far, "waive": "on", "reason": "Tournament."}).status_code == 302
        assert fresh(booked).starts_at == at_club(20, 10)


class TestCancelForMember:
    @pytest.mark.parametrize(
        ("terms", "said", "state"),
        [
            ({"late_cancel": "strike"}, "costs a strike", State.CANCELLED_MEMBER),
            (
                {"late_cancel": "charge", "late_cancel_charge": "500.00"},
                "is charged PHP 500.00",
                State.CANCELLED_MEMBER,
            ),
            ({"late_cancel": "deny"}, "could not be cancelled after", State.CONFIRMED),
        ],
        ids=["strike", "charge", "deny"],
    )
    def test_says_beforehand_what_it_costs(
        self, desk: Client, owner: Member, now: datetime, terms: dict[str, Any], said: str, state: State
    ) -> None:
        court = make_facility("Strict Court", terms={"cancellation_cutoff_minutes": 2880, **terms})
        row = book(owner, wish_for(court), now=now)
        assert said in text_of(desk.get(page_of(row, "cancel-for-member")))
        desk.post(page_of(row, "cancel-for-member"), {"reason": "Ill."})
        assert fresh(row).state == state
        assert Strike.objects.exists() is (terms["late_cancel"] == "strike")
        assert ChargeLine.objects.exists() is (terms["late_cancel"] == "charge")

    def test_waives_the_cost_by_who_may_with_a_reason(
        self, desk: Client, facilities_staff: Client, owner: Member, now: datetime
    ) -> None:
        court = make_facility("Strict Court", terms={"cancellation_cutoff_minutes": 2880})
        row = book(owner, wish_for(court), now=now)
        page = page_of(row, "cancel-for-member")
        assert 'name="waive"' not in text_of(desk.get(page))
        desk.post(page, {"waive": "on", "reason": "Typhoon."})
        assert fresh(row).state == State.CONFIRMED
        assert 'name="waive"' in text_of(facilities_staff.get(page))
        assert errors_of(facilities_staff.post(page, {"waive": "on"})).keys() == {"reason"}
        facilities_staff.post(page, {"waive": "on", "reason": "Typhoon."})
        assert fresh(row).state == State.CANCELLED_MEMBER
        assert not Strike.objects.exists()

    def test_in_time_costs_nothing(self, desk: Client, booked: Reservation) -> None:
        assert "it costs nothing now" in text_of(desk.get(page_of(booked, "cancel-for-member")))
        desk.post(page_of(booked, "cancel-for-member"), {"reason": ""})
        assert fresh(booked).state == State.CANCELLED_MEMBER
