"""Wishes to judge without a database: every default passes every rule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bcc.core.errors import RuleFailure
from bcc.core.intervals import Interval
from facilities.policies.hours import Period, Span, opening_intervals
from reservations.policies.ask import Ask
from reservations.policies.occupancy import Occupancy, SpaceOccupancy, Taken
from reservations.policies.rules import Rule
from reservations.policies.terms import Counted, FacilityFacts, MemberFacts, QuotaFacts, SpaceFacts, Terms

MANILA, BERLIN, NEW_YORK = ZoneInfo("Asia/Manila"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = (MANILA, BERLIN, NEW_YORK)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

FACILITY, SPACE, MEMBER, MEMBERSHIP, CATEGORY = 11, 21, 31, 41, 51
# Any minute of two years; the clocks of Berlin and New York change eight times in them.
instants = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda number: datetime(2026, 1, 1, tzinfo=UTC) + number * MINUTE
)
# Monday 1 June 2026, 08:00 in Manila, as in the cast's conftest.
NOW = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)


def local(day: int, hour: int, minute: int = 0, *, month: int = 6, zone: ZoneInfo = MANILA) -> datetime:
    """An instant of 2026 by the clock of a zone."""
    return datetime(2026, month, day, hour, minute, tzinfo=zone).astimezone(UTC)


def facility_of(
    *spaces: SpaceFacts, kind: str = "court", per_person: bool = False, **more: Any
) -> FacilityFacts:
    return FacilityFacts(
        id=FACILITY,
        public_id=UUID(int=FACILITY),
        name="Court One",
        kind=kind,
        takes_per_person=per_person,
        spaces=spaces or (SpaceFacts(SPACE, 15, 1),),
        **more,
    )


def rooms(count: int = 2, *, check_in: time = time(14), check_out: time = time(12)) -> FacilityFacts:
    return facility_of(SpaceFacts(SPACE, 0, count, check_in, check_out), kind="room_night")


def always(opens: time = time(6), closes: time = time(22), *, next_day: bool = False) -> tuple[Period, ...]:
    spans = tuple(Span(weekday, opens, closes, next_day) for weekday in range(7))
    return (Period(date(2020, 1, 1), None, 0, True, spans),)


def taken_of(
    facility: FacilityFacts, rows: Iterable[Taken] = (), zone: ZoneInfo = MANILA
) -> dict[int, SpaceOccupancy]:
    rows = list(rows)
    return {
        space.id: SpaceOccupancy(space, [row for row in rows if row.space_id == space.id], zone)
        for space in facility.spaces
    }


def make_ask(
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    terms: Terms | None = None,
    facility: FacilityFacts | None = None,
    taken: Iterable[Taken] = (),
    occupancy: Occupancy | None = None,
    periods: tuple[Period, ...] | None = None,
    member: MemberFacts | None = None,
    zone: ZoneInfo = MANILA,
    **more: Any,
) -> Ask:
    """Tomorrow at ten for an hour, of a court with one space, open from six to ten at night."""
    starts_at = starts_at or local(2, 10, zone=zone)
    ends_at = ends_at or starts_at + HOUR
    facility = facility or facility_of()
    open_in = periods if periods is not None else always()
    if facility.is_nightly and periods is None:
        open_in = always(time(0), time(0), next_day=True)
    return Ask(
        **{
            "now": NOW,
            "zone": zone,
            "week_start": 0,
            "facility": facility,
            "terms": terms or Terms(),
            "interval": Interval(starts_at, ends_at),
            "starts_on": starts_at.astimezone(zone).date(),
            "party": 1,
            "occupancy": occupancy if occupancy is not None else taken_of(facility, taken, zone),
            "open_on": lambda on: opening_intervals(on, open_in, frozenset(), zone),
            "member": member or make_member(),
            **more,
        }
    )


def make_member(**values: Any) -> MemberFacts:
    return MemberFacts(
        **{
            "member_id": MEMBER,
            "membership_id": MEMBERSHIP,
            "category_id": CATEGORY,
            "standing": "good",
            **values,
        }
    )


def make_quota(**values: Any) -> QuotaFacts:
    """Two bookings a day for a member, of anything."""
    return QuotaFacts(
        **{
            "id": 1,
            "name": "Two a day",
            "measure": "count",
            "period": "day",
            "per_household": False,
            "limit": 2,
            **values,
        }
    )


def make_counted(starts_at: datetime, *, hours: float = 1, zone: ZoneInfo = MANILA, **values: Any) -> Counted:
    return Counted(
        **{
            "reservation_id": 1,
            "member_id": MEMBER,
            "facility_id": FACILITY,
            "kind": "court",
            "interval": Interval(starts_at, starts_at + hours * HOUR),
            "starts_on": starts_at.astimezone(zone).date(),
            "nights": 0,
            "guests": 0,
            "occupies": True,
            "is_prime": False,
            **values,
        }
    )


def judged(rule: Rule, ask: Ask) -> list[RuleFailure]:
    return list(rule.judge(ask))


def only(rule: Rule, ask: Ask) -> RuleFailure:
    """The one failure of a rule; its text is whole and says what to do."""
    failures = judged(rule, ask)
    assert len(failures) == 1
    assert failures[0].detail.endswith(".")
    return failures[0]
