"""What the next version of a policy says otherwise."""

from __future__ import annotations

from dataclasses import replace

from facilities.policies.differences import Change, compare
from facilities.policies.plain_language import Sentence, read_terms
from facilities.policies.terms import Terms

USUAL = Terms()


def changes(**change: object) -> list[Change]:
    after = replace(USUAL, **change)  # type: ignore[arg-type]  # fields by name
    return compare(read_terms(USUAL, currency="PHP"), read_terms(after, currency="PHP"))


class TestCompare:
    def test_of_the_same_is_nothing(self) -> None:
        assert changes() == []

    def test_sets_what_changed_beside_what_it_was(self) -> None:
        assert changes(slot_minutes=30) == [
            Change("length", "A booking takes 1 hour.", "A booking takes 30 minutes.")
        ]

    def test_tells_what_is_new_and_what_is_gone(self) -> None:
        assert changes(min_age=12) == [Change("other", None, "You must be 12 or older.")]
        assert changes(requires_good_standing=False) == [
            Change("other", "Your account must be in good standing.", None)
        ]

    def test_keeps_the_order_of_the_topics(self) -> None:
        found = changes(min_age=12, open_days_ahead=3, guests_max=0)

        assert [one.topic for one in found] == ["window", "party", "other"]

    def test_compares_within_a_topic_only(self) -> None:
        moved = compare([Sentence("window", "Same.")], [Sentence("other", "Same.")])

        assert moved == [Change("window", "Same.", None), Change("other", None, "Same.")]

    def test_counts_each_of_several_that_stand_for_one(self) -> None:
        before = [Sentence("quota", "One.")]
        after = [Sentence("quota", "Two."), Sentence("quota", "Three.")]

        assert compare(before, after) == [Change("quota", "One.", "Two."), Change("quota", None, "Three.")]
