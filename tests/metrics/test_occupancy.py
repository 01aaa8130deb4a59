from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from facilities.models import Facility
from metrics.models import Activity, Occupancy
from metrics.selectors.occupancy import NUMBERS, read_refusals, read_use, total_use
from metrics.services.activities import flush_activities, record_activity
from metrics.services.database_views import OCCUPANCY, create_views, drop_views, occupancy_sql
from reservations.models import Reservation
from reservations.policies.states import COUNTED_WHEN_OVER, OCCUPYING, State
from tests.factories import make_facility

pytestmark = pytest.mark.engine

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)


@pytest.fixture
def book(court: Facility) -> Callable[..., Reservation]:
    """A row as the services leave it; an hour of the court for two on 2 June, unless said."""

    def make(facility: Facility = court, *, day: int = 2, minutes: int = 60, **values: Any) -> Reservation:
        starts_at = datetime(2026, 6, day, 2, 30, 15, tzinfo=UTC)
        return Reservation.objects.create(
            facility=facility,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes),
            starts_on=date(2026, 6, day),
            created_at=starts_at,
            **{"type": "STAFF", "state": State.CONFIRMED, "party": 2, "guest_count": 1, **values},
        )

    return make


def by_orm() -> list[dict[str, Any]]:
    """The same report by the ORM, over the table."""
    stands = ~Q(type="BLOCKED") & Q(state__in=OCCUPYING | COUNTED_WHEN_OVER)
    blocked = Q(type="BLOCKED", state__in=OCCUPYING | COUNTED_WHEN_OVER)
    length = F("ends_at") - F("starts_at")
    rows = (
        Reservation.objects.values("facility_id", "starts_on")
        .annotate(
            bookings=Count("pk", filter=stands),
            time=Coalesce(Sum(length, filter=stands), timedelta(0)),
            people=Coalesce(Sum("party", filter=stands), 0),
            guests=Coalesce(Sum("guest_count", filter=stands), 0),
            no_shows=Count("pk", filter=Q(state=State.NO_SHOW)),
            cancelled=Count(
                "pk",
                filter=~Q(type="BLOCKED") & Q(state__in=[State.CANCELLED_MEMBER, State.CANCELLED_CLUB]),
            ),
            lapsed=Count("pk", filter=~Q(type="BLOCKED") & Q(state__in=[State.EXPIRED, State.DENIED])),
            blocked_time=Coalesce(Sum(length, filter=blocked), timedelta(0)),
        )
        .order_by("facility_id", "starts_on")
    )
    return [
        {
            "facility_id": row["facility_id"],
            "starts_on": row["starts_on"],
            **{name: value for name, value in row.items() if name in NUMBERS},
            "minutes": row["time"] // timedelta(minutes=1),
            "blocked_minutes": row["blocked_time"] // timedelta(minutes=1),
        }
        for row in rows
    ]


def by_view() -> list[dict[str, Any]]:
    rows = Occupancy.objects.order_by("facility_id", "starts_on")
    return list(rows.values("facility_id", "starts_on", *NUMBERS))


class TestView:
    def test_says_what_its_twin_says(self, book: Callable[..., Reservation], court: Facility) -> None:
        dice = random.Random(20260601)
        facilities = [court, make_facility("Court Two"), make_facility("Court Three")]
        for _ in range(200):
            book(
                dice.choice(facilities),
                day=dice.randint(1, 6),
                minutes=dice.choice([15, 60, 90, 24 * 60]),
                type=dice.choice(["STAFF", "EVENT", "BLOCKED"]),
                state=dice.choice(list(State)),
                party=dice.randint(0, 8),
                guest_count=dice.randint(0, 3),
            )
        assert by_view() == by_orm()

    def test_counts_what_was_taken_apart_from_what_was_given_back(
        self, book: Callable[..., Reservation], court: Facility
    ) -> None:
        book(state=State.COMPLETED, minutes=90)
        book(state=State.NO_SHOW)
        book(state=State.HELD)
        book(state=State.CANCELLED_MEMBER)
        book(state=State.EXPIRED)
        book(type="BLOCKED", minutes=240)
        row = Occupancy.objects.select_related("facility").get()
        assert (row.facility, row.starts_on) == (court, date(2026, 6, 2))
        assert [getattr(row, name) for name in NUMBERS] == [3, 210, 6, 3, 1, 1, 1, 240]

    def test_counts_whole_minutes_only(self, book: Callable[..., Reservation]) -> None:
        row = book(minutes=60)
        Reservation.objects.filter(pk=row.pk).update(ends_at=row.ends_at - timedelta(seconds=1))
        assert [row["minutes"] for row in by_view()] == [59]
        assert by_view() == by_orm()

    @pytest.mark.parametrize(
        ("vendor", "create"),
        [
            ("sqlite", "CREATE VIEW"),
            ("postgresql", "CREATE OR REPLACE VIEW"),
            ("microsoft", "CREATE OR ALTER VIEW"),
        ],
    )
    def test_is_one_statement_for_every_engine(self, vendor: str, create: str) -> None:
        sql = occupancy_sql(vendor)
        assert sql.startswith(f"{create} {OCCUPANCY} AS SELECT ")
        assert ";" not in sql
        assert "FILTER" not in sql  # SQL Server has none

    def test_its_columns_are_the_models(self, db: None) -> None:
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, OCCUPANCY)
        assert {column.name for column in columns} == {field.column for field in Occupancy._meta.fields}


