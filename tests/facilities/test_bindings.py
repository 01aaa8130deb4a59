"""The most specific policy wins, whatever the order in which they are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.policies.bindings import most_specific

COURT, OTHER_COURT = 1, 2
SENIOR, REGULAR = 10, 20
TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Policy:
    name: str
    facility_id: int | None = None
    kind: str = ""
    category_id: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None


FACILITY_AND_CATEGORY = Policy("facility and category", facility_id=COURT, category_id=SENIOR)
FACILITY = Policy("facility", facility_id=COURT)
KIND_AND_CATEGORY = Policy("kind and category", kind="court", category_id=SENIOR)
KIND = Policy("kind", kind="court")
IN_ORDER = [FACILITY_AND_CATEGORY, FACILITY, KIND_AND_CATEGORY, KIND]


def chosen(policies: list[Policy], *, category_id: int | None = SENIOR, on: date = TODAY) -> str | None:
    found = most_specific(policies, facility_id=COURT, kind="court", category_id=category_id, on=on)
    return None if found is None else found.name


class TestMostSpecific:
    @given(policies=st.lists(st.sampled_from(IN_ORDER), unique=True).flatmap(st.permutations))
    def test_is_the_first_of_the_four_that_there_is(self, policies: list[Policy]) -> None:
        expected = next((one.name for one in IN_ORDER if one in policies), None)

        assert chosen(policies) == expected

    def test_for_another_category_is_one_without_a_category(self) -> None:
        assert chosen(IN_ORDER, category_id=REGULAR) == "facility"
        assert chosen([FACILITY_AND_CATEGORY, KIND_AND_CATEGORY, KIND], category_id=REGULAR) == "kind"

    def test_for_nobody_in_particular_is_one_without_a_category(self) -> None:
        assert chosen(IN_ORDER, category_id=None) == "facility"
        assert chosen([FACILITY_AND_CATEGORY, KIND_AND_CATEGORY], category_id=None) is None

    def test_is_none_of_another_facility_or_kind(self) -> None:
        others = [Policy("other", facility_id=OTHER_COURT), Policy("hall", kind="hall")]

        assert chosen(others) is None

    def test_of_another_facility_is_none_although_the_kind_is_the_same(self) -> None:
        assert chosen([Policy("other", facility_id=OTHER_COURT, kind="court")]) is None

    @pytest.mark.parametrize(
        ("on", "name"),
        [
            (date(2026, 5, 31), "kind"),
            (date(2026, 6, 1), "facility"),
            (date(2026, 6, 30), "facility"),
            (date(2026, 7, 1), "kind"),
        ],
        ids=str,
    )
    def test_looks_at_the_dates_first_both_of_them_included(self, on: date, name: str) -> None:
        june = Policy("facility", facility_id=COURT, valid_from=TODAY, valid_until=date(2026, 6, 30))

        assert chosen([KIND, june], on=on) == name

    def test_is_none_where_there_is_none(self) -> None:
        assert chosen([]) is None
