from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Model

from accounts.models import Member, Notification, PrivilegeHold
from bcc.core.errors import InvalidError, NotFoundError, RuleError
from bcc.core.transactions import lock_rows
from facilities.models import Closure, Facility, FacilitySpace, Space
from reservations.models import Guest, Reservation
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.booking import Companion, Wish
from reservations.services.errors import SlotTakenError
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_rooms, make_space
from tests.reservations.bookings import book, codes, wish_for

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


class TestCreateReservation:
    def test_confirms_at_once_where_the_policy_asks_for_nothing(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        reservation = book(owner, wish_for(court), now=now)

        assert reservation.state == State.CONFIRMED
        assert reservation.expires_at is None
        assert reservation.claims.count() == 4

    def test_holds_where_the_policy_says_so_and_shows_until_when(self, owner: Member, now: datetime) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 10})

        reservation = book(owner, wish_for(court), now=now)

        assert reservation.state == State.HELD
        assert reservation.expires_at == now + timedelta(minutes=10)

    def test_refuses_a_taken_slot_as_a_conflict(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(court), now=now)

    def test_lets_bookings_touch(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court, hour=10), now=now)

        assert book(stranger, wish_for(court, hour=11), now=now).pk
        assert book(stranger, wish_for(court, hour=9), now=now).pk

    def test_names_every_rule_that_failed(self, owner: Member, court: Facility, now: datetime) -> None:
        owner.membership.standing = "delinquent"
        owner.membership.save(update_fields=["standing"])

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(court, day=25, slots=4, party=9), now=now)

        assert codes(refused) == {"not_yet_released", "slot_count", "party_size", "not_in_good_standing"}

    def test_writes_the_history_with_who_did_it(self, owner: Member, court: Facility, now: datetime) -> None:
        event = book(owner, wish_for(court), now=now).events.get()

        assert (event.action, event.from_state, event.to_state) == ("created", "", State.CONFIRMED)
        assert event.actor_name == owner.full_name

    def test_tells_the_member_once_by_each_channel(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)

        sent = Notification.objects.filter(user=owner.user, kind="reservation_confirmed")
        assert sorted(sent.values_list("channel", flat=True)) == ["email", "in_app"]

    def test_keeps_buffers_between_bookings(self, owner: Member, stranger: Member, now: datetime) -> None:
        court = make_facility("Buffered", terms={"buffer_after_minutes": 15})
        book(owner, wish_for(court, hour=10), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(court, hour=11), now=now)

    def test_counts_the_quota_of_the_household_across_facilities(
        self, owner: Member, spouse: Member, court: Facility, now: datetime
    ) -> None:
        other = make_facility("Court Two")
        make_quota("Household", per="household", kind="court", limit=2)
        book(owner, wish_for(court), now=now)
        book(spouse, wish_for(other, hour=12), now=now)

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(other, hour=15), now=now)

        failure = refused.value.rules[0]
        assert (failure.code, failure.limit, failure.current) == ("quota_exceeded", 2, 2)

    def test_refuses_a_member_on_hold_and_says_until_when(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        until = now + timedelta(days=3)
        PrivilegeHold.objects.create(
            member=owner, source="manual", scope="booking", reason="Unpaid.", starts_at=now, until=until
        )

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(court), now=now)

        assert refused.value.rules[0].retry_at == until

    def test_takes_a_lane_a_person_where_the_facility_says_so(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        pool = make_facility("Pool", kind="class", lanes=5, takes="person")
        book(owner, wish_for(pool, party=3), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(pool, party=3), now=now)
        assert book(stranger, wish_for(pool, party=2), now=now).claims.filter(lane__in=[3, 4]).count() == 8

    def test_blocks_the_halves_of_a_hall_and_they_it(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        east, west = make_space("East half"), make_space("West half")
        one = make_facility("East hall", kind="hall", spaces=[east])
        two = make_facility("West hall", kind="hall", spaces=[west])
        both = make_facility("Grand hall", kind="hall", spaces=[east, west])
        book(owner, wish_for(one, hour=10), now=now)
        assert book(stranger, wish_for(two, hour=10), now=now).pk
        book(owner, wish_for(both, hour=14), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(both, hour=10), now=now)
        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(one, hour=14), now=now)

    def test_fits_a_departure_and_an_arrival_on_one_day(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        rooms = make_rooms(rooms=1)
        first = Wish(rooms.public_id, at_club(5, 14), at_club(7, 12))
        second = Wish(rooms.public_id, at_club(7, 14), at_club(8, 12))

        assert book(owner, first, now=now).nights == 2
        assert book(stranger, second, now=now).nights == 1
        with pytest.raises(SlotTakenError):
            book(stranger, Wish(rooms.public_id, at_club(6, 14), at_club(7, 12)), now=now)

    def test_names_companions_and_counts_guests(
        self, owner: Member, spouse: Member, court: Facility, now: datetime
    ) -> None:
        wish = wish_for(
            court, party=4, companions=(Companion(member=spouse.public_id), Companion(guest_name="A Guest"))
        )

        reservation = book(owner, wish, now=now)

        assert list(reservation.participants.order_by("position").values_list("kind", flat=True)) == [
            "member",
            "member",
            "guest",
            "tbd",
        ]
        assert reservation.guest_count == 1
        assert Guest.objects.get().host == owner

    def test_refuses_more_companions_than_places(self, owner: Member, court: Facility, now: datetime) -> None:
        with pytest.raises(InvalidError):
            book(owner, wish_for(court, party=1, companions=(Companion(guest_name="A Guest"),)), now=now)

    def test_does_not_find_another_households_guest(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        guest = Guest.objects.create(host=stranger, name="Their Guest")

        with pytest.raises(InvalidError):
            book(owner, wish_for(court, party=2, companions=(Companion(guest=guest.public_id),)), now=now)

    def test_does_not_find_a_draft_facility(self, owner: Member, court: Facility, now: datetime) -> None:
        court.state = "draft"
        court.save()

        with pytest.raises(NotFoundError):
            book(owner, wish_for(court), now=now)

    def test_leaves_nothing_behind_when_refused(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(court, party=2, companions=(Companion(guest_name="A Guest"),)), now=now)

        assert Reservation.objects.count() == 1
        assert not Guest.objects.exists()


@pytest.mark.usefixtures("travel")
class TestUnderTheLock:
    """What another transaction commits while a booking waits for the spaces' locks counts."""

    @pytest.fixture
    def while_waiting(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[Any]]:
        """Let something happen just before the spaces are first locked; which rows were locked, in order."""

        def arrange(happen: Callable[[], object]) -> list[Any]:
            locks: list[Any] = []

            def lock(model: type[Model], ids: Iterable[int]) -> None:
                wanted = sorted(ids)
                if model is Space and not any(name == "Space" for name, _ids in locks):
                    happen()
                locks.append((model.__name__, wanted))
                lock_rows(model, wanted)

            monkeypatch.setattr("bcc.core.transactions.lock_rows", lock)
            return locks

        return arrange

    def test_a_closure_that_came_first_is_seen(
        self, owner: Member, court: Facility, now: datetime, while_waiting: Callable[..., list[Any]]
    ) -> None:
        current_rules()  # in memory, as it is in a server that runs

        def close() -> None:
            interval = wish_for(court).interval
            Closure.objects.create(
                facility=court,
                starts_at=interval.starts_at,
                ends_at=interval.ends_at,
                reason="Resurfacing.",
                confirmed_at=now,
            )

        while_waiting(close)

        with pytest.raises(RuleError) as refused:
            book(owner, wish_for(court), now=now)
        assert codes(refused) == {"closed"}

    def test_a_space_that_came_meanwhile_is_locked_too(
        self, owner: Member, court: Facility, now: datetime, while_waiting: Callable[..., list[Any]]
    ) -> None:
        current_rules()
        first, more = court.facility_spaces.get().space_id, make_space("The other half")
        locks = while_waiting(lambda: FacilitySpace.objects.create(facility=court, space=more))

        reservation = book(owner, wish_for(court), now=now)

        assert locks == [
            ("Membership", [owner.membership_id]),
            ("Space", [first]),
            ("Space", [more.pk]),
        ]
        assert set(reservation.claims.values_list("space_id", flat=True)) == {first, more.pk}
