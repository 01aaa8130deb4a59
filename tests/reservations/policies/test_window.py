from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reservations.policies.rules.window import NoticeRule, PastRule, ReleaseRule, RescheduleRule, release_of
from reservations.policies.terms import Terms
from tests.reservations.policies.asks import (
    BERLIN,
    DAY,
    HOUR,
    MANILA,
    MINUTE,
    NEW_YORK,
    NOW,
    SECOND,
    ZONES,
    instants,
    judged,
    local,
    make_ask,
    only,
)


class TestPastRule:
    def test_refuses_from_the_start_on(self) -> None:
        starts_at = local(2, 10)

        passes = [
            not judged(PastRule(), make_ask(starts_at=starts_at, now=at))
            for at in (starts_at - SECOND, starts_at, starts_at + SECOND)
        ]

        assert passes == [True, False, False]
        assert only(PastRule(), make_ask(starts_at=starts_at, now=starts_at)).code == "in_the_past"


class TestNoticeRule:
    def test_wants_its_minutes_and_the_last_of_them_is_in_time(self) -> None:
        starts_at, terms = local(2, 10), Terms(min_notice_minutes=90)

        passes = [
            not judged(
                NoticeRule(), make_ask(starts_at=starts_at, terms=terms, now=starts_at - 90 * MINUTE + late)
            )
            for late in (-SECOND, timedelta(0), SECOND)
        ]

        assert passes == [True, True, False]

    def test_says_how_many_minutes_and_how_many_are_left(self) -> None:
        starts_at = local(2, 10)
        ask = make_ask(
            starts_at=starts_at, terms=Terms(min_notice_minutes=90), now=starts_at - 89 * MINUTE - 59 * SECOND
        )

        failure = only(NoticeRule(), ask)

        assert (failure.code, failure.limit, failure.current) == ("too_short_notice", 90, 89)
        assert failure.retry_at is None

    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_counts_days_by_the_clubs_calendar(self, zone: ZoneInfo) -> None:
        """Two days ahead is two midnights at the club, however few hours lie between."""
        starts_at, terms = local(3, 7, zone=zone), Terms(min_notice_days=2)
        midnight = local(2, 0, zone=zone)

        early = make_ask(starts_at=starts_at, terms=terms, now=midnight - SECOND, zone=zone)
        late = make_ask(starts_at=starts_at, terms=terms, now=midnight, zone=zone)

        assert not judged(NoticeRule(), early)
        failure = only(NoticeRule(), late)
        assert (failure.code, failure.limit, failure.current) == ("too_short_notice", 2, 1)

    def test_names_minutes_and_days_when_both_are_too_few(self) -> None:
        terms = Terms(min_notice_minutes=2 * 24 * 60, min_notice_days=2)

        failures = judged(NoticeRule(), make_ask(starts_at=NOW + HOUR, terms=terms))

        assert [(one.limit, one.current) for one in failures] == [(2880, 60), (2, 0)]


