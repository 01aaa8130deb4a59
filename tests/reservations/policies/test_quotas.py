from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reservations.policies.ask import Ask
from reservations.policies.quotas import amount, applies, count, in_scope, period_of, wanted
from reservations.policies.rules.quota import QuotaLimitRule
from reservations.policies.terms import Counted, GuestVisit, QuotaFacts
from tests.reservations.policies.asks import (
    BERLIN,
    CATEGORY,
    DAY,
    FACILITY,
    HOUR,
    MANILA,
    MEMBER,
    MINUTE,
    NEW_YORK,
    NOW,
    SECOND,
    ZONES,
    instants,
    judged,
    local,
    make_ask,
    make_counted,
    make_quota,
    only,
    rooms,
)

MONDAY, SUNDAY = 0, 6
dates = st.dates(date(2001, 1, 1), date(2098, 12, 31))
periods = st.sampled_from(["day", "week", "month", "year"])


class TestPeriodOf:
    @pytest.mark.parametrize(
        ("on", "period", "week_start", "first", "after"),
        [
            (date(2026, 6, 3), "day", MONDAY, date(2026, 6, 3), date(2026, 6, 4)),
            (date(2026, 6, 1), "week", MONDAY, date(2026, 6, 1), date(2026, 6, 8)),
            (date(2026, 6, 7), "week", MONDAY, date(2026, 6, 1), date(2026, 6, 8)),
            (date(2026, 6, 7), "week", SUNDAY, date(2026, 6, 7), date(2026, 6, 14)),
            (date(2026, 6, 6), "week", SUNDAY, date(2026, 5, 31), date(2026, 6, 7)),
            (date(2026, 2, 28), "month", MONDAY, date(2026, 2, 1), date(2026, 3, 1)),
            (date(2028, 2, 29), "month", MONDAY, date(2028, 2, 1), date(2028, 3, 1)),
            (date(2026, 12, 31), "month", MONDAY, date(2026, 12, 1), date(2027, 1, 1)),
            (date(2028, 2, 29), "year", MONDAY, date(2028, 1, 1), date(2029, 1, 1)),
            (date(2026, 12, 31), "year", MONDAY, date(2026, 1, 1), date(2027, 1, 1)),
        ],
        ids=str,
    )
    def test_has_calendar_edges(
        self, on: date, period: str, week_start: int, first: date, after: date
    ) -> None:
        assert period_of(on, period, week_start) == (first, after)

    @given(on=dates, period=periods, week_start=st.integers(0, 6))
    def test_holds_its_day_and_is_the_same_for_each_day_of_it(
        self, on: date, period: str, week_start: int
    ) -> None:
        first, after = period_of(on, period, week_start)

        assert first <= on < after
        assert period_of(first, period, week_start) == (first, after)
        assert period_of(after - DAY, period, week_start) == (first, after)
        assert period_of(after, period, week_start)[0] == after

    @given(on=dates, week_start=st.integers(0, 6))
    def test_a_week_has_seven_days_and_starts_on_the_clubs_day(self, on: date, week_start: int) -> None:
        first, after = period_of(on, "week", week_start)

        assert (first.weekday(), (after - first).days) == (week_start, 7)

    @pytest.mark.parametrize("period", ["outstanding", "concurrent", "decade"])
    def test_there_is_none_of_what_is_no_period_of_days(self, period: str) -> None:
        with pytest.raises(ValueError, match=period):
            period_of(date(2026, 6, 1), period, MONDAY)


class TestApplies:
    @pytest.mark.parametrize(
        ("quota", "ask", "expected"),
        [
            ({}, {}, True),
            ({"facility_id": FACILITY}, {}, True),
            ({"facility_id": FACILITY + 1}, {}, False),
            ({"kind": "court"}, {}, True),
            ({"kind": "tee"}, {}, False),
            ({"category_id": CATEGORY}, {}, True),
            ({"category_id": CATEGORY + 1}, {}, False),
            ({"prime_time_only": True}, {}, False),
            ({"prime_time_only": True}, {"is_prime": True}, True),
            ({"valid_from": date(2026, 6, 2)}, {}, True),
            ({"valid_from": date(2026, 6, 3)}, {}, False),
            ({"valid_until": date(2026, 6, 2)}, {}, True),
            ({"valid_until": date(2026, 6, 1)}, {}, False),
        ],
        ids=lambda value: (
            " ".join(map(str, value.values())) or "-" if isinstance(value, dict) else str(value)
        ),
    )
    def test_to_the_wishes_of_its_scope(
        self, quota: dict[str, Any], ask: dict[str, Any], expected: bool
    ) -> None:
        assert applies(make_quota(**quota), make_ask(**ask)) is expected

    def test_is_not_asked_about_another_wish(self) -> None:
        other = make_quota(facility_id=FACILITY + 1, limit=0)

        assert not judged(QuotaLimitRule(), make_ask(quotas=(other,)))


