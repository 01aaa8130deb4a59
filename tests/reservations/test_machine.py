"""Several members over one hall and its halves, in whatever order: the audit finds nothing after any step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Member, Relation
from bcc.core.errors import ConflictError, RuleError
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Type
from reservations.policies.quotas import period_of
from reservations.policies.states import DEADLINED, OCCUPYING, State
from reservations.services.booking import Wish
from tests.conftest import NOW, at_club
from tests.factories import MemberFactory, make_facility, make_quota, make_space
from tests.reservations.bookings import STAFF, actor_of, assert_sound

pytestmark = pytest.mark.engine

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
A_DAY, PLACES = 3, ("east", "west", "both", "pool")
people = st.integers(0, 2)
hours = st.integers(9, 14)
which = st.integers(0, 40)


class Club(RuleBasedStateMachine):
    """The services refuse with RuleError or ConflictError and nothing else, and never half-way."""

    def __init__(self) -> None:
        super().__init__()
        # What hypothesis tries in one run is undone before the next.
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.now = NOW

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @initialize()
    def open_the_club(self) -> None:
        household = MemberFactory.create()
        self.members = [
            household,
            MemberFactory.create(membership=household.membership, relation=Relation.SPOUSE),
            MemberFactory.create(),
        ]
        east, west = make_space("East half"), make_space("West half")
        waiting = {
            "hold_minutes": 30,
            "cancellation_cutoff_minutes": 60,
            "late_cancel": "strike",
            "max_slots": 2,
        }
        self.places: dict[str, Facility] = {
            "east": make_facility("East hall", kind="hall", spaces=[east], terms=waiting),
            "west": make_facility(
                "West hall", kind="hall", spaces=[west], terms={"buffer_after_minutes": 15}
            ),
            "both": make_facility(
                "Grand hall", kind="hall", spaces=[east, west], terms={"no_show_after_minutes": 15}
            ),
            "pool": make_facility("Pool", kind="class", lanes=4, takes="person"),
        }
        make_quota("Three a day", per="household", limit=A_DAY)

    def attempt(self, step: object) -> object:
        try:
            return step()  # type: ignore[operator]  # a closure of the rule
        except (RuleError, ConflictError):
            return None

    def some(self, number: int) -> Reservation | None:
        rows = list(Reservation.objects.filter(state__in=OCCUPYING).order_by("pk"))
        return rows[number % len(rows)] if rows else None

    def member_of(self, reservation: Reservation) -> Member:
        return next(one for one in self.members if one.pk == reservation.member_id)

    @rule(
        who=people,
        place=st.sampled_from(PLACES),
        hour=hours,
        slots=st.integers(1, 2),
        party=st.integers(1, 3),
    )
    def book(self, who: int, place: str, hour: int, slots: int, party: int) -> None:
        member, starts_at = self.members[who], at_club(1, hour)
        wish = Wish(self.places[place].public_id, starts_at, starts_at + slots * HOUR, party)
        self.attempt(
            lambda: services.create_reservation(
                wish=wish,
                member_id=member.pk,
                membership_id=member.membership_id,
                by=actor_of(member),
                now=self.now,
            )
        )

    @rule(number=which)
    def confirm(self, number: int) -> None:
        one = self.some(number)
        if one is not None and one.member_id is not None:
            by = actor_of(self.member_of(one))
            self.attempt(lambda: services.confirm_reservation(reservation=one, by=by, now=self.now))

    @rule(number=which, by_club=st.booleans())
    def cancel(self, number: int, by_club: bool) -> None:
        one = self.some(number)
        if one is None:
            return
        if by_club or one.member_id is None:
            self.attempt(lambda: services.cancel_by_club(reservation=one, by=STAFF, reason="", now=self.now))
        else:
            by = actor_of(self.member_of(one))
            self.attempt(lambda: services.cancel_reservation(reservation=one, by=by, reason="", now=self.now))

    @rule(number=which, hour=hours, slots=st.integers(1, 2))
    def move(self, number: int, hour: int, slots: int) -> None:
        one = self.some(number)
        if one is None or one.member_id is None:
            return
        by = actor_of(self.member_of(one))
        starts_at = at_club(1, hour)
        before = (one.starts_at, one.version)
        moved = self.attempt(
            lambda: services.reschedule_reservation(
                reservation=one, starts_at=starts_at, ends_at=starts_at + slots * HOUR, by=by, now=self.now
            )
        )
        one.refresh_from_db()
        assert moved is not None or (one.starts_at, one.version) == before

    @rule(hour=hours)
    def block(self, hour: int) -> None:
        starts_at = at_club(1, hour, 30)
        place = self.places["both"]
        self.attempt(
            lambda: services.block_facility(
                facility_id=place.pk,
                interval=Wish(place.public_id, starts_at, starts_at + HOUR).interval,
                type=Type.BLOCKED,
                title="Nets",
                by=STAFF,
                now=self.now,
            )
        )

    @rule(number=which)
    def check_in(self, number: int) -> None:
        one = self.some(number)
        if one is not None and one.member_id is not None:
            self.attempt(lambda: services.check_in(reservation=one, by=STAFF, now=self.now))

    @precondition(lambda self: self.now < at_club(1, 16))
    @rule(minutes=st.sampled_from([5, 31, 60, 120]))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def beat(self) -> None:
        services.expire_due(now=self.now)
        services.mark_no_shows(now=self.now)
        services.complete_finished(now=self.now)

        rows = Reservation.objects.filter(state__in=OCCUPYING)
        assert not rows.filter(state__in=DEADLINED, expires_at__lte=self.now).exists()
        assert not rows.filter(ends_at__lte=self.now).exclude(state=State.CONFIRMED).exists()

    @invariant()
    def the_claims_are_right(self) -> None:
        assert_sound(self.now)

    @invariant()
    def no_household_is_above_its_quota(self) -> None:
        if not hasattr(self, "members"):
            return
        for membership in {member.membership_id for member in self.members}:
            counted = Reservation.objects.filter(
                membership_id=membership, state__in=[*OCCUPYING, State.COMPLETED, State.NO_SHOW]
            )
            assert counted.filter(starts_on=period_of(NOW.date(), "day", 0)[0]).count() <= A_DAY

    @invariant()
    def every_state_came_through_its_door(self) -> None:
        for one in Reservation.objects.order_by("pk"):
            last = one.events.order_by("-pk").first()
            assert last is not None
            assert last.to_state == one.state
            assert (one.expires_at is not None) is (one.state in DEADLINED)


BOUNDED = settings(
    max_examples=15,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.django_db
def test_whatever_members_do_the_claims_stay_right() -> None:
    run_state_machine_as_test(Club, settings=BOUNDED)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "guard",
    ["reservations.services.changes.take_claims", "reservations.services.booking._judge"],
    ids=["claims-of-a-move", "rules-of-a-booking"],
)
def test_finds_a_guard_that_is_missing(monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """The control: with a guard taken away the same steps end in a finding."""
    monkeypatch.setattr(guard, lambda *_given, **_named: None)

    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(Club, settings=settings(BOUNDED, phases=[Phase.generate], print_blob=False))
