from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reservations.policies import rules
from reservations.policies.terms import BoundTerms, Terms
from tests.reservations.policies.asks import (
    CATEGORY,
    FACILITY,
    NOW,
    SECOND,
    facility_of,
    local,
    make_ask,
    make_member,
)


class TestIsShown:
    @pytest.mark.parametrize(
        ("values", "shown"),
        [
            ({}, True),
            ({"is_published": False}, False),
            ({"shown_from": NOW}, True),
            ({"shown_from": NOW + SECOND}, False),
            ({"shown_until": NOW}, False),
            ({"shown_until": NOW + SECOND}, True),
        ],
        ids=["always", "draft", "from-now", "from-later", "until-now", "until-later"],
    )
    def test_follows_the_schedule_of_its_publication(self, values: dict[str, Any], shown: bool) -> None:
        assert facility_of(**values).is_shown(NOW) is shown


class TestTermsOn:
    def test_the_most_specific_that_is_valid_on_the_day_wins(self) -> None:
        def bound(name: str, **more: Any) -> BoundTerms:
            return BoundTerms(Terms(name=name), **more)

        facility = facility_of(
            bound_terms=(
                bound("kind", kind="court"),
                bound("kind and category", kind="court", category_id=CATEGORY),
                bound("facility", facility_id=FACILITY, valid_from=date(2026, 6, 2)),
                bound(
                    "facility and category",
                    facility_id=FACILITY,
                    category_id=CATEGORY,
                    valid_until=date(2026, 6, 2),
                ),
            )
        )

        def name_on(day: int, category: int) -> str:
            terms = facility.terms_on(date(2026, 6, day), category)
            assert terms is not None
            return terms.name

        assert [name_on(day, CATEGORY) for day in (1, 2, 3)] == [
            "facility and category",
            "facility and category",
            "facility",
        ]
        assert [name_on(day, CATEGORY + 1) for day in (1, 2)] == ["kind", "facility"]

    def test_without_any_it_cannot_be_booked(self) -> None:
        assert facility_of().terms_on(date(2026, 6, 2), CATEGORY) is None


class TestJudge:
    def test_the_plain_wish_of_these_tests_passes_every_rule(self) -> None:
        assert rules.judge(make_ask()) == []

    def test_names_every_rule_that_failed_in_the_order_of_the_rules(self) -> None:
        ask = make_ask(
            starts_at=local(20, 23),
            ends_at=local(21, 4),
            party=9,
            member=make_member(can_book=False, standing="suspended"),
        )

        assert [failure.code for failure in rules.judge(ask)] == [
            "not_yet_released",
            "party_size",
            "may_not_book",
            "not_in_good_standing",
            "slot_count",
            "outside_opening_hours",
        ]

    def test_what_no_one_can_waive_is_the_place(self) -> None:
        ask = replace(make_ask(starts_at=local(20, 23)), party=9)

        assert [failure.code for failure in rules.judge(ask, rules.PHYSICAL)] == ["outside_opening_hours"]

    def test_codes_are_part_of_the_contract(self) -> None:
        assert {rule.code for rule in rules.ALL} == {
            "closed",
            "guest_names_required",
            "in_the_past",
            "may_not_book",
            "membership_expired",
            "not_a_slot",
            "not_in_good_standing",
            "not_yet_released",
            "outside_opening_hours",
            "party_size",
            "privilege_hold",
            "quota_exceeded",
            "rebook_lockout",
            "reschedule_limit",
            "same_guest_limit",
            "slot_taken",
            "too_many_guests",
            "too_short_notice",
            "too_young",
        }