class TestInScope:
    @pytest.mark.parametrize(
        ("quota", "row", "expected"),
        [
            ({}, {}, True),
            ({}, {"counts": False}, False),
            ({"facility_id": FACILITY}, {}, True),
            ({"facility_id": FACILITY}, {"facility_id": FACILITY + 1}, False),
            ({"kind": "court"}, {"facility_id": FACILITY + 1}, True),
            ({"kind": "court"}, {"kind": "tee"}, False),
            ({"prime_time_only": True}, {"is_prime": True}, True),
            ({"prime_time_only": True}, {}, False),
        ],
        ids=lambda value: (
            " ".join(map(str, value.values())) or "-" if isinstance(value, dict) else str(value)
        ),
    )
    def test_counts_what_its_scope_holds(
        self, quota: dict[str, Any], row: dict[str, Any], expected: bool
    ) -> None:
        assert in_scope(make_quota(**quota), make_counted(local(2, 8), **row)) is expected


class TestMeasures:
    @pytest.mark.parametrize(
        ("measure", "expected"), [("count", 1), ("minutes", 90), ("nights", 0), ("guests", 2)]
    )
    def test_of_a_wish_and_of_what_is_counted_agree(self, measure: str, expected: int) -> None:
        quota = make_quota(measure=measure)
        ask = make_ask(
            starts_at=local(2, 10), ends_at=local(2, 11, 30), guests=(GuestVisit("One"), GuestVisit("Two"))
        )

        assert wanted(quota, ask) == expected
        assert amount(quota, make_counted(local(2, 10), hours=1.5, guests=2)) == expected

    def test_of_a_stay_are_its_nights(self) -> None:
        quota = make_quota(measure="nights")
        ask = make_ask(starts_at=local(2, 14), ends_at=local(5, 12), facility=rooms(), nights=3)

        assert wanted(quota, ask) == 3
        assert amount(quota, make_counted(local(2, 14), hours=70, nights=3)) == 3


class TestScopeOfPeople:
    household = (
        make_counted(local(2, 8)),
        make_counted(local(2, 9), member_id=MEMBER + 1),
        make_counted(local(2, 12), member_id=MEMBER + 2),
    )

    def test_a_members_quota_counts_what_is_for_the_member(self) -> None:
        assert count(make_quota(), make_ask(counted=self.household)) == 1

    def test_a_households_quota_counts_what_is_for_any_of_them(self) -> None:
        assert count(make_quota(per_household=True), make_ask(counted=self.household)) == 3


class TestPeriodsOfRows:
    """A booking counts wholly in the period that its start falls in, by the club's calendar."""

    @pytest.mark.parametrize(
        ("starts_at", "counts"),
        [
            (local(1, 23, 59), False),
            (local(2, 0), True),
            (local(2, 23, 59), True),
            (local(3, 0), False),
        ],
        ids=["eve", "midnight", "last-minute", "next-midnight"],
    )
    def test_a_day_is_a_day_at_the_club(self, starts_at: datetime, counts: bool) -> None:
        ask = make_ask(starts_at=local(2, 10), counted=(make_counted(starts_at),))

        assert count(make_quota(), ask) == counts

    def test_a_booking_over_midnight_counts_in_the_day_it_starts_in(self) -> None:
        late = make_counted(local(2, 23), hours=2)

        assert count(make_quota(), make_ask(starts_at=local(2, 10), counted=(late,))) == 1
        assert count(make_quota(), make_ask(starts_at=local(3, 10), counted=(late,))) == 0

    @pytest.mark.parametrize(("week_start", "counted"), [(MONDAY, 1), (SUNDAY, 0)])
    def test_a_week_starts_where_the_club_says(self, week_start: int, counted: int) -> None:
        """Wednesday 3 and Sunday 7 June are of one week if weeks start on Monday."""
        ask = make_ask(starts_at=local(7, 10), counted=(make_counted(local(3, 10)),), week_start=week_start)

        assert count(make_quota(period="week"), ask) == counted

    @pytest.mark.parametrize(("period", "counted"), [("day", 0), ("week", 0), ("month", 1), ("year", 2)])
    def test_longer_periods_hold_more(self, period: str, counted: int) -> None:
        rows = (make_counted(local(30, 10)), make_counted(local(1, 10, month=2)))

        assert count(make_quota(period=period), make_ask(starts_at=local(9, 10), counted=rows)) == counted

    @given(
        zone=st.sampled_from(ZONES),
        wish=instants,
        other=instants,
        period=periods,
        week_start=st.integers(0, 6),
    )
    def test_count_together_exactly_when_the_period_of_both_is_one(
        self, zone: ZoneInfo, wish: datetime, other: datetime, period: str, week_start: int
    ) -> None:
        ask = make_ask(
            starts_at=wish, zone=zone, week_start=week_start, counted=(make_counted(other, zone=zone),)
        )

        of_wish = period_of(wish.astimezone(zone).date(), period, week_start)
        of_other = period_of(other.astimezone(zone).date(), period, week_start)
        assert count(make_quota(period=period), ask) == (of_wish == of_other)

    @pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
    def test_both_passes_of_a_doubled_hour_are_of_one_day(self, zone: ZoneInfo) -> None:
        on = date(2026, 10, 25) if zone is BERLIN else date(2026, 11, 1)
        first = datetime.combine(on, time(1, 30), tzinfo=zone).astimezone(UTC)
        rows = tuple(make_counted(first + hours * HOUR, zone=zone) for hours in (0, 1, 2))

        ask = make_ask(starts_at=first + 10 * HOUR, zone=zone, counted=rows)

        assert count(make_quota(), ask) == 3


