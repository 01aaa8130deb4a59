from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from metrics.models import Activity, JobRun
from metrics.services.activities import flush_activities, record_activity
from reservations.models import Reservation
from tests.factories import make_facility

PAGE = "/admin/metrics/occupancy/"
JUNE = {"first": "2026-06-01", "last": "2026-06-30"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(front_desk: User, travel: object) -> Client:
    return signed_in(front_desk)


@pytest.fixture
def busy_june(court: Facility, now: datetime) -> None:
    """A booking on 2 June, and a refusal for 3 June."""
    starts_at = datetime(2026, 6, 2, 2, tzinfo=UTC)
    Reservation.objects.create(
        facility=court, type="STAFF", state="CONFIRMED", starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=90), starts_on=date(2026, 6, 2), party=4, guest_count=2,
        created_at=starts_at,
    )  # fmt: skip
    record_activity(
        name=Activity.Name.BOOKING_REFUSED,
        at=now,
        about_on=date(2026, 6, 3),
        properties={"facility": str(court.public_id), "rules": ["quota_exceeded"]},
    )
    flush_activities()


def table(response: object) -> list[list[str]]:
    text = response.getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]  # an HttpResponse
    return list(csv.reader(StringIO(text)))


class TestWhoMayRead:
    def test_is_one_table(self, each_staff: User) -> None:
        group = each_staff.groups.get().name
        allowed = group in {"Facilities", "Front Desk", "Auditor", "Ops"}
        assert signed_in(each_staff).get(PAGE).status_code == (200 if allowed else 403)

    def test_not_who_is_not_staff(self, owner: Member, client: Client) -> None:
        assert client.get(PAGE).status_code == 302
        assert owner.user is not None
        assert signed_in(owner.user).get(PAGE).status_code == 302

    def test_there_is_no_row_to_open(self, desk: Client) -> None:
        assert desk.get(f"{PAGE}1/change/").status_code == 404
        assert desk.get(f"{PAGE}add/").status_code == 404


class TestReport:
    def test_shows_the_last_thirty_days_unless_asked(self, desk: Client) -> None:
        page = desk.get(PAGE).content.decode()
        assert 'value="2026-05-03"' in page
        assert 'value="2026-06-01"' in page
        assert "Nothing was booked in this time." in page

    def test_shows_use_totals_and_unmet_demand(self, desk: Client, busy_june: None) -> None:
        response = desk.get(PAGE, JUNE)
        assert response.context["totals"] == [1, 90, 4, 2, 0, 0, 0, 0]
        assert [one.rule for one in response.context["refusals"]] == ["quota_exceeded"]
        assert "Court One" in response.content.decode()

    def test_shows_each_day(self, desk: Client, busy_june: None) -> None:
        page = desk.get(PAGE, {**JUNE, "by_day": "on"}).content.decode()
        assert "2026-06-02, Tue" in page
        assert "2026-06-03, Wed" in page

    def test_of_one_facility(self, desk: Client, busy_june: None) -> None:
        other = make_facility("Another Court")
        response = desk.get(PAGE, {**JUNE, "facility": str(other.pk)})
        assert response.context["rows"] == []
        assert response.context["refusals"] == []

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ({"first": "2026-06-30", "last": "2026-06-01"}, "This is before the first day."),
            ({"first": "2025-01-01", "last": "2026-06-01"}, "That is more than a year."),
            ({"first": "2026-02-30", "last": "2026-06-01"}, "Enter a valid date."),
            ({"first": "2026-06-01"}, "This field is required."),
            ({**JUNE, "facility": "x' OR 1=1"}, "not one of the available choices"),
        ],
    )
    def test_says_what_is_wrong_with_the_question(
        self, desk: Client, asked: dict[str, str], told: str
    ) -> None:
        response = desk.get(PAGE, asked)
        assert response.status_code == 200
        assert told in response.content.decode()
        assert "rows" not in response.context

    def test_a_year_is_not_more_than_a_year(self, desk: Client) -> None:
        assert "rows" in desk.get(PAGE, {"first": "2026-01-01", "last": "2026-12-31"}).context


class TestDownloads:
    def test_use_day_by_day(self, desk: Client, busy_june: None) -> None:
        response = desk.get(PAGE, {**JUNE, "download": "use"})
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == (
            'attachment; filename="occupancy_2026-06-01_2026-06-30.csv"'
        )
        assert "no-store" in response["Cache-Control"]
        heading, *rows = table(response)
        assert heading[:4] == ["facility", "date", "bookings", "minutes booked"]
        assert rows == [["Court One", "2026-06-02", "1", "90", "4", "2", "0", "0", "0", "0"]]

    def test_unmet_demand_day_by_day(self, desk: Client, busy_june: None) -> None:
        _heading, *rows = table(desk.get(PAGE, {**JUNE, "download": "refusals"}))
        assert rows == [["Court One", "2026-06-03", "quota_exceeded", "1", "1"]]

    def test_a_name_that_would_be_a_formula_is_a_text(
        self, desk: Client, busy_june: None, court: Facility
    ) -> None:
        court.name = '=HYPERLINK("http://evil.example")'
        court.save()
        for wanted in ("use", "refusals"):
            _heading, row = table(desk.get(PAGE, {**JUNE, "download": wanted}))
            assert row[0] == '\'=HYPERLINK("http://evil.example")'

    def test_need_the_same_permission(self, make_staff: Callable[[str], User]) -> None:
        client = signed_in(make_staff("Moderator"))
        assert client.get(PAGE, {**JUNE, "download": "use"}).status_code == 403


class TestOtherPages:
    def test_ops_sees_activities_and_jobs(
        self, make_staff: Callable[[str], User], busy_june: None, now: datetime
    ) -> None:
        run = JobRun.objects.create(name="reservations.expire_due", last_started_at=now)
        client = signed_in(make_staff("Ops"))
        assert b"quota_exceeded" in client.get("/admin/metrics/activity/").content
        assert b"reservations.expire_due" in client.get("/admin/metrics/jobrun/").content
        response = client.post(
            f"/admin/metrics/jobrun/{run.pk}/change/", {"grace_seconds": "300", "name": "another"}
        )
        assert response.status_code == 302
        run.refresh_from_db()
        assert (run.grace_seconds, run.name) == (300, "reservations.expire_due")

    def test_the_auditor_changes_nothing(self, make_staff: Callable[[str], User], now: datetime) -> None:
        run = JobRun.objects.create(name="reservations.expire_due", last_started_at=now)
        client = signed_in(make_staff("Auditor"))
        assert client.get(f"/admin/metrics/jobrun/{run.pk}/change/").status_code == 200
        assert (
            client.post(f"/admin/metrics/jobrun/{run.pk}/change/", {"grace_seconds": "1"}).status_code == 403
        )
        assert client.get("/admin/metrics/activity/add/").status_code == 403