class TestReleaseRule:
    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_opens_at_the_release_time_of_the_club(self, zone: ZoneInfo) -> None:
        terms = Terms(open_days_ahead=7, release_time=time(7))
        released_at = local(2, 7, zone=zone)
        starts_at = local(9, 10, zone=zone)

        passes = [
            not judged(ReleaseRule(), make_ask(starts_at=starts_at, terms=terms, now=at, zone=zone))
            for at in (released_at - SECOND, released_at, released_at + SECOND)
        ]

        assert passes == [False, True, True]

    def test_says_how_far_ahead_and_when_to_try_again(self) -> None:
        terms = Terms(open_days_ahead=7, release_time=time(7))
        ask = make_ask(starts_at=local(9, 10), terms=terms, now=local(2, 7) - SECOND)

        failure = only(ReleaseRule(), ask)

        assert (failure.code, failure.limit, failure.current) == ("not_yet_released", 7, 7)
        assert failure.retry_at == local(2, 7)
        assert "2 June 2026, 07:00" in failure.detail

    def test_the_whole_day_opens_at_once(self) -> None:
        terms = Terms(open_days_ahead=7, release_time=time(7))
        first, last = local(9, 0), local(9, 23, 59)

        assert {release_of(make_ask(starts_at=at, terms=terms)) for at in (first, last)} == {local(2, 7)}
        assert release_of(make_ask(starts_at=last + MINUTE, terms=terms)) == local(3, 7)

    def test_with_no_days_ahead_opens_on_the_day_itself(self) -> None:
        terms = Terms(open_days_ahead=0, release_time=time(7))

        assert judged(ReleaseRule(), make_ask(starts_at=local(2, 10), terms=terms, now=local(2, 7) - SECOND))
        assert not judged(ReleaseRule(), make_ask(starts_at=local(2, 10), terms=terms, now=local(2, 7)))

    @pytest.mark.parametrize(
        ("zone", "day", "month", "hour", "opens_at"),
        [
            # 02:30 does not exist on these days: the day opens with the change of the clocks.
            (BERLIN, 29, 3, 2, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
            (NEW_YORK, 8, 3, 2, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
            # These come twice: the first counts.
            (BERLIN, 25, 10, 2, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
            (NEW_YORK, 1, 11, 1, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
            (MANILA, 29, 3, 2, datetime(2026, 3, 28, 18, 30, tzinfo=UTC)),
        ],
        ids=["berlin-gap", "new-york-gap", "berlin-double", "new-york-double", "manila"],
    )
    def test_stands_on_a_day_on_which_the_clocks_change(
        self, zone: ZoneInfo, day: int, month: int, hour: int, opens_at: datetime
    ) -> None:
        terms = Terms(open_days_ahead=0, release_time=time(hour, 30))

        ask = make_ask(starts_at=local(day, 20, month=month, zone=zone), terms=terms, zone=zone)

        assert release_of(ask) == opens_at

    @given(
        zone=st.sampled_from(ZONES),
        starts_at=instants,
        days=st.integers(0, 60),
        release=st.times().map(lambda at: at.replace(microsecond=0)),
        before=st.integers(1, 90 * 24 * 60),
    )
    @example(  # the release falls into the hour that Berlin's clocks skip
        zone=BERLIN,
        starts_at=datetime(2026, 4, 5, 10, tzinfo=UTC),
        days=7,
        release=time(2, 30, 15),
        before=60,
    )
    def test_retry_at_is_the_first_moment_that_passes(
        self, zone: ZoneInfo, starts_at: datetime, days: int, release: time, before: int
    ) -> None:
        terms = Terms(open_days_ahead=days, release_time=release)
        ask = make_ask(starts_at=starts_at, terms=terms, now=starts_at - before * MINUTE, zone=zone)

        for failure in judged(ReleaseRule(), ask):
            assert failure.retry_at is not None
            assert failure.retry_at > ask.now
            again = make_ask(starts_at=starts_at, terms=terms, now=failure.retry_at, zone=zone)
            too_soon = make_ask(starts_at=starts_at, terms=terms, now=failure.retry_at - SECOND, zone=zone)
            assert not judged(ReleaseRule(), again)
            assert judged(ReleaseRule(), too_soon)


class TestRescheduleRule:
    def test_lets_it_be_moved_as_often_as_the_limit_says(self) -> None:
        terms = Terms(reschedule_limit=2)

        passes = [
            not judged(RescheduleRule(), make_ask(terms=terms, reschedules=done)) for done in (0, 1, 2, 3)
        ]

        assert passes == [True, True, False, False]

    def test_says_the_limit_and_the_count(self) -> None:
        failure = only(RescheduleRule(), make_ask(terms=Terms(reschedule_limit=0), reschedules=0))

        assert (failure.code, failure.limit, failure.current) == ("reschedule_limit", 0, 0)

    def test_does_not_speak_about_a_new_booking(self) -> None:
        assert not judged(RescheduleRule(), make_ask(terms=Terms(reschedule_limit=0), reschedules=None))


def test_notice_is_elapsed_time_across_a_change_of_the_clocks() -> None:
    """A day before ten is nine on the wall where the clocks went forward in between."""
    starts_at = local(29, 10, month=3, zone=BERLIN)
    terms = Terms(min_notice_minutes=24 * 60)

    in_time = make_ask(starts_at=starts_at, terms=terms, now=starts_at - DAY, zone=BERLIN)

    assert in_time.now.astimezone(BERLIN).hour == 9
    assert not judged(NoticeRule(), in_time)
