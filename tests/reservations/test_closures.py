from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest

from accounts.models import Member, Notification, User
from bcc.core.actors import Actor
from bcc.core.errors import DomainError
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility, FacilitySpace, Holiday, OpeningPeriod, OpeningSpan, Space
from facilities.models.hours import Weekday
from facilities.services.fit import MisfitError
from reservations import services
from reservations.models import Reservation, SlotClaim
from reservations.models.reservation import Type
from reservations.policies.states import State
from reservations.selectors.closures import counting_hits, get_hits
from reservations.selectors.rulebook import current_rules
from reservations.services import closures
from reservations.services.booking import Wish
from reservations.services.closures import Decision, FutureClaimsError, SpaceInUseError
from reservations.services.errors import UndecidedBookingsError
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms, make_space
from tests.reservations.bookings import book, wish_for

# Rules in memory leave out closures that are over by the clock of the machine.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]

KEEP, CANCEL = Decision.KEEP, Decision.CANCEL


@pytest.fixture
def by(make_staff: Callable[[str], User]) -> Actor:
    user = make_staff("Facilities")
    return Actor("staff", str(user), user.pk)


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from ten to eleven."""
    return book(owner, wish_for(court), now=now)


@pytest.fixture
def later(stranger: Member, court: Facility, now: datetime) -> Reservation:
    """The court, tomorrow from two to three."""
    return book(stranger, wish_for(court, hour=14), now=now)


def closure_of(
    target: Facility | Space, *, day: int = 2, hours: tuple[int, int] = (8, 18), handling: str = "notify"
) -> Closure:
    return Closure(
        facility=target if isinstance(target, Facility) else None,
        space=target if isinstance(target, Space) else None,
        starts_at=at_club(day, hours[0]),
        ends_at=at_club(day, hours[1]),
        reason="The net is torn.",
        handling=handling,
    )


def told(member: Member) -> list[str]:
    """The kinds of what a member was told, by e-mail."""
    sent = Notification.objects.filter(user=member.user, channel="email").order_by("pk")
    return list(sent.values_list("kind", flat=True))


def state_of(reservation: Reservation) -> str:
    return Reservation.objects.get(pk=reservation.pk).state


class TestGetHits:
    def test_finds_what_overlaps_and_nothing_that_only_touches(
        self, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        assert list(get_hits(closure_of(court), now=now)) == [booked, later]
        assert list(get_hits(closure_of(court, hours=(11, 14)), now=now)) == []
        assert list(get_hits(closure_of(court, hours=(14, 15)), now=now)) == [later]

    def test_leaves_out_what_is_over_or_given_back(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.cancel_by_club(reservation=later, by=by, reason="Rain.", now=now)

        assert list(get_hits(closure_of(court), now=at_club(2, 11))) == []
        assert list(get_hits(closure_of(court), now=now)) == [booked]

    def test_finds_every_facility_on_a_space(self, owner: Member, stranger: Member, now: datetime) -> None:
        north, south = make_space("North half"), make_space("South half")
        whole = make_facility("Whole hall", spaces=[north, south])
        half = make_facility("South hall", spaces=[south])
        on_both = book(owner, wish_for(whole, hour=10), now=now)
        on_south = book(stranger, wish_for(half, hour=12), now=now)

        assert list(get_hits(closure_of(south), now=now)) == [on_both, on_south]
        assert list(get_hits(closure_of(north), now=now)) == [on_both]

    def test_is_what_the_list_counts(
        self, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        space = court.spaces.get()
        for closure in (closure_of(court), closure_of(space), closure_of(court, hours=(14, 16))):
            closure.save()

        counted = counting_hits(Closure.objects.order_by("pk"), now=now)

        assert [one.hits for one in counted] == [2, 2, 1]  # type: ignore[attr-defined]  # annotated
        for one in counted:
            assert one.hits == get_hits(one, now=now).count()  # type: ignore[attr-defined]  # annotated


class TestClose:
    def test_cancels_and_keeps_as_decided(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        assert state_of(booked) == State.CANCELLED_CLUB
        assert state_of(later) == State.CONFIRMED
        later.refresh_from_db()
        assert later.needs_attention
        assert Closure.objects.get().confirmed_at == closure.confirmed_at == now

    def test_frees_the_claims_of_what_it_cancels_alone(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        assert not SlotClaim.objects.filter(reservation=booked).exists()
        assert SlotClaim.objects.filter(reservation=later).count() == 4

    def test_writes_who_did_it_and_why_into_both_histories(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(
            closure=closure_of(court), decisions={booked.pk: CANCEL, later.pk: KEEP}, by=by, now=now
        )

        moved, kept = booked.events.latest("pk"), later.events.latest("pk")
        assert (moved.action, moved.from_state, moved.to_state) == ("moved", "CONFIRMED", "CANCELLED_CLUB")
        assert (kept.action, kept.from_state, kept.to_state) == ("kept", "CONFIRMED", "CONFIRMED")
        for event in (moved, kept):
            assert (event.actor_kind, event.actor_name, event.actor_user_id) == ("staff", by.name, by.user_id)
            assert (event.reason, event.at) == ("The net is torn.", now)

    def test_refuses_while_one_is_undecided_and_changes_nothing(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=now)

        assert refused.value.reservations == [later]
        assert refused.value.hits == [booked, later]
        assert (state_of(booked), state_of(later)) == (State.CONFIRMED, State.CONFIRMED)
        assert not Closure.objects.exists()
        assert booked.events.count() == 1
        assert told(booked.member) == ["reservation_confirmed"]  # type: ignore[arg-type]  # a member's booking

    def test_sees_a_booking_that_came_between_the_look_and_the_lock(
        self,
        booked: Reservation,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lock_for = closures.lock_for
        came: list[Reservation] = []

        def somebody_is_faster(*args: object, **kwargs: object) -> None:
            came.append(book(stranger, wish_for(court, hour=12), now=now))
            lock_for(*args, **kwargs)  # type: ignore[arg-type]  # as given

        monkeypatch.setattr(closures, "lock_for", somebody_is_faster)
        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=now)

        assert refused.value.reservations == came
        assert refused.value.hits == [booked, *came]
        assert state_of(booked) == State.CONFIRMED

    @pytest.mark.parametrize(
        ("handling", "about_kept"),
        [("keep", []), ("notify", ["reservation_kept"]), ("cancel", ["reservation_kept"])],
    )
    def test_tells_members_of_kept_bookings_as_the_handling_says(
        self,
        booked: Reservation,
        later: Reservation,
        owner: Member,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        handling: str,
        about_kept: list[str],
    ) -> None:
        services.close(
            closure=closure_of(court, handling=handling),
            decisions={booked.pk: CANCEL, later.pk: KEEP},
            by=by,
            now=now,
        )

        assert told(owner) == ["reservation_confirmed", "reservation_cancelled_club"]
        assert told(stranger) == ["reservation_confirmed", *about_kept]

    def test_lets_nobody_book_inside_it(
        self, stranger: Member, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        with pytest.raises(DomainError):
            book(stranger, wish_for(court, hour=12), now=now)
        assert book(stranger, wish_for(court, hour=18), now=now).pk

    def test_offers_only_to_keep_who_is_there_already(
        self, booked: Reservation, court: Facility, by: Actor
    ) -> None:
        services.check_in(reservation=booked, by=by, now=at_club(2, 10))

        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(
                closure=closure_of(court), decisions={booked.pk: CANCEL}, by=by, now=at_club(2, 10, 30)
            )
        assert refused.value.reservations == [booked]

        services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=at_club(2, 10, 30))
        assert state_of(booked) == State.CHECKED_IN

    def test_asks_again_only_about_what_a_change_hits_anew(
        self,
        booked: Reservation,
        later: Reservation,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
    ) -> None:
        closure = services.close(
            closure=closure_of(court, hours=(8, 12)), decisions={booked.pk: KEEP}, by=by, now=now
        )
        closure.ends_at = at_club(2, 18)

        with pytest.raises(UndecidedBookingsError) as refused:
            services.close(closure=closure, decisions={}, by=by, now=now + timedelta(hours=1))
        assert refused.value.reservations == [later]
        assert refused.value.hits == [booked, later]
        assert refused.value.kept == {booked.pk}

        services.close(closure=closure, decisions={later.pk: CANCEL}, by=by, now=now + timedelta(hours=1))
        closure.refresh_from_db()
        assert (closure.ends_at, closure.confirmed_at) == (at_club(2, 18), now)
        assert booked.events.filter(action="kept").count() == 1
        assert state_of(later) == State.CANCELLED_CLUB

    def test_cancels_what_was_kept_before_if_staff_change_their_mind(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=now)

        services.close(closure=closure, decisions={booked.pk: CANCEL}, by=by, now=now)

        assert state_of(booked) == State.CANCELLED_CLUB

    def test_asks_about_everything_again_under_another_handling(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={booked.pk: KEEP}, by=by, now=now)
        closure.handling = Closure.Handling.CANCEL

        with pytest.raises(UndecidedBookingsError):
            services.close(closure=closure, decisions={}, by=by, now=now)

    def test_cancels_on_every_facility_of_a_space(
        self, owner: Member, stranger: Member, by: Actor, now: datetime
    ) -> None:
        north, south = make_space("North half"), make_space("South half")
        whole = make_facility("Whole hall", spaces=[north, south])
        half = make_facility("South hall", spaces=[south])
        hits = [
            book(owner, wish_for(whole, hour=10), now=now),
            book(stranger, wish_for(half, hour=12), now=now),
        ]

        services.close(
            closure=closure_of(south),
            decisions=dict.fromkeys([hit.pk for hit in hits], CANCEL),
            by=by,
            now=now,
        )

        assert not SlotClaim.objects.exists()

    def test_keeps_what_the_club_booked_for_itself(self, court: Facility, by: Actor, now: datetime) -> None:
        event = services.block_facility(
            facility_id=court.pk,
            interval=Interval(at_club(2, 9), at_club(2, 10)),
            type=Type.EVENT,
            title="Clinic",
            by=by,
            now=now,
        )

        services.close(closure=closure_of(court), decisions={event.pk: KEEP}, by=by, now=now)

        assert state_of(event) == State.CONFIRMED


class TestLiftClosure:
    def test_ends_one_that_has_begun(self, court: Facility, by: Actor, now: datetime) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(2, 9))

        assert Closure.objects.get().ends_at == at_club(2, 9)

    @pytest.mark.parametrize("hour", [7, 8])
    def test_takes_one_away_that_has_not(self, court: Facility, by: Actor, now: datetime, hour: int) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(2, hour))

        assert not Closure.objects.exists()

    def test_leaves_one_that_is_over_as_it_was(self, court: Facility, by: Actor, now: datetime) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)

        services.lift_closure(closure=closure, now=at_club(3, 9))

        assert Closure.objects.get().ends_at == at_club(2, 18)

    def test_lets_members_book_again(
        self, stranger: Member, court: Facility, by: Actor, now: datetime
    ) -> None:
        closure = services.close(closure=closure_of(court), decisions={}, by=by, now=now)
        services.lift_closure(closure=closure, now=now)

        assert book(stranger, wish_for(court, hour=12), now=now).pk


def shorten(facility: Facility, *, closes: int) -> Callable[[], None]:
    """What writes other hours: the facility closes at an earlier hour, every day."""

    def apply() -> None:
        OpeningSpan.objects.filter(period__facility=facility).update(closes=time(closes))

    return apply


class TestChangeHours:
    def change(
        self,
        *facilities: Facility,
        apply: Callable[[], None],
        by: Actor,
        now: datetime,
        decisions: dict[int, Decision] | None = None,
    ) -> None:
        services.change_hours(
            facilities=facilities,
            apply=apply,
            decisions=decisions or {},
            by=by,
            reason="It closes at noon.",
            now=now,
        )

    def test_asks_about_what_it_leaves_outside_and_nothing_else(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(court, apply=shorten(court, closes=12), by=by, now=now)

        assert refused.value.hits == [later]
        assert OpeningSpan.objects.filter(closes=time(22)).count() == 7

    def test_cancels_and_keeps_as_decided(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(
            court,
            apply=shorten(court, closes=10),
            by=by,
            now=now,
            decisions={booked.pk: KEEP, later.pk: CANCEL},
        )

        assert state_of(booked) == State.CONFIRMED
        assert state_of(later) == State.CANCELLED_CLUB
        assert told(booked.member) == ["reservation_confirmed", "reservation_kept"]  # type: ignore[arg-type]  # a member's
        assert booked.events.latest("pk").reason == "It closes at noon."
        assert OpeningSpan.objects.filter(closes=time(10)).count() == 7

    def test_asks_nothing_when_nobody_is_left_outside(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(court, apply=shorten(court, closes=12), by=by, now=now)

        assert OpeningSpan.objects.filter(closes=time(12)).count() == 7
        assert booked.events.count() == 1

    def test_leaves_alone_what_was_outside_before(
        self, booked: Reservation, later: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.change(court, apply=shorten(court, closes=12), by=by, now=now, decisions={later.pk: KEEP})

        self.change(court, apply=shorten(court, closes=11), by=by, now=now)

        assert later.events.filter(action="kept").count() == 1

    def test_leaves_alone_what_the_club_booked_for_itself(
        self, court: Facility, by: Actor, now: datetime
    ) -> None:
        services.block_facility(
            facility_id=court.pk,
            interval=Interval(at_club(2, 19), at_club(2, 20)),
            type=Type.BLOCKED,
            title="Paint",
            by=by,
            now=now,
        )

        self.change(court, apply=shorten(court, closes=12), by=by, now=now)

    def test_sees_a_booking_that_came_between_the_look_and_the_lock(
        self,
        stranger: Member,
        court: Facility,
        by: Actor,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lock_for = closures.lock_for

        def somebody_is_faster(*args: object, **kwargs: object) -> None:
            book(stranger, wish_for(court, hour=14), now=now)
            lock_for(*args, **kwargs)  # type: ignore[arg-type]  # as given

        monkeypatch.setattr(closures, "lock_for", somebody_is_faster)
        with pytest.raises(UndecidedBookingsError):
            self.change(court, apply=shorten(court, closes=12), by=by, now=now)

    def test_refuses_hours_that_do_not_fall_on_the_cells(
        self, court: Facility, by: Actor, now: datetime
    ) -> None:
        def at_ten_past() -> None:
            OpeningSpan.objects.filter(period__facility=court).update(opens=time(6, 10))

        with pytest.raises(MisfitError, match="Correct") as refused:
            self.change(court, apply=at_ten_past, by=by, now=now)

        assert list(refused.value.errors) == ["opens"]
        assert OpeningSpan.objects.filter(opens=time(6)).count() == 7

    def test_asks_about_a_span_past_midnight(self, owner: Member, by: Actor, now: datetime) -> None:
        bar = make_facility("Late lane", kind="lane", opens=time(18), closes=time(2), next_day=True)
        late = book(owner, wish_for(bar, day=3, hour=1), now=now)

        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(bar, apply=shorten(bar, closes=1), by=by, now=now)

        assert refused.value.hits == [late]

    def test_asks_about_stays_with_a_night_on_a_closed_date(
        self, owner: Member, by: Actor, now: datetime
    ) -> None:
        rooms = make_rooms()
        stay = services.create_reservation(
            wish=wish_of_nights(rooms, first=5, nights=3),
            member_id=owner.pk,
            membership_id=owner.membership_id,
            by=by,
            now=now,
        )

        def close_on(day: int) -> Callable[[], None]:
            def apply() -> None:
                OpeningPeriod.objects.create(
                    facility=rooms,
                    name="Works",
                    starts_on=date(2026, 6, day),
                    ends_on=date(2026, 6, day),
                    priority=5,
                )

            return apply

        self.change(rooms, apply=close_on(8), by=by, now=now)  # the day of departure
        with pytest.raises(UndecidedBookingsError) as refused:
            self.change(rooms, apply=close_on(7), by=by, now=now)
        assert refused.value.hits == [stay]


def wish_of_nights(rooms: Facility, *, first: int, nights: int) -> Wish:
    return Wish(rooms.public_id, at_club(first, 14), at_club(first + nights, 12))


class TestHolidays:
    @pytest.fixture
    def short_holidays(self, court: Facility) -> Facility:
        """On holidays the court closes at noon."""
        OpeningSpan.objects.create(
            period=court.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(6), closes=time(12)
        )
        return court

    def confirm(
        self, *facilities: Facility, by: Actor, now: datetime, decisions: dict[int, Decision] | None = None
    ) -> None:
        holiday, _new = Holiday.objects.get_or_create(on=date(2026, 6, 2), defaults={"name": "Test Day"})

        def apply() -> None:
            holiday.is_confirmed = True
            holiday.save()

        services.change_hours(
            facilities=facilities, apply=apply, decisions=decisions or {}, by=by, reason="Test Day.", now=now
        )

    def test_asks_about_the_bookings_of_every_facility_with_holiday_hours(
        self,
        booked: Reservation,
        later: Reservation,
        owner: Member,
        short_holidays: Facility,
        by: Actor,
        now: datetime,
    ) -> None:
        other = make_facility("Court Two")
        OpeningSpan.objects.create(
            period=other.opening_periods.get(), weekday=Weekday.HOLIDAY, opens=time(9), closes=time(12)
        )
        early = book(owner, wish_for(other, hour=8), now=now)

        with pytest.raises(UndecidedBookingsError) as refused:
            self.confirm(short_holidays, other, by=by, now=now)
        assert refused.value.hits == [early, later]
        assert not Holiday.objects.get().is_confirmed

        self.confirm(short_holidays, other, by=by, now=now, decisions={early.pk: CANCEL, later.pk: KEEP})
        assert Holiday.objects.get().is_confirmed
        assert [state_of(one) for one in (booked, early, later)] == [
            "CONFIRMED",
            "CANCELLED_CLUB",
            "CONFIRMED",
        ]

    def test_touches_nothing_where_there_are_no_holiday_hours(
        self, booked: Reservation, court: Facility, by: Actor, now: datetime
    ) -> None:
        self.confirm(by=by, now=now)

        assert Holiday.objects.get().is_confirmed
        assert booked.events.count() == 1


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
