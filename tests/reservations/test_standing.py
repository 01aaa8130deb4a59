"""Coming bookings of a household whose standing turns bad."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Member, Notification
from accounts.services.household import change_membership
from bcc.core.errors import ConflictError
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, SlotClaim
from reservations.policies.states import State
from reservations.services import standing as standing_service
from reservations.services.standing import apply_standing
from reservations.tasks import apply_standings as task
from tests.conftest import at_club
from tests.factories import make_facility, make_version
from tests.reservations.bookings import actor_of, book, wish_for

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=1)


def court_that(on_bad_standing: str, name: str = "Strict Court", **terms: Any) -> Facility:
    return make_facility(name, terms={"on_bad_standing": on_bad_standing, **terms})


def turn(member: Member, standing: str, *, now: datetime) -> None:
    """As the membership office does; nobody hears of it, for the test's transaction never ends."""
    change_membership(
        membership=member.membership,
        category=member.membership.category,
        standing=standing,
        valid_to=None,
        now=now,
    )


def notices(reservation: Reservation) -> list[tuple[str, str]]:
    link = f"reservations/{reservation.public_id}"
    rows = Notification.objects.filter(link=link).exclude(kind="reservation_confirmed")
    return sorted(rows.values_list("kind", "channel"))


class TestApplyStandings:
    @pytest.mark.parametrize("standing", ["delinquent", "suspended"])
    def test_cancels_where_the_policy_says_so(
        self, owner: Member, stranger: Member, now: datetime, standing: str
    ) -> None:
        court = court_that("cancel")
        booked = book(owner, wish_for(court), now=now)
        turn(owner, standing, now=now)

        assert services.apply_standings(now=now + LATER) == 1

        booked.refresh_from_db()
        event = booked.events.latest("pk")
        assert booked.state == State.CANCELLED_CLUB
        assert (event.actor_kind, event.actor_name, event.at) == ("system", "standing", now + LATER)
        assert "good standing" in event.reason
        assert not SlotClaim.objects.filter(reservation=booked).exists()
        assert notices(booked) == [
            ("reservation_cancelled_club", "email"),
            ("reservation_cancelled_club", "in_app"),
        ]
        assert book(stranger, wish_for(court), now=now + LATER).pk

    def test_flags_where_the_policy_says_so_and_tells_the_member_once(
        self, owner: Member, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court_that("flag")), now=now)
        turn(owner, "delinquent", now=now)

        assert [services.apply_standings(now=now + LATER) for _run in range(2)] == [1, 0]

        booked.refresh_from_db()
        event = booked.events.latest("pk")
        assert (booked.state, booked.needs_attention) == (State.CONFIRMED, True)
        assert (event.action, event.actor_name) == ("flagged", "standing")
        assert "good standing" in event.reason
        assert notices(booked) == [("reservation_kept", "email"), ("reservation_kept", "in_app")]

    def test_keeps_where_the_policy_says_nothing(self, owner: Member, court: Facility, now: datetime) -> None:
        booked = book(owner, wish_for(court), now=now)
        turn(owner, "suspended", now=now)

        assert services.apply_standings(now=now + LATER) == 0

        booked.refresh_from_db()
        assert (booked.state, booked.needs_attention, notices(booked)) == (State.CONFIRMED, False, [])

    @pytest.mark.parametrize("policy", ["flag", "cancel"])
    def test_judges_by_the_version_of_the_booking(self, owner: Member, now: datetime, policy: str) -> None:
        booked = book(owner, wish_for(court_that("keep", policy.capitalize())), now=now)
        assert booked.policy_version is not None
        make_version(booked.policy_version.policy, number=2, on_bad_standing=policy)
        turn(owner, "delinquent", now=now)

        assert services.apply_standings(now=now + LATER) == 0

    def test_touches_every_booking_of_the_household_and_no_other(
        self, owner: Member, dependent: Member, stranger: Member, now: datetime
    ) -> None:
        court = court_that("cancel")
        own = book(owner, wish_for(court, hour=10), now=now)
        childs = book(dependent, wish_for(court, hour=11), now=now)
        others = book(stranger, wish_for(court, hour=12), now=now)
        turn(owner, "delinquent", now=now)

        assert services.apply_standings(now=now + LATER, membership_id=stranger.membership_id) == 0
        assert services.apply_standings(now=now + LATER, membership_id=owner.membership_id) == 2

        assert {State(one.state) for one in Reservation.objects.filter(pk__in=[own.pk, childs.pk])} == {
            State.CANCELLED_CLUB
        }
        others.refresh_from_db()
        assert others.state == State.CONFIRMED

    def test_leaves_what_has_begun_and_what_is_over(self, owner: Member, now: datetime) -> None:
        court = court_that("cancel")
        begun = book(owner, wish_for(court, hour=10), now=now)
        given_back = book(owner, wish_for(court, hour=11), now=now)
        services.cancel_reservation(reservation=given_back, by=actor_of(owner), reason="", now=now)
        start = at_club(2, 10)
        turn(owner, "delinquent", now=start - LATER)

        assert services.apply_standings(now=start) == 0

        begun.refresh_from_db()
        assert begun.state == State.CONFIRMED

    def test_leaves_what_was_booked_in_spite_of_the_standing(self, owner: Member, now: datetime) -> None:
        turn(owner, "delinquent", now=now)
        booked = book(owner, wish_for(court_that("cancel", requires_good_standing=False)), now=now + LATER)

        assert services.apply_standings(now=now + 2 * LATER) == 0

        booked.refresh_from_db()
        assert booked.state == State.CONFIRMED

    def test_leaves_a_household_that_has_settled(self, owner: Member, now: datetime) -> None:
        booked = book(owner, wish_for(court_that("cancel")), now=now)
        turn(owner, "delinquent", now=now)
        turn(owner, "good", now=now + LATER)

        assert services.apply_standings(now=now + 2 * LATER) == 0
        assert not apply_standing(pk=booked.pk, now=now + 2 * LATER)

    def test_flags_anew_when_the_standing_turns_again(self, owner: Member, now: datetime) -> None:
        book(owner, wish_for(court_that("flag")), now=now)
        turn(owner, "delinquent", now=now)
        services.apply_standings(now=now + LATER)
        turn(owner, "suspended", now=now + 2 * LATER)

        assert [services.apply_standings(now=now + 3 * LATER) for _run in range(2)] == [1, 0]

    def test_goes_on_with_the_rest_when_somebody_was_faster(
        self, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        court = court_that("cancel")
        overtaken = book(owner, wish_for(court, hour=10), now=now)
        book(owner, wish_for(court, hour=11), now=now)
        turn(owner, "delinquent", now=now)
        plain = standing_service.apply_standing

        def apply(*, pk: int, now: datetime) -> bool:
            if pk == overtaken.pk:
                raise ConflictError
            return plain(pk=pk, now=now)

        monkeypatch.setattr(standing_service, "apply_standing", apply)

        assert services.apply_standings(now=now + LATER) == 1

    def test_takes_more_than_one_batch(
        self, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standing_service, "BATCH", 2)
        court = court_that("flag")
        for hour in (8, 9, 10, 11, 12):
            book(owner, wish_for(court, hour=hour), now=now)
        turn(owner, "delinquent", now=now)

        assert services.apply_standings(now=now + LATER) == 5


class TestTheNudge:
    def test_acts_as_soon_as_the_change_has_committed(
        self, owner: Member, travel: Any, now: datetime, django_capture_on_commit_callbacks: Any
    ) -> None:
        booked = book(owner, wish_for(court_that("cancel")), now=now)

        with django_capture_on_commit_callbacks(execute=True):
            turn(owner, "suspended", now=now)

        booked.refresh_from_db()
        assert booked.state == State.CANCELLED_CLUB

    def test_is_given_for_bad_standing_alone(
        self,
        owner: Member,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        nudged: list[tuple[str, int]] = []

        def note(task: str, *, membership: int) -> None:
            nudged.append((task, membership))

        monkeypatch.setattr("reservations.receivers.enqueue", note)
        for standing in ("delinquent", "suspended", "good"):
            with django_capture_on_commit_callbacks(execute=True):
                turn(owner, standing, now=now)

        assert nudged == [("reservations.apply_standings", owner.membership_id)] * 2


class TestTheSweeper:
    def test_finds_what_the_nudge_missed(self, owner: Member, travel: Any, now: datetime) -> None:
        booked = book(owner, wish_for(court_that("cancel")), now=now)
        turn(owner, "delinquent", now=now)

        assert [task(), task()] == [1, 0]

        booked.refresh_from_db()
        assert booked.state == State.CANCELLED_CLUB
