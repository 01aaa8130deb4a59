"""The API of reservations, as the app meets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Member, User
from facilities.models import Closure, Facility, PolicyVersion
from reservations import services
from reservations.models import Guest, Reservation, SlotClaim
from reservations.services.venue import venue_code
from tests.conftest import at_club
from tests.factories import MemberFactory, make_facility, make_quota

pytestmark = pytest.mark.django_db

RESERVATIONS = "/api/v1/reservations"
# What reading the whole rulebook anew takes, and the first look at a token.
RULEBOOK_QUERIES = 13
Body = Callable[..., dict[str, Any]]
Client = Callable[[Member | User], APIClient]


def post(client: APIClient, path: str, body: object = None, **headers: str) -> Any:
    return client.post(path, body if body is not None else {}, format="json", headers=headers)


class TestCreate:
    def test_answers_with_the_whole_reservation(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        response = post(client_of(owner), RESERVATIONS, body_of(party=2, notes="Rackets, please."))

        assert response.status_code == 201, response.content
        data = response.json()
        assert data["state"] == "CONFIRMED"
        assert data["starts_at"] == "2026-06-02T02:00:00Z"
        assert [one["kind"] for one in data["participants"]] == ["member", "tbd"]
        assert data["member"]["member_no"] == owner.member_no

    def test_a_slot_that_is_only_taken_is_a_conflict_with_alternatives(
        self, client_of: Client, owner: Member, stranger: Member, body_of: Body
    ) -> None:
        post(client_of(owner), RESERVATIONS, body_of())

        response = post(client_of(stranger), RESERVATIONS, body_of())

        assert (response.status_code, response.json()["code"]) == (409, "slot_taken")
        alternative = response.json()["alternatives"][0]
        retry = {key: alternative[key] for key in ("facility", "starts_at", "ends_at")}
        assert post(client_of(stranger), RESERVATIONS, retry).status_code == 201

    def test_a_refusal_names_every_rule_with_limit_and_count(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        make_quota("One a day", limit=1)
        client = client_of(owner)
        post(client, RESERVATIONS, body_of(hour=10))

        response = post(client, RESERVATIONS, body_of(hour=12, party=9))

        assert response.status_code == 422
        rules = {rule["code"]: rule for rule in response.json()["rules"]}
        assert set(rules) == {"quota_exceeded", "party_size"}
        assert (rules["quota_exceeded"]["limit"], rules["quota_exceeded"]["current"]) == (1, 1)

    def test_the_same_key_replays_the_reply(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client, key = client_of(owner), str(uuid4())

        first = post(client, RESERVATIONS, body_of(), **{"Idempotency-Key": key})
        second = post(client, RESERVATIONS, body_of(), **{"Idempotency-Key": key})

        assert first.content == second.content
        assert second["Idempotency-Replayed"] == "true"
        assert Reservation.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"starts_at": "2026-06-02T10:00:00"}, "starts_at"),
            ({"starts_at": "2026-02-30T10:00:00Z"}, "starts_at"),
            ({"ends_at": "2025-02-29T10:00:00Z"}, "ends_at"),
            ({"ends_at": "2026-06-02T02:00:00Z"}, "ends_at"),
            ({"facility": "court"}, "facility"),
            ({"facility": 7}, "facility"),
            ({"party": 0}, "party"),
            ({"party": "two"}, "party"),
            ({"party": 10**12}, "party"),
            ({"notes": "a\x00b"}, "notes"),
            ({"participants": [{"guest_name": "A", "member": str(uuid4())}]}, "participants"),
            ({"participants": "all"}, "participants"),
            ({"state": "CONFIRMED"}, "state"),
        ],
    )
    def test_bad_input_names_the_field(
        self, client_of: Client, owner: Member, body_of: Body, change: dict[str, Any], field: str
    ) -> None:
        response = post(client_of(owner), RESERVATIONS, {**body_of(), **change})

        assert response.status_code == 400, response.content
        assert response["Content-Type"] == "application/problem+json"
        assert any(name.startswith(field) for name in response.json()["errors"])

    def test_midnight_at_the_club_belongs_to_its_own_day(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        late = make_facility("Night Court", closes=time(2), next_day=True)
        make_quota("One a day", limit=1)
        client = client_of(owner)
        body = body_of(late, day=2, hour=23)
        after = {**body, "starts_at": body["ends_at"], "ends_at": at_club(3, 1).isoformat()}

        assert post(client, RESERVATIONS, body).status_code == 201
        assert post(client, RESERVATIONS, after).status_code == 201
        assert sorted(str(row.starts_on) for row in Reservation.objects.all()) == ["2026-06-02", "2026-06-03"]

    def test_a_draft_facility_is_not_there(
        self, client_of: Client, owner: Member, court: Facility, body_of: Body
    ) -> None:
        body = body_of()
        court.state = "draft"
        court.save()

        assert post(client_of(owner), RESERVATIONS, body).status_code == 404


class TestQuote:
    def test_holds_nothing_and_says_what_would_be(
        self, client_of: Client, owner: Member, body_of: Body
    ) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 10})

        response = post(client_of(owner), f"{RESERVATIONS}/quote", body_of(court))

        assert response.status_code == 200, response.content
        assert response.json()["state"] == "HELD"
        assert response.json()["terms"]
        assert not Reservation.objects.exists()

    def test_refuses_as_a_booking_would(self, client_of: Client, owner: Member, body_of: Body) -> None:
        response = post(client_of(owner), f"{RESERVATIONS}/quote", body_of(day=25))

        assert response.status_code == 422
        assert response.json()["rules"][0]["retry_at"] == "2026-06-17T23:00:00Z"


class TestSteps:
    @pytest.fixture
    def held(self, client_of: Client, owner: Member, body_of: Body) -> dict[str, Any]:
        court = make_facility("Held Court", terms={"hold_minutes": 10, "cancellation_cutoff_minutes": 120})
        data: dict[str, Any] = post(client_of(owner), RESERVATIONS, body_of(court)).json()
        return data

    def path(self, reservation: dict[str, Any], step: str = "") -> str:
        return f"{RESERVATIONS}/{reservation['id']}" + (f"/{step}" if step else "")

    def test_confirms_once_and_stays_confirmed(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)

        first = post(client, self.path(held, "confirm"))
        second = post(client, self.path(held, "confirm"))

        assert (first.json()["state"], first.json()["expires_at"]) == ("CONFIRMED", None)
        assert second.status_code == 200
        assert second.json()["version"] == first.json()["version"]

    def test_moves_and_keeps_its_id(self, client_of: Client, owner: Member, held: dict[str, Any]) -> None:
        body = {"starts_at": at_club(3, 15).isoformat(), "ends_at": at_club(3, 16).isoformat()}

        moved = post(client_of(owner), self.path(held, "reschedule"), body).json()

        assert (moved["id"], moved["state"], moved["starts_at"]) == (
            held["id"],
            "HELD",
            "2026-06-03T07:00:00Z",
        )
        assert set(SlotClaim.objects.values_list("cell_start__day", flat=True)) == {3}

    def test_a_move_onto_a_taken_slot_changes_nothing(
        self, client_of: Client, owner: Member, stranger: Member, held: dict[str, Any], body_of: Body
    ) -> None:
        facility = Facility.objects.get(name="Held Court")
        post(client_of(stranger), RESERVATIONS, body_of(facility, hour=14))
        body = {"starts_at": at_club(2, 14).isoformat(), "ends_at": at_club(2, 15).isoformat()}

        response = post(client_of(owner), self.path(held, "reschedule"), body)

        assert (response.status_code, response.json()["code"]) == (409, "slot_taken")
        again = client_of(owner).get(self.path(held)).json()
        assert (again["starts_at"], again["version"]) == (held["starts_at"], held["version"])

    def test_cancels_with_a_reason_and_tells_its_history(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)
        post(client, self.path(held, "confirm"))

        response = post(client, self.path(held, "cancel"), {"reason": "Rain."})

        assert response.json()["state"] == "CANCELLED_MEMBER"
        events = client.get(self.path(held, "events")).json()["results"]
        assert [event["to_state"] for event in events] == ["HELD", "CONFIRMED", "CANCELLED_MEMBER"]
        assert events[-1]["reason"] == "Rain."

    def test_a_second_cancellation_is_a_wrong_state(
        self, client_of: Client, owner: Member, held: dict[str, Any]
    ) -> None:
        client = client_of(owner)
        post(client, self.path(held, "cancel"))

        response = post(client, self.path(held, "cancel"))

        assert (response.status_code, response.json()["code"]) == (409, "wrong_state")

    def test_inside_the_cutoff_it_says_so(
        self, client_of: Client, owner: Member, held: dict[str, Any], travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), self.path(held, "confirm"))
        travel.move_to(at_club(2, 8, 1))
        late = client_of(owner)
        late.credentials(**fresh_credentials(owner, at_club(2, 8, 1)))

        response = post(late, self.path(held, "cancel"))

        assert response.status_code == 422
        assert response.json()["rules"][0]["code"] == "too_late_to_cancel"

    def test_checks_in_with_the_code_of_the_venue(
        self, client_of: Client, owner: Member, held: dict[str, Any], travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), self.path(held, "confirm"))
        at = at_club(2, 9, 45)
        travel.move_to(at)
        client = APIClient()
        client.credentials(**fresh_credentials(owner, at))
        facility = Facility.objects.get(name="Held Court")

        wrong = post(client, self.path(held, "check-in"), {"code": "none"})
        right = post(
            client, self.path(held, "check-in"), {"code": venue_code(facility, at_club(2, 12).date())}
        )

        assert (wrong.status_code, wrong.json()["rules"][0]["code"]) == (422, "wrong_venue_code")
        assert right.json()["state"] == "CHECKED_IN"

    def test_names_the_party_anew(self, client_of: Client, owner: Member, body_of: Body) -> None:
        client = client_of(owner)
        made = post(client, RESERVATIONS, body_of(party=3)).json()

        response = client.put(
            self.path(made, "participants"), {"participants": [{"guest_name": "A Guest"}]}, format="json"
        )

        assert [one["name"] for one in response.json()["participants"]] == [owner.full_name, "A Guest", ""]
        assert response.json()["guests"] == 1

    def test_is_a_calendar_entry(self, client_of: Client, owner: Member, held: dict[str, Any]) -> None:
        response = client_of(owner).get(self.path(held, "calendar.ics"))

        assert response["Content-Type"].startswith("text/calendar")
        assert b"DTSTART:20260602T020000Z" in response.content


def fresh_credentials(member: Member, at: datetime) -> dict[str, str]:
    from accounts.services.tokens import make_tokens
    from tests.factories import make_session

    assert member.user is not None
    tokens = make_tokens(user=member.user, session=make_session(member.user, now=at), now=at)
    return {"HTTP_AUTHORIZATION": f"Bearer {tokens.access}"}


class TestHousehold:
    @pytest.fixture
    def of_dependent(self, client_of: Client, dependent: Member, body_of: Body) -> str:
        return f"{RESERVATIONS}/{post(client_of(dependent), RESERVATIONS, body_of()).json()['id']}"

    def test_principal_and_spouse_see_and_cancel_a_dependents(
        self, client_of: Client, owner: Member, spouse: Member, of_dependent: str
    ) -> None:
        assert client_of(spouse).get(of_dependent).status_code == 200
        assert post(client_of(owner), f"{of_dependent}/cancel").status_code == 200

    def test_a_relative_may_not_change_it(self, client_of: Client, owner: Member, of_dependent: str) -> None:
        response = post(client_of(owner), f"{of_dependent}/confirm")

        assert (response.status_code, response.json()["code"]) == (403, "not_your_reservation")

    def test_a_dependent_does_not_see_the_principals(
        self, client_of: Client, owner: Member, dependent: Member, body_of: Body
    ) -> None:
        made = post(client_of(owner), RESERVATIONS, body_of()).json()

        assert client_of(dependent).get(f"{RESERVATIONS}/{made['id']}").status_code == 404

    def test_to_a_stranger_it_is_like_one_that_is_not_there(
        self, client_of: Client, stranger: Member, of_dependent: str
    ) -> None:
        client = client_of(stranger)

        theirs, missing = client.get(of_dependent), client.get(f"{RESERVATIONS}/{uuid4()}")

        assert theirs.status_code == missing.status_code == 404
        assert {**theirs.json(), "request_id": ""} == {**missing.json(), "request_id": ""}
        volatile = {"X-Request-ID", "RateLimit"}
        assert {k: v for k, v in theirs.items() if k not in volatile} == {
            k: v for k, v in missing.items() if k not in volatile
        }


class TestList:
    def test_pages_by_key_in_three_queries_however_many(
        self, client_of: Client, owner: Member, court: Facility, now: datetime, body_of: Body
    ) -> None:
        client = client_of(owner)
        post(client, RESERVATIONS, body_of(hour=6))
        client.get(RESERVATIONS)
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(f"{RESERVATIONS}?when=upcoming")
        for hour in range(7, 22):
            post(client, RESERVATIONS, body_of(hour=hour))

        with CaptureQueriesContext(connection) as many:
            page = client.get(f"{RESERVATIONS}?when=upcoming&page_size=10").json()

        assert len(many) == len(few) <= 3
        assert len(page["results"]) == 10
        rest = client.get(page["next"]).json()
        assert len(rest["results"]) == 6
        starts = [row["starts_at"] for row in page["results"] + rest["results"]]
        assert starts == sorted(starts)

    def test_past_and_upcoming_are_apart(
        self, client_of: Client, owner: Member, body_of: Body, travel: time_machine.Traveller
    ) -> None:
        post(client_of(owner), RESERVATIONS, body_of(day=2))
        post(client_of(owner), RESERVATIONS, body_of(day=4))
        travel.move_to(at_club(3, 12))
        client = APIClient()
        client.credentials(**fresh_credentials(owner, at_club(3, 12)))

        past = client.get(f"{RESERVATIONS}?when=past").json()["results"]
        upcoming = client.get(f"{RESERVATIONS}?when=upcoming").json()["results"]

        assert [row["starts_at"][:10] for row in past] == ["2026-06-02"]
        assert [row["starts_at"][:10] for row in upcoming] == ["2026-06-04"]

    @pytest.mark.parametrize("query", ["when=soon", "state=held", "sort=asc", "page_size=0", "cursor=abc"])
    def test_refuses_parameters_that_are_no_values(
        self, client_of: Client, owner: Member, query: str
    ) -> None:
        response = client_of(owner).get(f"{RESERVATIONS}?{query}")

        assert response.status_code == 400
        assert query.split("=")[0] in response.json()["errors"]


class TestGuests:
    def test_a_guest_is_on_the_household_list_once(
        self, client_of: Client, owner: Member, spouse: Member
    ) -> None:
        made = post(client_of(owner), "/api/v1/guests", {"name": "A Guest", "guest_class": "sponsored"})

        assert made.status_code == 201, made.content
        listed = client_of(spouse).get("/api/v1/guests").json()["results"]
        assert [one["name"] for one in listed] == ["A Guest"]

    def test_another_household_does_not_see_them(
        self, client_of: Client, owner: Member, stranger: Member
    ) -> None:
        Guest.objects.create(host=owner, name="A Guest")

        assert client_of(stranger).get("/api/v1/guests").json()["results"] == []


class TestAvailability:
    def path(self, facility: Facility, query: str = "from=2026-06-02&to=2026-06-08") -> str:
        return f"/api/v1/facilities/{facility.public_id}/availability?{query}"

    def slot(self, client: APIClient, facility: Facility, *, day: int = 2, hour: int = 10) -> dict[str, Any]:
        wanted = at_club(day, hour).strftime("%Y-%m-%dT%H:%M:%SZ")
        days = client.get(self.path(facility)).json()["days"]
        found: dict[str, Any] = next(
            slot for one in days for slot in one["slots"] if slot["starts_at"] == wanted
        )
        return found

    def test_shows_a_week_of_slots_with_reasons(
        self, client_of: Client, owner: Member, court: Facility
    ) -> None:
        data = client_of(owner).get(self.path(court)).json()

        assert [len(day["slots"]) for day in data["days"]] == [16] * 7
        assert {slot["state"] for slot in data["days"][0]["slots"]} == {"free"}
        assert data["days"][6]["slots"][0]["state"] == "free"

    def test_a_booking_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, stranger: Member, court: Facility, body_of: Body
    ) -> None:
        assert self.slot(client_of(stranger), court)["state"] == "free"
        post(client_of(owner), RESERVATIONS, body_of())

        slot = self.slot(client_of(stranger), court)

        assert (slot["state"], slot["left"]) == ("taken", 0)
        assert [reason["code"] for reason in slot["reasons"]] == ["slot_taken"]

    def test_a_closure_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        client = client_of(owner)
        self.slot(client, court)
        Closure.objects.create(
            facility=court,
            starts_at=at_club(2, 9),
            ends_at=at_club(2, 12),
            reason="Resurfacing.",
            confirmed_at=now,
        )

        assert self.slot(client, court)["state"] == "closed"

    def test_a_policy_edit_shows_in_the_next_answer(
        self, client_of: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        client = client_of(owner)
        self.slot(client, court)
        policy = court.policies.get()
        PolicyVersion.objects.create(policy=policy, number=2, published_at=now, open_days_ahead=0)

        slot = self.slot(client, court)

        assert slot["state"] == "refused"
        assert slot["reasons"][0]["code"] == "not_yet_released"

    def test_an_expired_hold_shows_in_the_next_answer(
        self,
        client_of: Client,
        owner: Member,
        stranger: Member,
        body_of: Body,
        travel: time_machine.Traveller,
    ) -> None:
        court = make_facility("Held Court", terms={"hold_minutes": 5})
        post(client_of(owner), RESERVATIONS, body_of(court))
        client = client_of(stranger)
        assert self.slot(client, court)["state"] == "taken"

        travel.shift(timedelta(minutes=5))

        assert self.slot(client, court)["state"] == "free"

    def test_differs_where_the_members_quotas_do(
        self, client_of: Client, owner: Member, stranger: Member, court: Facility, body_of: Body
    ) -> None:
        make_quota("One a day", limit=1)
        post(client_of(owner), RESERVATIONS, body_of(hour=8))

        assert self.slot(client_of(owner), court)["reasons"][0]["code"] == "quota_exceeded"
        assert self.slot(client_of(stranger), court)["state"] == "free"

    def test_answers_in_four_queries_with_nothing_and_with_two_thousand_bookings(
        self, client_of: Client, owner: Member, now: datetime
    ) -> None:
        lanes = make_facility("Lanes", kind="class", lanes=20, terms={"open_days_ahead": 30})
        client = client_of(owner)
        cold, _data = self.counted(client, lanes)
        warm, _data = self.counted(client, lanes)
        self.fill(lanes, now)
        # Once a second a process asks whether anybody's session ended; not in the measured request.
        self.counted(client, lanes)

        full, data = self.counted(client, lanes)

        assert max(warm, full) <= 4
        assert warm == full
        assert cold <= warm + RULEBOOK_QUERIES
        assert {slot["left"] for slot in data["days"][0]["slots"]} == {2}

    def counted(self, client: APIClient, facility: Facility) -> tuple[int, Any]:
        """How many queries one answer takes, and the answer."""
        seen: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = client.get(self.path(facility))
        assert response.status_code == 200
        return len(seen), response.json()

    def fill(self, lanes: Facility, now: datetime) -> None:
        """2,016 bookings: eighteen in each of the sixteen hours of seven days."""
        version = lanes.policies.get().versions.get()
        members = [MemberFactory.create() for _number in range(18)]
        rows = [
            Reservation(
                facility=lanes,
                member=member,
                membership=member.membership,
                policy_version=version,
                state="CONFIRMED",
                starts_at=at_club(day, hour),
                ends_at=at_club(day, hour) + timedelta(hours=1),
                starts_on=date(2026, 6, day),
                created_at=now,
            )
            for day in range(2, 9)
            for hour in range(6, 22)
            for member in members
        ]
        Reservation.objects.bulk_create(rows)
        space = lanes.spaces.get()
        SlotClaim.objects.bulk_create(
            SlotClaim(
                space=space,
                cell_start=row.starts_at + timedelta(minutes=15 * n),
                lane=index % 18,
                reservation=row,
            )
            for index, row in enumerate(rows)
            for n in range(4)
        )

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=2026-02-30", "from"),
            ("from=2026-06-08&to=2026-06-02", "to"),
            ("from=2026-06-01&to=2026-12-31", "to"),
            ("party=0", "party"),
            ("days=7", "days"),
        ],
    )
    def test_bad_input_names_the_parameter(
        self, client_of: Client, owner: Member, court: Facility, query: str, field: str
    ) -> None:
        response = client_of(owner).get(self.path(court, query))

        assert response.status_code == 400
        assert field in response.json()["errors"]

    def test_an_unchanged_answer_is_a_304(self, client_of: Client, owner: Member, court: Facility) -> None:
        client = client_of(owner)
        tag = client.get(self.path(court))["ETag"]

        assert client.get(self.path(court), headers={"If-None-Match": tag}).status_code == 304


class TestPrivileges:
    def test_says_what_is_left(
        self, client_of: Client, owner: Member, body_of: Body, travel: time_machine.Traveller
    ) -> None:
        make_quota("Two a week", period="week", limit=2)
        post(client_of(owner), RESERVATIONS, body_of())

        data = client_of(owner).get("/api/v1/me/privileges").json()

        quota = data["quotas"][0]
        assert (quota["used"], quota["left"], quota["until"]) == (1, 1, "2026-06-07")


class TestSweeps:
    def test_nobody_came_is_a_no_show_with_a_strike(
        self, owner: Member, client_of: Client, body_of: Body
    ) -> None:
        court = make_facility("Watched Court", terms={"no_show_after_minutes": 15})
        made = post(client_of(owner), RESERVATIONS, body_of(court)).json()

        assert services.mark_no_shows(now=at_club(2, 10, 14)) == 0
        assert services.mark_no_shows(now=at_club(2, 10, 15)) == 1

        reservation = Reservation.objects.get(public_id=made["id"])
        assert reservation.state == "NO_SHOW"
        assert owner.strikes.count() == 1

    def test_what_is_over_is_completed(self, client_of: Client, owner: Member, body_of: Body) -> None:
        made = post(client_of(owner), RESERVATIONS, body_of()).json()

        assert services.complete_finished(now=at_club(2, 11)) == 1
        assert Reservation.objects.get(public_id=made["id"]).state == "COMPLETED"
        assert not SlotClaim.objects.exists()
