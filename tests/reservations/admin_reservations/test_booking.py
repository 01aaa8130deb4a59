"""Booking on behalf, and trying a booking without one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from metrics.models import Activity
from metrics.services.activities import flush_activities
from reservations.admin.pages import MomentField
from reservations.models import Reservation
from tests.conftest import at_club
from tests.reservations.admin_reservations.pages import (
    LIST,
    TEST,
    page_of,
    wish_body,
)
from tests.reservations.desk import errors_of, text_of


class TestBook:
    def test_books_the_shortest_for_a_member_by_any_spelling(
        self, desk: Client, court: Facility, owner: Member, spouse: Member, front_desk: User
    ) -> None:
        others = f"{spouse.member_no.lower()}\n A Guest \n\n"
        body = wish_body(court, owner, member=owner.member_no_key.lower(), party=4, companions=others)
        answer = desk.post(f"{LIST}add/", body, follow=True)
        row = Reservation.objects.get()
        assert "Booked: Court One, 2026-06-02 10:00 is confirmed." in text_of(answer)
        assert (row.member, row.booked_by, row.ends_at) == (owner, front_desk, at_club(2, 11))
        kinds = row.participants.order_by("position").values_list("kind", flat=True)
        assert list(kinds) == ["member", "member", "guest", "tbd"]

    def test_is_filled_in_by_the_address(self, desk: Client, court: Facility, owner: Member) -> None:
        asked = f"facility={court.pk}&member={owner.member_no}&starts_at=2026-06-02T10:00"
        shown = text_of(desk.get(f"{LIST}add/?{asked}"))
        assert f'value="{owner.member_no}"' in shown
        assert 'value="2026-06-02T10:00"' in shown

    def test_refuses_in_words_and_offers_what_passes(
        self, desk: Client, court: Facility, owner: Member, booked: Reservation, stranger: Member
    ) -> None:
        errors = errors_of(desk.post(f"{LIST}add/", wish_body(court, stranger)))["__all__"]
        assert errors[0] == "This time is taken. Choose another one."
        assert "These would pass: Court One, Tue 2 Jun 2026, 09:00" in errors[1]
        assert Reservation.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"member": ""}, "member"),
            ({"member": "TM-99999"}, "member"),
            ({"member": "---"}, "member"),
            ({"facility": ""}, "facility"),
            ({"starts_at": ""}, "starts_at"),
            ({"starts_at": "1066-10-14T09:00"}, "starts_at"),
            ({"starts_at": "2026-06-02T10:00+02:00"}, "starts_at"),
            ({"ends_at": "2026-06-02T09:00"}, "ends_at"),
            ({"party": 0}, "party"),
            ({"companions": "TM-99999", "party": 2}, "companions"),
            ({"companions": "A Guest\nB Guest", "party": 2}, "__all__"),
            ({"waive": "on"}, "reason"),
            ({"type": "EVENT", "ends_at": "2026-06-02T12:00", "title": "x"}, "member"),
            ({"type": "EVENT", "member": "", "title": "x"}, "ends_at"),
            ({"type": "STAFF", "member": "", "ends_at": "2026-06-02T12:00"}, "title"),
            ({"type": "PARTY"}, "type"),
            ({"type": "BLOCKED", "member": "", "ends_at": "2026-06-02T12:00", "title": "x"}, "type"),
        ],
        ids=[
            "nobody", "unknown member", "no number", "nowhere", "no start", "long ago", "foreign offset",
            "backward", "party", "unknown companion", "too many", "no reason", "event of a member",
            "event without end", "staff without title", "unknown type", "block by the desk",
        ],
    )  # fmt: skip
    def test_says_at_the_field_what_is_wrong(
        self, desk: Client, court: Facility, owner: Member, changes: dict[str, Any], field: str
    ) -> None:
        errors = errors_of(desk.post(f"{LIST}add/", wish_body(court, owner, **changes)))
        assert errors.keys() == {field}
        assert not Reservation.objects.exists()

    def test_sets_house_rules_aside_with_a_reason_but_never_the_place(
        self, desk: Client, court: Facility, owner: Member, stranger: Member, now: datetime
    ) -> None:
        far = wish_body(court, owner, starts_at="2026-06-20T10:00", party=9)
        assert len(errors_of(desk.post(f"{LIST}add/", far))["__all__"]) == 2
        waived = {**far, "waive": "on", "reason": "The president asked."}
        desk.post(f"{LIST}add/", waived)
        row = Reservation.objects.get()
        event = row.events.get()
        assert (event.details, event.reason) == ({"rules_waived": True}, "The president asked.")
        assert "the rules of the house were set aside" in text_of(desk.get(page_of(row)))
        again = errors_of(desk.post(f"{LIST}add/", {**waived, "member": stranger.member_no}))
        assert again["__all__"][0] == "This time is taken. Choose another one."
        closed = errors_of(desk.post(f"{LIST}add/", {**waived, "starts_at": "2026-06-20T23:00"}))
        assert "not open then" in closed["__all__"][0]

    def test_blocks_by_who_may_close(
        self, facilities_staff: Client, court: Facility, owner: Member, booked: Reservation
    ) -> None:
        body = wish_body(court, owner, type="BLOCKED", member="", title="Resurfacing")
        taken = {**body, "ends_at": "2026-06-02T12:00"}
        assert "taken" in errors_of(facilities_staff.post(f"{LIST}add/", taken))["__all__"][0]
        free = {**body, "starts_at": "2026-06-02T12:00", "ends_at": "2026-06-02T14:00"}
        assert facilities_staff.post(f"{LIST}add/", free).status_code == 302
        assert Reservation.objects.get(type="BLOCKED").claims.count() == 8


class TestTestBooking:
    def ask(self, client: Client, court: Facility, owner: Member, **more: str) -> Any:
        asked: dict[str, Any] = {
            "facility": court.pk,
            "member": owner.member_no,
            "starts_at": "2026-06-02T10:00",
            "party": 2,
        }
        return client.get(TEST, {**asked, **more})

    def test_begins_with_a_form_that_links_fill_in(
        self, desk: Client, court: Facility, owner: Member
    ) -> None:
        shown = desk.get(TEST, {"member": owner.member_no})
        assert f'value="{owner.member_no}"' in text_of(shown)
        assert shown.context["errors"] == {}
        assert "Every rule" not in text_of(shown)

    def test_is_linked_from_policy_member_and_the_list(
        self, desk: Client, court: Facility, owner: Member
    ) -> None:
        policy = court.policies.get()
        assert f"{TEST}?facility={court.pk}" in text_of(
            desk.get(f"/admin/facilities/reservationpolicy/{policy.pk}/change/")
        )
        assert f"{TEST}?member={owner.member_no}" in text_of(
            desk.get(f"/admin/accounts/member/{owner.pk}/change/")
        )
        assert f"{TEST}?facility={court.pk}" in text_of(
            desk.get(f"/admin/facilities/facility/{court.pk}/change/")
        )
        assert f'href="{TEST}"' in text_of(desk.get(LIST))

    def test_shows_every_rule_with_its_verdict(self, desk: Client, court: Facility, owner: Member) -> None:
        shown = text_of(self.ask(desk, court, owner))
        assert "It would be booked." in shown
        assert "Tue 2 Jun 2026, 10:00 – 11:00" in shown
        assert "<code>party_size</code>" in shown
        assert "<code>slot_taken</code>" in shown
        assert "failed" not in shown.split("<table")[1]
        assert "Court One policy v1" in shown

    def test_shows_what_fails_until_when_and_what_would_pass(
        self, desk: Client, court: Facility, owner: Member
    ) -> None:
        shown = text_of(self.ask(desk, court, owner, starts_at="2026-06-10T10:00", party="9"))
        assert "It would be refused." in shown
        assert "Wed 3 Jun 2026, 07:00" in shown
        assert "The party may be at most 4." in shown
        assert "What would pass" in shown
        later = text_of(self.ask(desk, court, owner, starts_at="2026-06-10T10:00", at="2026-06-03T07:00"))
        assert "It would be booked." in later

    def test_changes_nothing_and_records_no_unmet_demand(
        self, desk: Client, court: Facility, owner: Member
    ) -> None:
        self.ask(desk, court, owner, party="9", guests="A Guest")
        flush_activities()
        assert not Reservation.objects.exists()
        assert not owner.guests.exists()
        assert not Activity.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"member": "nobody"}, "member"),
            ({"starts_at": "soon"}, "starts_at"),
            ({"ends_at": "2026-06-02T09:00"}, "ends_at"),
            ({"guests": "A\nB"}, "guests"),
            ({"party": "none"}, "party"),
        ],
        ids=["member", "start", "end", "guests", "party"],
    )
    def test_says_what_is_wrong_with_the_question(
        self, desk: Client, court: Facility, owner: Member, change: dict[str, str], field: str
    ) -> None:
        assert errors_of(self.ask(desk, court, owner, **change)).keys() == {field}

    def test_says_that_members_are_not_shown_it(self, desk: Client, court: Facility, owner: Member) -> None:
        court.state = "draft"
        court.save()
        errors = errors_of(self.ask(desk, court, owner))
        assert "Members are not shown this facility then" in errors["__all__"][0]

    def test_says_that_nobody_books_there(self, desk: Client, court: Facility, owner: Member) -> None:
        court.policies.all().update(valid_until=at_club(1, 0).date())
        shown = text_of(self.ask(desk, court, owner, ends_at="2026-06-02T11:00"))
        assert "It would be refused." in shown
        assert "Call the club." in shown


class TestMomentField:
    def test_reads_the_clock_of_the_club(self) -> None:
        assert MomentField().clean("2026-06-02T10:00") == at_club(2, 10)
        assert MomentField(required=False).clean("") is None

    def test_takes_the_first_of_a_doubled_hour_and_refuses_a_skipped_one(self, settings: Any) -> None:
        settings.TIME_ZONE = "Europe/Berlin"
        doubled = MomentField().clean("2026-10-25T02:30")
        assert doubled.isoformat() == "2026-10-25T00:30:00+00:00"
        form_error = pytest.raises(Exception, match="The clock skips this time")
        with form_error:
            MomentField().clean("2026-03-29T02:30")
