from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reservations.policies.rules.party import GuestLimitRule, GuestNamesRule, GuestRule, PartyRule
from reservations.policies.terms import GuestVisit, Terms
from tests.reservations.policies.asks import judged, make_ask, only


def guests(count: int) -> tuple[GuestVisit, ...]:
    return tuple(GuestVisit(f"Guest {number}") for number in range(count))


class TestPartyRule:
    @pytest.mark.parametrize(("party", "passes"), [(1, False), (2, True), (4, True), (5, False)])
    def test_takes_parties_from_the_smallest_to_the_largest(self, party: int, passes: bool) -> None:
        ask = make_ask(terms=Terms(party_min=2, party_max=4), party=party)

        assert (not judged(PartyRule(), ask)) is passes

    @pytest.mark.parametrize(("party", "limit"), [(1, 2), (5, 4)])
    def test_says_the_limit_that_was_missed(self, party: int, limit: int) -> None:
        failure = only(PartyRule(), make_ask(terms=Terms(party_min=2, party_max=4), party=party))

        assert (failure.code, failure.limit, failure.current) == ("party_size", limit, party)
        assert str(limit) in failure.detail


class TestGuestLimitRule:
    @pytest.mark.parametrize(
        ("limit", "count", "passes"),
        [(0, 0, True), (0, 1, False), (2, 2, True), (2, 3, False), (None, 9, True)],
    )
    def test_takes_as_many_guests_as_the_policy_says(
        self, limit: int | None, count: int, passes: bool
    ) -> None:
        ask = make_ask(terms=Terms(guests_max=limit), guests=guests(count))

        assert (not judged(GuestLimitRule(), ask)) is passes

    def test_says_the_limit_and_the_count(self) -> None:
        failure = only(GuestLimitRule(), make_ask(terms=Terms(guests_max=1), guests=guests(3)))

        assert (failure.code, failure.limit, failure.current) == ("too_many_guests", 1, 3)


class TestGuestNamesRule:
    @pytest.mark.parametrize(
        ("required", "given", "unnamed", "passes"),
        [
            (True, True, 0, True),
            (True, True, 1, False),
            (True, False, 1, True),  # not asked yet: availability, an open quote
            (False, True, 3, True),
        ],
    )
    def test_asks_for_names_of_a_named_party_only(
        self, required: bool, given: bool, unnamed: int, passes: bool
    ) -> None:
        ask = make_ask(terms=Terms(guest_names_required=required), names_given=given, unnamed=unnamed)

        assert (not judged(GuestNamesRule(), ask)) is passes

    def test_says_how_many_are_missing(self) -> None:
        ask = make_ask(terms=Terms(guest_names_required=True), names_given=True, unnamed=2)

        failure = only(GuestNamesRule(), ask)

        assert (failure.code, failure.limit, failure.current) == ("guest_names_required", 0, 2)


class TestGuestRule:
    @pytest.mark.parametrize(("visits", "passes"), [(0, True), (2, True), (3, False), (4, False)])
    def test_lets_the_same_guest_come_as_often_as_the_limit_says(self, visits: int, passes: bool) -> None:
        """``visits`` are those before: with a limit of three the third is the last."""
        ask = make_ask(terms=Terms(same_guest_limit=3), guests=(GuestVisit("A Guest", visits),))

        assert (not judged(GuestRule(), ask)) is passes

    def test_names_the_guest_the_limit_and_the_visits(self) -> None:
        ask = make_ask(
            terms=Terms(same_guest_limit=3, same_guest_days=14),
            guests=(GuestVisit("Fresh Guest"), GuestVisit("Frequent Guest", 3)),
        )

        failure = only(GuestRule(), ask)

        assert (failure.code, failure.limit, failure.current) == ("same_guest_limit", 3, 3)
        assert "Frequent Guest" in failure.detail

    def test_without_a_limit_anybody_comes_as_often_as_they_like(self) -> None:
        assert not judged(GuestRule(), make_ask(guests=(GuestVisit("A Guest", 99),)))

    @pytest.mark.parametrize(
        ("dates", "passes"),
        [
            ({"valid_from": date(2026, 6, 2)}, True),
            ({"valid_from": date(2026, 6, 3)}, False),
            ({"valid_until": date(2026, 6, 2)}, True),
            ({"valid_until": date(2026, 6, 1)}, False),
            ({"valid_from": date(2026, 6, 2), "valid_until": date(2026, 6, 2)}, True),
        ],
        ids=["from-the-day", "from-the-day-after", "until-the-day", "until-the-day-before", "that-day"],
    )
    def test_takes_a_guest_on_the_days_they_are_registered_for(
        self, dates: dict[str, Any], passes: bool
    ) -> None:
        ask = make_ask(guests=(GuestVisit("A Guest", **dates),))

        failures = judged(GuestRule(), ask)

        assert [failure.code for failure in failures] == ([] if passes else ["guest_not_valid"])

    def test_names_each_guest_and_each_reason(self) -> None:
        once_too_often = GuestVisit("One", 1, valid_until=date(2026, 6, 1))
        ask = make_ask(terms=Terms(same_guest_limit=1), guests=(once_too_often, GuestVisit("Two", 5)))

        assert [failure.code for failure in judged(GuestRule(), ask)] == [
            "same_guest_limit",
            "guest_not_valid",
            "same_guest_limit",
        ]
