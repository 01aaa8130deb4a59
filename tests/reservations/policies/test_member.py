from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations.policies.rules.member import (
    AgeRule,
    BookingRightRule,
    LockoutRule,
    MembershipRule,
    PrivilegeHoldRule,
    StandingRule,
)
from reservations.policies.terms import Terms
from tests.reservations.policies.asks import (
    FACILITY,
    HOUR,
    MEMBER,
    MINUTE,
    NOW,
    SECOND,
    judged,
    local,
    make_ask,
    make_counted,
    make_member,
    only,
)


class TestBookingRightRule:
    def test_refuses_a_member_who_may_not_book(self) -> None:
        assert not judged(BookingRightRule(), make_ask())
        assert only(BookingRightRule(), make_ask(member=make_member(can_book=False))).code == "may_not_book"


class TestMembershipRule:
    @pytest.mark.parametrize(
        ("valid_to", "passes"),
        [(None, True), (date(2026, 6, 3), True), (date(2026, 6, 2), True), (date(2026, 6, 1), False)],
        ids=str,
    )
    def test_books_until_the_last_day_of_the_membership(self, valid_to: date | None, passes: bool) -> None:
        ask = make_ask(starts_at=local(2, 23), member=make_member(valid_to=valid_to))

        assert [one.code for one in judged(MembershipRule(), ask)] == (
            [] if passes else ["membership_expired"]
        )


class TestStandingRule:
    @pytest.mark.parametrize("standing", ["delinquent", "suspended"])
    def test_refuses_bad_standing_where_the_policy_asks_for_good(self, standing: str) -> None:
        member = make_member(standing=standing)

        assert only(StandingRule(), make_ask(member=member)).code == "not_in_good_standing"
        assert not judged(StandingRule(), make_ask(member=member, terms=Terms(requires_good_standing=False)))
        assert not judged(StandingRule(), make_ask())


class TestAgeRule:
    @pytest.mark.parametrize(
        ("born", "age"),
        [
            (date(2010, 6, 2), None),  # sixteen on the day itself
            (date(2010, 6, 3), 15),
            (date(2010, 12, 31), 15),
            (date(1950, 1, 1), None),
        ],
        ids=str,
    )
    def test_counts_completed_years_on_the_day(self, born: date, age: int | None) -> None:
        failures = judged(AgeRule(), make_ask(terms=Terms(min_age=16), member=make_member(birth_date=born)))

        expected = [] if age is None else [("too_young", 16, age)]
        assert [(one.code, one.limit, one.current) for one in failures] == expected

    def test_who_was_born_on_a_leap_day_is_older_on_the_first_of_march(self) -> None:
        member, terms = make_member(birth_date=date(2008, 2, 29)), Terms(min_age=18)

        eve = make_ask(starts_at=local(28, 10, month=2), member=member, terms=terms)
        day = make_ask(starts_at=local(1, 10, month=3), member=member, terms=terms)

        assert only(AgeRule(), eve).current == 17
        assert not judged(AgeRule(), day)

    def test_does_not_refuse_who_has_no_birth_date(self) -> None:
        assert not judged(AgeRule(), make_ask(terms=Terms(min_age=16)))

    def test_without_a_limit_a_child_may_book(self) -> None:
        assert not judged(AgeRule(), make_ask(member=make_member(birth_date=date(2025, 1, 1))))


class TestPrivilegeHoldRule:
    def test_refuses_until_the_hold_is_over(self) -> None:
        member = make_member(hold_until=NOW + HOUR, hold_reason="3 strikes in 90 days.")

        passes = [
            not judged(PrivilegeHoldRule(), make_ask(member=member, now=at))
            for at in (NOW + HOUR - SECOND, NOW + HOUR, NOW + HOUR + SECOND)
        ]

        assert passes == [False, True, True]

    def test_says_why_and_until_when(self) -> None:
        failure = only(
            PrivilegeHoldRule(),
            make_ask(member=make_member(hold_until=NOW + HOUR, hold_reason="3 strikes in 90 days.")),
        )

        assert (failure.code, failure.retry_at) == ("privilege_hold", NOW + HOUR)
        assert "3 strikes in 90 days." in failure.detail
        assert "1 June 2026, 09:00" in failure.detail


class TestLockoutRule:
    terms = Terms(rebook_lockout_minutes=30)

    def given_back(self, **values: Any) -> Any:
        return make_counted(
            local(1, 12), **{"occupies": False, "counts": False, "cancelled_at": NOW, **values}
        )

    def test_lasts_its_minutes_from_the_cancellation(self) -> None:
        passes = [
            not judged(LockoutRule(), make_ask(terms=self.terms, counted=(self.given_back(),), now=at))
            for at in (NOW, NOW + 30 * MINUTE - SECOND, NOW + 30 * MINUTE)
        ]

        assert passes == [False, False, True]

    def test_says_how_long_and_when_to_try_again(self) -> None:
        failure = only(LockoutRule(), make_ask(terms=self.terms, counted=(self.given_back(),)))

        assert (failure.code, failure.limit) == ("rebook_lockout", 30)
        assert failure.retry_at == NOW + 30 * MINUTE

    @pytest.mark.parametrize(
        "other", [{"member_id": MEMBER + 1}, {"facility_id": FACILITY + 1}, {"cancelled_at": None}], ids=str
    )
    def test_speaks_of_the_members_own_cancellations_of_this_facility(self, other: dict[str, Any]) -> None:
        ask = make_ask(terms=self.terms, counted=(self.given_back(**other),))

        assert not judged(LockoutRule(), ask)

    def test_without_a_lockout_one_may_book_again_at_once(self) -> None:
        assert not judged(LockoutRule(), make_ask(counted=(self.given_back(),)))

    @given(ago=st.lists(st.integers(0, 90), min_size=1, max_size=4), lockout=st.integers(1, 60))
    def test_retry_at_is_the_first_moment_that_passes(self, ago: list[int], lockout: int) -> None:
        counted = tuple(self.given_back(cancelled_at=NOW - minutes * MINUTE) for minutes in ago)
        terms = Terms(rebook_lockout_minutes=lockout)

        failures = judged(LockoutRule(), make_ask(terms=terms, counted=counted))

        assert bool(failures) is (min(ago) < lockout)
        for failure in failures:
            assert failure.retry_at is not None
            assert not judged(LockoutRule(), make_ask(terms=terms, counted=counted, now=failure.retry_at))
            assert judged(
                LockoutRule(), make_ask(terms=terms, counted=counted, now=failure.retry_at - SECOND)
            )
