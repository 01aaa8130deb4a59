"""What is read across tables, and in how many queries however many rows there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Member, MembershipCategory
from accounts.policies.identity import Identity
from facilities.models import (
    Announcement,
    Closure,
    Content,
    Event,
    Facility,
    FacilitySpace,
    Holiday,
    OpeningPeriod,
    OpeningSpan,
    PrimeTime,
    Rate,
    ReservationPolicy,
)
from facilities.policies.cells import Cells
from facilities.policies.hours import HOLIDAY, Band
from facilities.policies.plain_language import Stay
from facilities.policies.terms import Quota
from facilities.selectors import club, hours, policies
from tests.conftest import at_club
from tests.facilities.conftest import queries
from tests.factories import CategoryFactory, make_facility, make_quota, make_rooms, make_space, make_version

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 1)
MANILA = ZoneInfo("Asia/Manila")


@pytest.fixture
def identity(owner: Member) -> Identity:
    assert owner.user is not None
    return Identity(
        user_id=owner.user.pk,
        public_id=owner.user.public_id,
        username=owner.user.username,
        display_name="",
        is_staff=False,
        is_active=True,
        session_id=uuid4(),
        member_id=owner.pk,
        membership_id=owner.membership_id,
    )


def staff(identity: Identity, *permissions: str) -> Identity:
    return replace(
        identity, is_staff=True, member_id=None, membership_id=None, permissions=frozenset(permissions)
    )


class TestSeesDrafts:
    @pytest.mark.parametrize(
        ("permission", "sees"),
        [
            ("facilities.view_announcement", True),
            ("facilities.change_announcement", True),
            ("facilities.add_announcement", False),
            ("facilities.view_event", False),
        ],
    )
    def test_is_who_may_look_or_change(self, identity: Identity, permission: str, sees: bool) -> None:
        assert club.sees_drafts(staff(identity, permission), Announcement) is sees

    def test_is_no_member_and_nobody(self, identity: Identity) -> None:
        assert not club.sees_drafts(identity, Announcement)
        assert not club.sees_drafts(None, Announcement)


class TestContentFor:
    @pytest.fixture
    def rows(self, senior: MembershipCategory, now: datetime) -> None:
        rows: dict[str, dict[str, Any]] = {
            "Public": {"audience": "public"},
            "Members": {},
            "Seniors": {"audience": "categories"},
            "Draft": {"state": "draft"},
            "Tomorrow": {"publish_from": now + timedelta(days=1)},
        }
        for title, values in rows.items():
            row = Announcement.objects.create(title=title, **{"state": "published", **values})
            if title == "Seniors":
                row.categories.add(senior)

    def read(self, identity: Identity | None, now: datetime) -> set[str]:
        return {row.title for row in club.content_for(identity, Announcement, at=now)}

    def test_is_by_audience(
        self, rows: None, identity: Identity, owner: Member, senior: MembershipCategory, now: datetime
    ) -> None:
        assert self.read(None, now) == {"Public"}
        assert self.read(identity, now) == {"Public", "Members"}
        owner.membership.category = senior
        owner.membership.save()
        assert self.read(identity, now) == {"Public", "Members", "Seniors"}

    def test_is_everything_for_staff_who_edit_and_what_is_public_for_others(
        self, rows: None, identity: Identity, now: datetime
    ) -> None:
        editor = staff(identity, "facilities.change_announcement")
        assert self.read(editor, now) == {"Public", "Members", "Seniors", "Draft", "Tomorrow"}
        assert self.read(staff(identity, "facilities.view_event"), now) == {"Public"}

    def test_holds_from_its_first_instant_and_not_at_its_last(self, now: datetime) -> None:
        Announcement.objects.create(
            title="Hour", state="published", audience="public",
            publish_from=now, publish_until=now + timedelta(hours=1),
        )  # fmt: skip

        instants = [now - timedelta(seconds=1), now, now + timedelta(minutes=59), now + timedelta(hours=1)]
        assert [len(self.read(None, instant)) for instant in instants] == [0, 1, 1, 0]
        row = Announcement.objects.get()
        assert [row.is_shown_at(instant) for instant in instants] == [False, True, True, False]

    def test_shows_a_row_once_however_many_categories_it_has(
        self, identity: Identity, owner: Member, senior: MembershipCategory, now: datetime
    ) -> None:
        row = Announcement.objects.create(title="Some", state="published", audience="categories")
        row.categories.add(owner.membership.category, senior)

        assert len(club.content_for(identity, Announcement, at=now)) == 1

    def test_names_categories_by_rank(self, now: datetime) -> None:
        low, high = CategoryFactory.create(code="b", rank=2), CategoryFactory.create(code="a", rank=1)
        row = Announcement.objects.create(title="Some", state="published", audience="categories")
        row.categories.add(low, high)

        (found,) = club.content_shown(Announcement, category_id=low.pk, at=now)
        assert [category.code for category in found.categories.all()] == ["a", "b"]

    @pytest.mark.parametrize("model", [Announcement, Event], ids=lambda model: str(model.__name__))
    def test_takes_three_queries_however_many_rows_there_are(
        self, identity: Identity, senior: MembershipCategory, now: datetime, model: type[Content]
    ) -> None:
        counts = []
        for _round in range(2):
            for number in range(5):
                values = {} if model is Announcement else {"starts_at": now, "ends_at": now + timedelta(1)}
                model.objects.create(title=str(number), state="published", **values).categories.add(senior)
            with queries() as seen:
                rows = [
                    (row.title, list(row.categories.all()))
                    for row in club.content_for(identity, model, at=now)
                ]
            counts.append((len(rows), len(seen)))

        assert counts == [(5, 3), (10, 3)]


class TestFacilitiesFor:
    def test_hides_drafts_but_from_staff(self, identity: Identity, court: Facility, now: datetime) -> None:
        Facility.objects.create(code="draft", name="Draft", kind="court")
        editor = staff(identity, "facilities.view_facility")

        assert list(club.facilities_for(identity, at=now)) == [court]
        assert club.facilities_for(editor, at=now).count() == 2

    def test_takes_two_queries_however_many_there_are(self, identity: Identity, now: datetime) -> None:
        counts = []
        for name in ("One", "Two", "Three"):
            make_facility(name)
            with queries() as seen:
                rows = [list(row.spaces.all()) for row in club.facilities_for(identity, at=now)]
            counts.append((len(rows), len(seen)))

        assert counts == [(1, 2), (2, 2), (3, 2)]


class TestHoursOf:
    def test_names_confirmed_holidays_and_takes_their_hours(self, court: Facility) -> None:
        period = court.opening_periods.get()
        OpeningSpan.objects.create(period=period, weekday=HOLIDAY, opens=time(9), closes=time(18))
        Holiday.objects.create(on=date(2026, 6, 2), name="Confirmed", is_confirmed=True)
        Holiday.objects.create(on=date(2026, 6, 3), name="Proposed")

        days = hours.hours_of(court, first=TODAY, last=date(2026, 6, 3), zone=MANILA)

        assert [(day.on.day, day.holiday) for day in days] == [(1, None), (2, "Confirmed"), (3, None)]
        lengths = [sum(one.minutes for one in day.intervals) // 60 for day in days]
        assert lengths == [16, 9, 16]

    def test_takes_three_queries_however_many_days_and_periods(self, court: Facility) -> None:
        counts = []
        for number in range(2):
            period = OpeningPeriod.objects.create(
                facility=court, name=str(number), starts_on=TODAY, priority=number
            )
            OpeningSpan.objects.create(period=period, weekday=0, opens=time(9), closes=time(10))
            with queries() as seen:
                hours.hours_of(court, first=TODAY, last=TODAY + timedelta(days=60 * number), zone=MANILA)
            counts.append(len(seen))

        assert counts == [3, 3]

    def test_of_a_facility_without_periods_are_none(self) -> None:
        facility = Facility.objects.create(code="new", name="New", kind="court")

        (day,) = hours.hours_of(facility, first=TODAY, last=TODAY, zone=MANILA)
        assert day.intervals == []


class TestPeriodsOf:
    def test_are_of_all_facilities_or_of_those_named(self, court: Facility) -> None:
        other = make_facility("Other")

        assert set(hours.periods_of()) == {court.pk, other.pk}
        assert set(hours.periods_of([other.pk])) == {other.pk}
        assert hours.periods_of([]) == {}


class TestBandsFor:
    def test_are_its_own_and_those_of_its_kind_in_one_query(self, court: Facility) -> None:
        hall = make_facility("Hall", kind="hall")
        band = {"weekday": 0, "starts": time(17), "ends": time(21)}
        PrimeTime.objects.create(name="Own", facility=court, **band)
        PrimeTime.objects.create(name="Courts", kind="court", **{**band, "weekday": 1})
        PrimeTime.objects.create(name="Lanes", kind="lane", **band)

        with queries() as seen:
            bands = hours.bands_for({court.pk: "court", hall.pk: "hall"})

        assert len(seen) == 1
        assert bands == {
            court.pk: [Band(0, time(17), time(21)), Band(1, time(17), time(21))],
            hall.pk: [],
        }


class TestClosuresOf:
    def closed(self, court: Facility, *, day: int, **target: object) -> Closure:
        confirmed = at_club(1, 0)
        values = {"facility": court, **target}
        return Closure.objects.create(
            starts_at=at_club(day, 6), ends_at=at_club(day, 22), reason="Works",
            **{"confirmed_at": confirmed, **values},
        )  # fmt: skip

    def found(self, court: Facility, first: date = TODAY, last: date = TODAY) -> list[Closure]:
        return hours.closures_of(court, first=first, last=last, zone=MANILA)

    def test_are_of_the_facility_and_of_its_spaces_in_one_query(self, court: Facility) -> None:
        other = make_facility("Other")
        own = self.closed(court, day=1)
        space = self.closed(court, day=1, facility=None, space=court.spaces.get())
        self.closed(other, day=1)

        with queries() as seen:
            assert self.found(court) == [own, space]
        assert len(seen) == 1

    def test_are_in_force_only_once_confirmed(self, court: Facility) -> None:
        self.closed(court, day=1, confirmed_at=None)

        assert self.found(court) == []

    def test_touch_one_of_the_dates_by_the_clock_of_the_club(self, court: Facility) -> None:
        row = self.closed(court, day=2)
        Closure.objects.filter(pk=row.pk).update(starts_at=at_club(2, 0), ends_at=at_club(3, 0))
        second = date(2026, 6, 2)

        assert self.found(court) == []
        assert self.found(court, second, second) == [row]
        assert self.found(court, date(2026, 6, 3), date(2026, 6, 3)) == []
        assert self.found(court, TODAY, date(2026, 6, 30)) == [row]


class TestVersionInForce:
    def test_is_the_latest_published_of_the_most_specific_policy_in_two_queries(
        self, court: Facility, senior: MembershipCategory
    ) -> None:
        policy = court.policies.get()
        make_version(policy, number=2, max_slots=2)
        policies_new = ReservationPolicy.objects.create(name="Seniors", facility=court, category=senior)
        make_version(policies_new, max_slots=4)

        def found(category_id: int | None, on: date = TODAY) -> tuple[str, int] | None:
            with queries() as seen:
                version = policies.version_in_force(court, category_id=category_id, on=on)
                named = None if version is None else (version.policy.name, version.number)
            assert len(seen) == 2
            return named

        assert found(None) == ("Court One policy", 2)
        assert found(senior.pk) == ("Seniors", 1)

    def test_a_policy_with_nothing_but_a_draft_holds_for_nobody(self, court: Facility) -> None:
        policy = court.policies.get()
        better = ReservationPolicy.objects.create(
            name="Better", facility=court, category=CategoryFactory.create()
        )
        better.versions.create(number=1)

        version = policies.version_in_force(court, category_id=better.category_id, on=TODAY)

        assert version is not None
        assert version.policy == policy

    def test_is_none_outside_of_its_dates(self, court: Facility) -> None:
        court.policies.update(valid_until=date(2026, 5, 31))

        assert policies.version_in_force(court, category_id=None, on=TODAY) is None
        assert policies.version_in_force(court, category_id=None, on=date(2026, 5, 31)) is not None


class TestQuotasFor:
    def test_are_those_that_a_booking_there_counts_against(
        self, court: Facility, senior: MembershipCategory
    ) -> None:
        other = make_facility("Other")
        make_quota("All")
        make_quota("Kind", kind="court")
        make_quota("Own", facility=court)
        make_quota("Senior", category=senior)
        make_quota("Hall", kind="hall")
        make_quota("Elsewhere", facility=other)
        make_quota("Off", is_active=False)
        make_quota("Over", valid_until=date(2026, 5, 31))

        def names(category_id: int | None) -> list[str]:
            with queries() as seen:
                found = policies.quotas_for(court, category_id=category_id, on=TODAY)
                said = [rule.name for rule in found if policies.quota_of(rule)]
            assert len(seen) == 1
            return said

        assert names(None) == ["All", "Kind", "Own"]
        assert names(senior.pk) == ["All", "Kind", "Own", "Senior"]


class TestQuotaOf:
    def test_names_what_it_is_for(self, court: Facility) -> None:
        def scope(**values: object) -> str:
            return policies.quota_of(make_quota(str(values), **values)).scope

        assert scope(facility=court) == "Court One"
        assert scope(kind="tee") == "tee time"
        assert scope() == ""

    def test_is_the_rule_as_plain_values(self) -> None:
        rule = make_quota(measure="minutes", period="week", per="household", limit=90, prime_time_only=True)

        assert policies.quota_of(rule) == Quota(
            measure="minutes", period="week", per="household", limit=90, prime_time_only=True
        )


class TestRatesFor:
    def test_are_for_the_category_today_and_later(self, court: Facility, senior: MembershipCategory) -> None:
        Rate.objects.create(facility=court, amount=1)
        Rate.objects.create(facility=court, amount=2, category=senior)
        Rate.objects.create(facility=court, amount=3, valid_until=date(2026, 5, 31))
        Rate.objects.create(facility=court, amount=4, valid_from=date(2026, 7, 1))

        def amounts(category_id: int | None, *, everyone: bool = False) -> set[int]:
            rates = policies.rates_for(court, category_id=category_id, everyone=everyone, on=TODAY)
            return {int(rate.amount) for rate in rates}

        assert amounts(None) == {1, 4}
        assert amounts(senior.pk) == {1, 2, 4}
        assert amounts(None, everyone=True) == {1, 2, 4}


class TestCategoryOf:
    def test_is_the_memberships(self, identity: Identity, owner: Member) -> None:
        assert policies.category_of(identity) == owner.membership.category_id
        assert policies.category_of(replace(identity, membership_id=None)) is None
        assert policies.category_of(replace(identity, membership_id=0)) is None


class TestStayOf:
    def test_is_the_times_of_a_night(self, court: Facility) -> None:
        assert policies.stay_of(make_rooms()) == Stay(time(14), time(12))
        assert policies.stay_of(court) is None


class TestWhatStandsOnWhichCells:
    def test_facilities_of_a_policy_leave_out_the_retired(self, court: Facility) -> None:
        other = make_facility("Other")
        kind = ReservationPolicy.objects.create(name="Courts", kind="court")

        assert policies.facilities_of(kind) == [court, other]
        assert policies.facilities_of(court.policies.get()) == [court]
        Facility.objects.filter(pk=other.pk).update(state="retired")
        assert policies.facilities_of(kind) == [court]

    def test_versions_in_force_are_one_a_policy(self, court: Facility) -> None:
        make_version(court.policies.get(), number=2)
        kind = ReservationPolicy.objects.create(name="Courts", kind="court")
        make_version(kind)
        kind.versions.create(number=2)
        ReservationPolicy.objects.create(name="Empty", kind="court")

        with queries() as seen:
            found = policies.versions_in_force(court)
            said = {(version.policy.name, version.number) for version in found}

        assert said == {("Court One policy", 2), ("Courts", 1)}
        assert len(seen) == 2

    def test_versions_in_force_of_what_has_no_policy_are_none(self) -> None:
        assert policies.versions_in_force(make_facility("Hall", kind="hall")) != []
        bare = Facility.objects.create(code="bare", name="Bare", kind="lane")
        assert policies.versions_in_force(bare) == []

    def test_cells_and_opening_times_are_one_query_each(self, court: Facility) -> None:
        FacilitySpace.objects.create(facility=court, space=make_space("Annex", grid=30))
        bare = Facility.objects.create(code="bare", name="Bare", kind="lane")

        with queries() as seen:
            cells = policies.cells_of([court.pk, bare.pk])
            times = policies.opening_times_of([court.pk, bare.pk])

        assert len(seen) == 2
        assert cells == {court.pk: [Cells("Annex", 30), Cells("Court One", 15)], bare.pk: []}
        assert times == {court.pk: frozenset({time(6)}), bare.pk: frozenset()}