class TestOutstanding:
    quota = make_quota(name="Two open", period="outstanding")

    def test_counts_what_occupies_and_has_not_ended(self) -> None:
        rows = (
            make_counted(NOW - HOUR),  # ends now
            make_counted(NOW - HOUR + SECOND),
            make_counted(local(25, 10)),
            make_counted(local(3, 10), occupies=False),
        )

        assert count(self.quota, make_ask(counted=rows)) == 2

    def test_retry_at_is_when_the_first_of_them_ends(self) -> None:
        rows = (make_counted(local(5, 10)), make_counted(local(1, 10)))

        failure = only(QuotaLimitRule(), make_ask(quotas=(self.quota,), counted=rows))

        assert (failure.limit, failure.current, failure.retry_at) == (2, 2, local(1, 11))

    def test_retry_at_waits_for_as_many_as_stand_in_the_way(self) -> None:
        """Three are open where two may be now: two of them have to end."""
        rows = (make_counted(local(5, 10)), make_counted(local(1, 10)), make_counted(local(3, 10)))

        failure = only(QuotaLimitRule(), make_ask(quotas=(self.quota,), counted=rows))

        assert (failure.current, failure.retry_at) == (3, local(3, 11))

    def test_retry_at_is_none_where_the_wish_alone_is_too_much(self) -> None:
        quota = make_quota(period="outstanding", measure="minutes", limit=45)

        failure = only(QuotaLimitRule(), make_ask(quotas=(quota,), counted=(make_counted(local(1, 10)),)))

        assert failure.retry_at is None

    @given(
        starts=st.lists(st.integers(-90, 600), min_size=1, max_size=6),
        lengths=st.lists(st.sampled_from([30, 60, 90]), min_size=6, max_size=6),
        limit=st.integers(1, 300),
        measure=st.sampled_from(["count", "minutes"]),
    )
    def test_retry_at_is_the_first_moment_that_passes(
        self, starts: list[int], lengths: list[int], limit: int, measure: str
    ) -> None:
        quota = make_quota(
            period="outstanding", measure=measure, limit=limit if measure == "minutes" else limit % 4
        )
        rows = tuple(
            make_counted(NOW + start * MINUTE, hours=length / 60, reservation_id=number)
            for number, (start, length) in enumerate(zip(starts, lengths, strict=False))
        )

        def judged_at(at: datetime) -> list[Any]:
            return judged(QuotaLimitRule(), make_ask(quotas=(quota,), counted=rows, now=at))

        failures = judged_at(NOW)
        assume(failures)

        retry_at = failures[0].retry_at
        if retry_at is None:
            assert judged_at(NOW + 30 * DAY), "waiting would have helped"
        else:
            assert not judged_at(retry_at)
            assert judged_at(retry_at - SECOND)