class TestDatabaseViews:
    def relations(self) -> set[str]:
        return set(connection.introspection.table_names(include_views=True))

    def test_go_and_come_back_without_a_fuss(self, db: None) -> None:
        drop_views(using="default")
        drop_views(using="default")
        assert OCCUPANCY not in self.relations()
        create_views(using="default")
        create_views(using="default")
        assert OCCUPANCY in self.relations()

    def test_wait_until_all_that_they_read_is_there(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        drop_views(using="default")
        monkeypatch.setattr(
            "metrics.services.database_views.COLUMNS", frozenset({"id", "a_column_of_tomorrow"})
        )
        create_views(using="default")
        assert OCCUPANCY not in self.relations()

    def test_come_back_with_every_migrate(self, db: None) -> None:
        drop_views(using="default")
        call_command("migrate", verbosity=0)
        assert OCCUPANCY in self.relations()

    @pytest.mark.skipif(
        connection.vendor != "sqlite", reason="Elsewhere tables are changed where they stand."
    )
    @pytest.mark.django_db(transaction=True)
    def test_are_out_of_the_way_of_a_table_that_is_made_anew(self) -> None:
        """What SQLite refuses while a view reads the table, and every later migration may do."""
        field = Reservation._meta.get_field("notes")
        drop_views(using="default")
        with connection.schema_editor() as editor:
            editor._remake_table(Reservation, alter_fields=[(field, field)])  # type: ignore[attr-defined]  # SQLite's own editor, as the tests use
        create_views(using="default")
        assert by_view() == []


class TestReadUse:
    def test_sums_by_facility_in_one_query(
        self, book: Callable[..., Reservation], court: Facility, django_assert_num_queries: Any
    ) -> None:
        other = make_facility("Another Court")
        for day in (1, 2, 30):
            book(day=day)
        book(other, day=2)
        with django_assert_num_queries(1):
            rows = read_use(first=FIRST, last=LAST, facility_id=None, by_day=False)
        assert [(row.facility, row.on, row.bookings, row.minutes) for row in rows] == [
            ("Another Court", None, 1, 60),
            ("Court One", None, 3, 180),
        ]
        assert total_use(rows)["bookings"] == 4

    def test_gives_each_day_by_itself_and_no_other(self, book: Callable[..., Reservation]) -> None:
        for day in (1, 2, 2, 3):
            book(day=day)
        rows = read_use(first=date(2026, 6, 1), last=date(2026, 6, 2), facility_id=None, by_day=True)
        assert [(row.on, row.bookings) for row in rows] == [(date(2026, 6, 1), 1), (date(2026, 6, 2), 2)]

    def test_of_one_facility(self, book: Callable[..., Reservation]) -> None:
        other = make_facility("Another Court")
        book()
        book(other)
        rows = read_use(first=FIRST, last=LAST, facility_id=other.pk, by_day=False)
        assert [row.facility for row in rows] == ["Another Court"]

    def test_nothing_is_nothing(self, db: None) -> None:
        rows = read_use(first=FIRST, last=LAST, facility_id=None, by_day=True)
        assert (rows, set(total_use(rows).values())) == ([], {0})


class TestReadRefusals:
    def refuse(self, facility: str, now: datetime, *rules: str, user: int = 1, day: int = 2) -> None:
        record_activity(
            name=Activity.Name.BOOKING_REFUSED,
            at=now,
            about_on=date(2026, 6, day),
            properties={"facility": facility, "rules": list(rules)},
            user_id=user,
        )

    def test_counts_each_rule_and_the_members_it_met(self, court: Facility, now: datetime) -> None:
        place = str(court.public_id)
        self.refuse(place, now, "quota_exceeded", "too_late", user=1)
        self.refuse(place, now, "quota_exceeded", user=1, day=3)
        self.refuse(place, now, "quota_exceeded", user=2)
        flush_activities()
        found = read_refusals(first=FIRST, last=LAST, facility_id=None, by_day=False)
        assert [(one.facility, one.on, one.rule, one.times, one.members) for one in found] == [
            ("Court One", None, "quota_exceeded", 3, 2),
            ("Court One", None, "too_late", 1, 1),
        ]

    def test_goes_by_the_day_that_was_wanted(self, court: Facility, now: datetime) -> None:
        place = str(court.public_id)
        for day in (2, 2, 3):
            self.refuse(place, now, "slot_taken", day=day)
        flush_activities()
        found = read_refusals(first=FIRST, last=date(2026, 6, 2), facility_id=None, by_day=True)
        assert [(one.on, one.times) for one in found] == [(date(2026, 6, 2), 2)]

    def test_of_one_facility_and_of_one_that_is_no_more(self, court: Facility, now: datetime) -> None:
        gone = str(uuid4())
        self.refuse(str(court.public_id), now, "slot_taken")
        self.refuse(gone, now, "slot_taken")
        flush_activities()
        all_of_them = read_refusals(first=FIRST, last=LAST, facility_id=None, by_day=False)
        assert {one.facility for one in all_of_them} == {"Court One", gone}
        of_the_court = read_refusals(first=FIRST, last=LAST, facility_id=court.pk, by_day=False)
        assert [one.facility for one in of_the_court] == ["Court One"]

    def test_is_two_queries_however_many_there_are(
        self, court: Facility, now: datetime, django_assert_num_queries: Any
    ) -> None:
        for _ in range(60):
            self.refuse(str(court.public_id), now, "slot_taken")
        flush_activities()
        with django_assert_num_queries(2):
            read_refusals(first=FIRST, last=LAST, facility_id=court.pk, by_day=True)
