from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Member
from bcc.core.errors import InvalidError, NotFoundError, RuleError
from facilities.models import Facility, Rate
from metrics.models import Activity
from metrics.services.activities import flush_activities
from reservations import services
from reservations.models import Guest, Reservation
from reservations.services.booking import Companion
from reservations.services.errors import SlotTakenError
from reservations.services.explain import Explanation, explain_booking
from tests.conftest import at_club
from tests.factories import make_facility, make_quota, make_rooms
from tests.reservations.bookings import book, wish_for

pytestmark = pytest.mark.django_db


def explain(facility: Facility, member: Member, *, now: datetime, **more: Any) -> Explanation:
    asked: dict[str, Any] = {"starts_at": at_club(2, 10), "ends_at": None, "party": 1, "guests": None}
    return explain_booking(facility_id=facility.public_id, member_id=member.pk, now=now, **{**asked, **more})


class TestExplainBooking:
    def test_says_what_a_booking_would_be(self, owner: Member, now: datetime) -> None:
        court = make_facility(
            "Held Court",
            terms={
                "hold_minutes": 10,
                "cancellation_cutoff_minutes": 120,
                "check_in_from_minutes": 30,
                "no_show_after_minutes": 15,
            },
        )
        Rate.objects.create(facility=court, unit="slot", amount=Decimal(200))

        found = explain(court, owner, now=now)

        assert found.refused is None
        assert found.state == "HELD"
        assert found.expires_at == now + timedelta(minutes=10)
        assert found.interval.ends_at == at_club(2, 11)
        assert found.free_until == at_club(2, 8)
        assert found.check_in_from == at_club(2, 9, 30)
        assert found.no_show_at == at_club(2, 10, 15)
        assert found.estimate == Decimal("200.00")
        assert all(verdict.passed for verdict in found.verdicts)
        assert found.alternatives == ()

    @pytest.mark.parametrize(
        "wish",
        [
            {"day": 2},
            {"day": 25, "slots": 4, "party": 9},
            {"day": 2, "hour": 23},
            {"day": 3, "hour": 15},
            {"day": 3, "hour": 10},
        ],
        ids=["fine", "many rules", "closed", "quota", "taken"],
    )
    def test_answers_as_the_quote_does(
        self, owner: Member, stranger: Member, court: Facility, now: datetime, wish: dict[str, Any]
    ) -> None:
        make_quota("One a day", limit=1)
        book(stranger, wish_for(court, day=3, hour=10), now=now)
        book(owner, wish_for(make_facility("Court Two"), day=3, hour=18), now=now)
        asked = wish_for(court, **wish)
        refused: RuleError | SlotTakenError | None = None
        quoted = None
        try:
            quoted = services.quote(wish=asked, member_id=owner.pk, now=now)
        except (RuleError, SlotTakenError) as error:
            refused = error

        found = explain(
            court, owner, now=now, starts_at=asked.starts_at, ends_at=asked.ends_at, party=asked.party
        )

        if refused is None:
            assert quoted is not None
            assert (found.refused, found.state, found.expires_at) == (None, quoted.state, quoted.expires_at)
            assert (found.estimate, found.sentences) == (quoted.estimate, quoted.terms)
        else:
            assert found.refused is not None
            assert type(found.refused) is type(refused)
            assert found.refused.rules == refused.rules
            assert [dict(one) for one in found.alternatives] == refused.alternatives

    def test_changes_nothing_and_records_no_unmet_demand(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        found = explain(court, owner, now=now, party=9, guests=["A Guest"])
        flush_activities()

        assert found.refused is not None
        assert not Reservation.objects.exists()
        assert not Guest.objects.exists()
        assert not Activity.objects.exists()

    def test_answers_for_another_moment(self, owner: Member, court: Facility, now: datetime) -> None:
        far = {"starts_at": at_club(10, 10)}
        assert explain(court, owner, now=now, **far).refused is not None
        assert explain(court, owner, now=at_club(3, 7), **far).refused is None

    def test_counts_the_visits_of_guests_on_the_list(
        self, owner: Member, spouse: Member, now: datetime
    ) -> None:
        court = make_facility("Guest Court", terms={"same_guest_limit": 1, "guest_names_required": True})
        Guest.objects.create(host=spouse, name="A Guest")
        book(owner, wish_for(court, hour=8, party=2, companions=_named("A Guest")), now=now)

        again = explain(court, owner, now=now, party=4, guests=["a guest", "Another"])
        first = explain(court, owner, now=now, party=4, guests=["Another"])

        assert again.refused is not None
        assert {rule.code for rule in again.refused.rules} == {"same_guest_limit"}
        assert first.refused is None

    def test_takes_the_shortest_stay_where_nights_are_booked(self, owner: Member, now: datetime) -> None:
        rooms = make_rooms(terms={"min_slots": 2})
        found = explain(rooms, owner, now=now, starts_at=at_club(5, 14))
        assert (found.interval.ends_at, found.refused) == (at_club(7, 12), None)

    def test_says_when_nobody_of_the_category_books_there(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        court.policies.all().update(valid_until=at_club(1, 0).date())
        found = explain(court, owner, now=now, ends_at=at_club(2, 11))
        assert found.refused is not None
        assert [rule.code for rule in found.refused.rules] == ["not_bookable"]
        assert (found.terms, found.verdicts) == (None, ())

    def test_refuses_what_is_not_shown_and_what_ends_before_it_starts(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        with pytest.raises(InvalidError):
            explain(court, owner, now=now, ends_at=at_club(2, 9))
        court.state = "draft"
        court.save()
        with pytest.raises(NotFoundError, match="not shown this facility"):
            explain(court, owner, now=now)


def _named(*names: str) -> tuple[Any, ...]:
    return tuple(Companion(guest_name=name) for name in names)