class TestConcurrent:
    quota = make_quota(name="One at a time", period="concurrent", limit=1)

    @pytest.mark.parametrize(
        ("starts_at", "current"),
        [(local(2, 9), 0), (local(2, 9, 1), 1), (local(2, 10), 1), (local(2, 10, 59), 1), (local(2, 11), 0)],
        ids=["touches", "overlaps-the-start", "same", "overlaps-the-end", "touches-the-end"],
    )
    def test_counts_what_overlaps(self, starts_at: datetime, current: int) -> None:
        assert count(self.quota, make_ask(counted=(make_counted(starts_at),))) == current

    def test_waiting_does_not_help(self) -> None:
        failure = only(
            QuotaLimitRule(), make_ask(quotas=(self.quota,), counted=(make_counted(local(2, 10)),))
        )

        assert (failure.code, failure.current, failure.retry_at) == ("quota_exceeded", 1, None)

    def test_what_no_longer_occupies_does_not_overlap(self) -> None:
        row = make_counted(local(2, 10), occupies=False)

        assert count(self.quota, make_ask(counted=(row,))) == 0


class TestQuotaLimitRule:
    @pytest.mark.parametrize(("booked", "passes"), [(0, True), (1, True), (2, False), (3, False)])
    def test_lets_the_limit_itself_be_reached(self, booked: int, passes: bool) -> None:
        rows = tuple(make_counted(local(2, 12 + number)) for number in range(booked))

        failures = judged(QuotaLimitRule(), make_ask(quotas=(make_quota(),), counted=rows))

        expected = [] if passes else [("quota_exceeded", 2, booked)]
        assert [(one.code, one.limit, one.current) for one in failures] == expected

    def test_names_every_quota_that_the_wish_would_exceed(self) -> None:
        quotas = (
            make_quota(name="One a day", limit=1),
            make_quota(name="Nine a week", period="week", limit=9),
            make_quota(name="Two hours a month", measure="minutes", period="month", limit=60),
        )

        failures = judged(QuotaLimitRule(), make_ask(quotas=quotas, counted=(make_counted(local(2, 15)),)))

        assert [(one.limit, one.current) for one in failures] == [(1, 1), (60, 60)]
        assert "One a day" in failures[0].detail

    def test_does_not_refuse_a_wish_that_uses_nothing_of_it(self) -> None:
        """Staff lowered the guests of a month below what was brought: one may still play alone."""
        quota = make_quota(measure="guests", period="month", limit=2)
        rows = (make_counted(local(1, 10), guests=4),)

        alone = make_ask(quotas=(quota,), counted=rows)
        with_a_guest = make_ask(quotas=(quota,), counted=rows, guests=(GuestVisit("A Guest"),))

        assert not judged(QuotaLimitRule(), alone)
        assert only(QuotaLimitRule(), with_a_guest).current == 4

    @given(
        booked=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23)), max_size=12),
        period=st.sampled_from(["day", "week", "month", "year", "outstanding", "concurrent"]),
        measure=st.sampled_from(["count", "minutes"]),
        limit=st.integers(0, 400),
        per_household=st.booleans(),
    )
    def test_passes_exactly_while_the_wish_fits_into_the_limit(
        self, booked: list[tuple[int, int]], period: str, measure: str, limit: int, per_household: bool
    ) -> None:
        quota = make_quota(period=period, measure=measure, limit=limit, per_household=per_household)
        rows: tuple[Counted, ...] = tuple(
            make_counted(NOW + day * DAY + hour * HOUR, member_id=MEMBER + day % 2) for day, hour in booked
        )
        ask = make_ask(starts_at=local(9, 10), quotas=(quota,), counted=rows, zone=MANILA)

        total = sum(amount(quota, row) for row in rows if _is_counted(quota, row, ask)) + wanted(quota, ask)

        assert bool(judged(QuotaLimitRule(), ask)) is (total > limit)


def _is_counted(quota: QuotaFacts, row: Counted, ask: Ask) -> bool:
    """The sentence of the domain, written anew."""
    if not quota.per_household and row.member_id != ask.member.member_id:
        return False
    if quota.period == "outstanding":
        return row.interval.ends_at > ask.now
    if quota.period == "concurrent":
        return row.interval.starts_at < ask.interval.ends_at and row.interval.ends_at > ask.interval.starts_at
    one, two = row.interval.starts_at.astimezone(ask.zone), ask.interval.starts_at.astimezone(ask.zone)
    same: dict[str, bool] = {
        "day": one.date() == two.date(),
        "week": one.date().isocalendar()[:2] == two.date().isocalendar()[:2],
        "month": (one.year, one.month) == (two.year, two.month),
        "year": one.year == two.year,
    }
    return same[quota.period]
