"""What the household has, as a quota or a lock-out may speak about it; and nothing else is looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Member
from bcc.core import clock
from bcc.core.intervals import Interval
from facilities.models import Facility, PolicyVersion
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.selectors import statements
from reservations.selectors.situation import get_member_and_rules, load_counted
from tests.conftest import at_club
from tests.factories import make_facility, make_quota

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

# Wednesday; the club's week is the Monday's before.
NOW_THERE = at_club(10, 9)
MONDAY = at_club(8, 0)


def make_row(
    facility: Facility,
    member: Member,
    *,
    starts_at: datetime,
    ends_at: datetime,
    state: State,
    given_back: datetime | None = None,
) -> int:
    return Reservation.objects.create(
        facility=facility,
        member=member,
        membership_id=member.membership_id,
        policy_version=PolicyVersion.objects.get(policy__facility=facility),
        state=state,
        starts_at=starts_at,
        ends_at=ends_at,
        starts_on=clock.local_date(starts_at),
        created_at=starts_at - timedelta(days=30),
        ended_at=given_back,
    ).pk


def counted_for(member: Member, wished: datetime) -> set[int]:
    facts, rules = get_member_and_rules(member_id=member.pk, now=NOW_THERE)
    window = Interval(wished, wished + timedelta(hours=1))
    found = load_counted(rules=rules, member=facts, window=window, now=NOW_THERE)
    return {row.reservation_id for row in found}


class TestCounted:
    @pytest.fixture
    def court(self) -> Facility:
        make_quota(period="week")
        return make_facility("Locked Court", terms={"rebook_lockout_minutes": 120})

    @pytest.mark.parametrize(
        "wished", [NOW_THERE + timedelta(hours=5), at_club(11, 20), at_club(1, 10, month=7)]
    )
    def test_are_what_is_outstanding_however_long_ago_it_began(
        self, court: Facility, owner: Member, wished: datetime
    ) -> None:
        stay = make_row(
            court,
            owner,
            starts_at=NOW_THERE - timedelta(days=45),
            ends_at=NOW_THERE + timedelta(minutes=1),
            state=State.CHECKED_IN,
        )
        assert stay in counted_for(owner, wished)

    def test_begin_with_the_first_minute_of_the_period(self, court: Facility, owner: Member) -> None:
        hour = timedelta(hours=1)
        first = make_row(court, owner, starts_at=MONDAY, ends_at=MONDAY + hour, state=State.COMPLETED)
        before = make_row(court, owner, starts_at=MONDAY - hour, ends_at=MONDAY, state=State.COMPLETED)
        assert clock.local_date(MONDAY) == date(2026, 6, 8)
        assert counted_for(owner, at_club(12, 10)) == {first}
        assert before not in counted_for(owner, at_club(12, 10))

    def test_are_what_a_lock_out_speaks_of(self, court: Facility, owner: Member) -> None:
        soon = {"starts_at": NOW_THERE - timedelta(minutes=50), "ends_at": NOW_THERE + timedelta(minutes=10)}
        lately = make_row(
            court,
            owner,
            **soon,
            state=State.CANCELLED_MEMBER,
            given_back=NOW_THERE - timedelta(minutes=60),
        )
        make_row(
            court,
            owner,
            **soon,
            state=State.CANCELLED_MEMBER,
            given_back=NOW_THERE - timedelta(minutes=121),
        )
        assert counted_for(owner, at_club(1, 10, month=7)) == {lately}

    @pytest.mark.parametrize("wished", [at_club(11, 20), at_club(1, 10, month=7)])
    def test_nothing_is_locked_by_what_was_over_when_it_was_given_back(
        self, court: Facility, owner: Member, wished: datetime
    ) -> None:
        over = NOW_THERE - timedelta(minutes=30)
        make_row(
            court,
            owner,
            starts_at=over - timedelta(hours=1),
            ends_at=over,
            state=State.CANCELLED_MEMBER,
            given_back=over + timedelta(minutes=10),
        )
        assert counted_for(owner, wished) == set()


class TestPlan:
    def test_leaves_the_past_of_the_household_alone(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Over no rows at all any way is as good; what is asked is whether this one is there.
                cursor.execute("SET LOCAL enable_seqscan = off")
        plan = statements._counted_rows(
            membership=1,
            member=1,
            first=date(2026, 6, 8),
            after=date(2026, 6, 15),
            now=NOW_THERE,
            given_back=NOW_THERE,
            since=MONDAY,
        ).explain()
        if connection.vendor == "sqlite":
            assert "reservations_of_household (membership_id=? AND ends_at>?)" in plan
        else:
            assert "reservations_of_household" in plan
