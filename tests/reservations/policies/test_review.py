from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from reservations.policies import rules as club_rules
from reservations.policies.ask import Ask
from reservations.policies.rules.review import ABOUT, Verdict, review
from reservations.policies.terms import GuestVisit, Terms
from tests.reservations.policies.asks import (
    DAY,
    HOUR,
    local,
    make_ask,
    make_counted,
    make_member,
    make_quota,
)


def reviewed(ask: Ask) -> list[Verdict]:
    return review(ask, house=club_rules.HOUSE, physical=club_rules.PHYSICAL)


def one(ask: Ask, code: str) -> Verdict:
    (verdict,) = [verdict for verdict in reviewed(ask) if verdict.code == code]
    return verdict


asks = st.builds(
    lambda hours, length, party, guests, standing, used: make_ask(
        starts_at=local(1, 0) + hours * HOUR,
        ends_at=local(1, 0) + (hours + length) * HOUR,
        terms=Terms(max_slots=2, min_notice_minutes=60, min_notice_days=1, guests_max=1, same_guest_limit=1),
        party=party,
        guests=tuple(GuestVisit(f"Guest {number}", visits=number) for number in range(guests)),
        names_given=True,
        member=make_member(standing=standing),
        quotas=(make_quota(limit=1), make_quota(id=2, name="Outstanding", period="outstanding", limit=2)),
        counted=tuple(make_counted(local(3, 9 + number)) for number in range(used)),
    ),
    st.integers(-30, 300),
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(0, 3),
    st.sampled_from(["good", "delinquent"]),
    st.integers(0, 3),
)


class TestReview:
    def test_every_rule_has_a_name_for_staff(self) -> None:
        assert {type(rule) for rule in club_rules.ALL} == ABOUT.keys()

    @given(asks)
    def test_fails_what_the_booking_would_refuse_and_nothing_else(self, ask: Ask) -> None:
        failed = [
            (verdict.code, verdict.detail, verdict.limit, verdict.current, verdict.retry_at)
            for verdict in reviewed(ask)
            if not verdict.passed
        ]
        judged = [
            (failure.code, failure.detail, failure.limit, failure.current, failure.retry_at)
            for failure in club_rules.judge(ask)
        ]
        assert sorted(failed, key=str) == sorted(judged, key=str)

    @given(asks)
    def test_speaks_about_every_rule_but_that_of_moving(self, ask: Ask) -> None:
        about = {verdict.about for verdict in reviewed(ask) if verdict.code != "quota_exceeded"}
        named = {str(text) for text in ABOUT.values()} - {"quota", "moved not too often"}
        assert about == named

    def test_asks_about_moves_only_of_what_is_moved(self) -> None:
        assert one(make_ask(reschedules=1), "reschedule_limit").current == 1
        assert "reschedule_limit" not in {verdict.code for verdict in reviewed(make_ask())}

    def test_gives_limit_and_count_of_what_passed(self) -> None:
        ask = make_ask(
            terms=Terms(
                party_max=4, guests_max=2, min_age=18, max_slots=3, min_notice_minutes=30,
                guest_names_required=True, same_guest_limit=3,
            ),
            ends_at=local(2, 12),
            party=3,
            guests=(GuestVisit("A Guest", visits=2),),
            names_given=True,
            member=make_member(birth_date=date(1980, 5, 17)),
        )  # fmt: skip

        numbers = {verdict.code: (verdict.limit, verdict.current) for verdict in reviewed(ask)}

        assert numbers["party_size"] == (4, 3)
        assert numbers["too_many_guests"] == (2, 1)
        assert numbers["guest_names_required"] == (0, 0)
        assert numbers["same_guest_limit"] == (3, 2)
        assert numbers["too_young"] == (18, 46)
        assert numbers["not_a_slot"] == (3, 2)
        assert numbers["too_short_notice"] == (30, 26 * 60)
        assert numbers["not_yet_released"] == (7, 1)
        assert numbers["in_the_past"] == (None, None)

    def test_counts_the_lanes_that_are_taken(self) -> None:
        verdicts = [verdict for verdict in reviewed(make_ask()) if verdict.code == "slot_taken"]
        assert [(verdict.limit, verdict.current) for verdict in verdicts] == [(1, 0), (None, None)]

    def test_names_each_quota_with_its_count(self) -> None:
        full, half = make_quota(name="Full", limit=1), make_quota(id=2, name="Half", limit=2)
        other = make_quota(id=3, name="Of tees", kind="tee")
        ask = make_ask(quotas=(full, half, other), counted=(make_counted(local(2, 15)),))

        verdicts = [verdict for verdict in reviewed(ask) if verdict.code == "quota_exceeded"]

        assert [(verdict.passed, verdict.limit, verdict.current) for verdict in verdicts] == [
            (False, 1, 1),
            (True, 2, 1),
        ]
        assert verdicts[1].about == "Half"
        assert one(make_ask(), "quota_exceeded") == Verdict("quota_exceeded", "quota", True, True)

    def test_tells_what_staff_may_set_aside_and_what_nobody_can(self) -> None:
        assert one(make_ask(), "not_yet_released").can_be_waived
        assert not one(make_ask(), "outside_opening_hours").can_be_waived

    def test_says_when_a_rule_would_pass(self) -> None:
        verdict = one(make_ask(starts_at=local(1, 10) + 20 * DAY), "not_yet_released")
        assert (verdict.passed, verdict.retry_at) == (False, local(14, 7))
