"""Facilities and spaces that change under bookings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

import pytest

from accounts.models import Member
from bcc.core.actors import Actor
from bcc.core.errors import DomainError
from bcc.core.intervals import Interval
from facilities.models import Facility, FacilitySpace, Space
from facilities.services.fit import MisfitError
from reservations import services
from reservations.models import Reservation
from reservations.models.reservation import Type
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.closures import Decision, FutureClaimsError, SpaceInUseError
from reservations.services.errors import UndecidedBookingsError
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms, make_space
from tests.reservations.bookings import book, wish_for
from tests.reservations.closures.bookings import (
    CANCEL,
    KEEP,
    state_of,
    wish_of_nights,
)

# Rules in memory leave out closures that are over by the clock of the machine.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestRetireFacility:
    def retire(
        self, facility: Facility, by: Actor, now: datetime, decisions: dict[int, Decision] | None = None
    ) -> Facility:
        return services.retire_facility(
            facility=facility, decisions=decisions or {}, by=by, reason="It is built over.", now=now
        )

    def test_asks_about_every_coming_booking(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        with pytest.raises(UndecidedBookingsError) as refused:
            self.retire(court, by, now, {booked.pk: CANCEL})

        assert refused.value.reservations == [later]
        assert Facility.objects.get().state == "published"
        assert state_of(booked) == State.CONFIRMED

    def test_takes_it_out_of_the_app(
        self,
        booked: Reservation,
        later: Reservation,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
    ) -> None:
        self.retire(court, by, now, {booked.pk: CANCEL, later.pk: KEEP})

        assert Facility.objects.get().state == "retired"
        assert [state_of(booked), state_of(later)] == ["CANCELLED_CLUB", "CONFIRMED"]
        assert not next(iter(current_rules().facilities.values())).is_published
        with pytest.raises(DomainError):
            book(stranger, wish_for(court, hour=16), now=now)

    def test_leaves_what_is_over_alone(self, booked: Reservation, court: Facility, by: Actor) -> None:
        self.retire(court, by, at_club(2, 11))

        assert booked.events.count() == 1


class TestChangeSpace:
    @pytest.fixture
    def space(self, court: Facility) -> Space:
        return court.spaces.get()

    @pytest.mark.parametrize(("field", "value"), [("grid", 30), ("lanes", 2)])
    def test_refuses_another_meaning_of_present_claims_and_says_whose(
        self, booked: Reservation, space: Space, now: datetime, field: str, value: int
    ) -> None:
        setattr(space, field, value)

        with pytest.raises(FutureClaimsError) as refused:
            services.change_space(space=space, fields=[field], now=now)

        assert str(refused.value.detail) == (
            "Court One is booked until 2 June 2026, 11:00 (Court One, Test Owner). Move the bookings or wait."
        )
        assert getattr(Space.objects.get(), field) != value

    @pytest.mark.parametrize(("field", "value"), [("grid", 30), ("lanes", 2)])
    def test_takes_it_when_nobody_is_to_come(
        self, booked: Reservation, space: Space, field: str, value: int
    ) -> None:
        setattr(space, field, value)

        services.change_space(space=space, fields=[field], now=at_club(2, 11))

        assert getattr(Space.objects.get(), field) == value

    def test_takes_a_name_at_any_time_and_leaves_the_lock_alone(
        self, booked: Reservation, space: Space, now: datetime
    ) -> None:
        lock_version = Space.objects.get().lock_version
        space.name, space.lock_version = "Centre Court", 0

        services.change_space(space=space, fields=["name"], now=now)

        found = Space.objects.get()
        assert (found.name, found.lock_version) == ("Centre Court", lock_version)

    def test_changes_nothing_when_nothing_is_named(self, space: Space, now: datetime) -> None:
        space.name = "Not meant"

        services.change_space(space=space, fields=[], now=now)

        assert Space.objects.get().name == "Court One"

    def test_makes_a_new_one(self, now: datetime) -> None:
        services.change_space(space=Space(code="new", name="New"), fields=[], now=now)

        assert Space.objects.get().name == "New"

    def test_refuses_another_check_in_under_coming_nights(
        self, owner: Member, by: Actor, now: datetime
    ) -> None:
        rooms = make_rooms()
        services.create_reservation(
            wish=wish_of_nights(rooms, first=5, nights=2),
            member_id=owner.pk,
            membership_id=owner.membership_id,
            by=by,
            now=now,
        )
        space = rooms.spaces.get()
        space.check_in_at = time(15)

        with pytest.raises(FutureClaimsError):
            services.change_space(space=space, fields=["check_in_at"], now=now)

    def test_refuses_a_grid_that_slots_do_not_fall_on(self, court: Facility, now: datetime) -> None:
        squash = make_facility("Squash", terms={"slot_minutes": 45})
        space = squash.spaces.get()
        space.grid = 30

        with pytest.raises(MisfitError):
            services.change_space(space=space, fields=["grid"], now=now)

    def test_retires_no_space_that_somebody_is_to_come_to(
        self, booked: Reservation, space: Space, now: datetime
    ) -> None:
        space.is_retired = True

        with pytest.raises(FutureClaimsError):
            services.change_space(space=space, fields=["is_retired"], now=now)

    def test_retires_no_space_under_a_facility_and_names_it(self, space: Space, now: datetime) -> None:
        space.is_retired = True

        with pytest.raises(SpaceInUseError, match="Court One is used by Court One"):
            services.change_space(space=space, fields=["is_retired"], now=now)

    def test_retires_a_space_after_its_facility(
        self, court: Facility, space: Space, by: Actor, now: datetime
    ) -> None:
        services.retire_facility(facility=court, decisions={}, by=by, reason="", now=now)
        space.is_retired = True

        services.change_space(space=space, fields=["is_retired"], now=now)

        assert Space.objects.get().is_retired


class TestChangeSpaces:
    def moved_to(self, facility: Facility, space: Space) -> Callable[[], None]:
        def apply() -> None:
            FacilitySpace.objects.filter(facility=facility).delete()
            FacilitySpace.objects.create(facility=facility, space=space)

        return apply

    def test_refuses_while_somebody_is_to_come_and_says_who(
        self, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        apply = self.moved_to(court, make_space("Elsewhere"))

        with pytest.raises(FutureClaimsError) as refused:
            services.change_spaces(facility=court, apply=apply, now=now)

        assert str(refused.value.detail) == (
            "Court One has bookings until 2 June 2026, 15:00 (Test Stranger). Move them, or wait until then."
        )
        assert court.spaces.get().name == "Court One"

    def test_names_what_the_club_booked_for_itself(self, court: Facility, by: Actor, now: datetime) -> None:
        for title, said in (("", "blocked"), ("Paint", "Paint")):
            services.block_facility(
                facility_id=court.pk,
                interval=Interval(at_club(2, 19 + bool(title)), at_club(2, 20 + bool(title))),
                type=Type.BLOCKED,
                title=title,
                by=by,
                now=now,
            )
            with pytest.raises(FutureClaimsError, match=rf"\({said}\)"):
                services.change_spaces(facility=court, apply=lambda: None, now=now)

    def test_takes_it_when_nobody_is_to_come(self, court: Facility, now: datetime) -> None:
        services.change_spaces(facility=court, apply=self.moved_to(court, make_space("Elsewhere")), now=now)

        assert court.spaces.get().name == "Elsewhere"

    def test_refuses_a_space_that_its_slots_do_not_fall_on(self, now: datetime) -> None:
        squash = make_facility("Squash", terms={"slot_minutes": 45})
        apply = self.moved_to(squash, make_space("Half hours", grid=30))

        with pytest.raises(MisfitError):
            services.change_spaces(facility=squash, apply=apply, now=now)

        assert squash.spaces.get().name == "Squash"
