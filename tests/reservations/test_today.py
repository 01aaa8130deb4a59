"""The front desk's page: who may work on it, and what it shows."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Member, User
from facilities.models import Facility
from reservations.models import (
    Reservation,
)
from reservations.services.booking import Companion
from tests.factories import (
    MemberFactory,
    make_facility,
    make_rooms,
)
from tests.reservations.front_desk import (
    DESK,
    PAGE,
    book,
    book_at,
    page,
    signed_in,
    stay,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


@pytest.fixture
def desk(front_desk: User, travel: object) -> Client:
    return signed_in(front_desk)


class TestWhoMayWork:
    def test_is_one_table(self, each_staff: User, court: Facility) -> None:
        allowed = each_staff.groups.get().name in DESK
        client = signed_in(each_staff)

        assert client.get(PAGE).status_code == (200 if allowed else 403)
        assert client.post(PAGE).status_code == (302 if allowed else 403)
        assert client.get(f"{PAGE}members/", {"q": "x"}).status_code == (200 if allowed else 403)
        assert (f'href="{PAGE}"' in client.get("/admin/").content.decode()) is allowed

    def test_not_who_is_not_staff(self, owner: Member, client: Client) -> None:
        assert client.get(PAGE).status_code == 302
        assert owner.user is not None
        assert signed_in(owner.user).get(PAGE).status_code == 302

    def test_who_may_not_book_is_offered_no_booking(self, make_staff: Any, court: Facility) -> None:
        user = make_staff("Ops")
        user.user_permissions.add(Permission.objects.get(codename="work_the_desk"))
        client = signed_in(user)

        shown = page(client, facility=str(court.public_id), at="2026-06-02T02:00:00Z")
        response = book_at(client, court, "TM-1")

        assert "You may not book for members." in shown
        assert response.status_code == 403
        assert not Reservation.objects.exists()


class TestPage:
    def test_shows_today_unless_asked(self, desk: Client) -> None:
        assert "Monday, 1 June 2026" in desk.get(PAGE).content.decode()
        for odd in ("2026-02-30", "yesterday", "9999-12-31", ""):
            assert "Monday, 1 June 2026" in desk.get(PAGE, {"date": odd}).content.decode()

    def test_leads_to_the_days_beside(self, desk: Client) -> None:
        shown = page(desk)
        assert "?date=2026-06-01" in shown
        assert "?date=2026-06-03" in shown

    def test_lists_who_comes_with_whom(
        self, desk: Client, owner: Member, spouse: Member, court: Facility
    ) -> None:
        book(
            owner, court, party=3, notes="Rackets, please.",
            companions=(Companion(member=spouse.public_id), Companion(guest_name="Test Guest")),
        )  # fmt: skip

        shown = page(desk)

        for text in (owner.full_name, owner.member_no, spouse.full_name, "Test Guest", "Rackets, please."):
            assert text in shown

    def test_nothing_that_somebody_typed_is_markup(self, desk: Client, court: Facility) -> None:
        member = MemberFactory.create(last_name="<b>Bold</b>")
        book(member, court, notes="<script>alert(1)</script>")

        shown = page(desk)

        assert "<b>Bold" not in shown
        assert "<script>alert" not in shown

    def test_holds_nothing_inline_that_the_policy_of_content_forbids(
        self, desk: Client, owner: Member, court: Facility
    ) -> None:
        row = book(owner, court)
        for query in (
            {},
            {"booking": str(row.public_id)},
            {"facility": str(court.public_id), "at": "2026-06-02T04:00:00Z"},
        ):
            shown = page(desk, **query)
            assert " style=" not in shown
            assert not re.search(r"<script(?![^>]* src=)[^>]*>", shown)
            assert not re.search(r"<[^>]+ on[a-z]+=", shown)

    def test_no_id_stands_twice(self, desk: Client, owner: Member, court: Facility) -> None:
        row = book(owner, court)
        stay(owner, make_rooms(), day=2, nights=1)
        ids = re.findall(r' id="([^"]+)"', page(desk, booking=str(row.public_id)))
        assert len(ids) == len(set(ids))

    def test_a_booking_that_is_not_on_the_page_is_said_so(self, desk: Client, court: Facility) -> None:
        for query in (
            {"booking": str(uuid4())},
            {"facility": str(uuid4()), "at": "2026-06-02T02:00:00Z"},
            {"facility": str(court.public_id), "at": "2026-06-02T20:00:00Z"},
        ):
            assert "not on this page any more" in page(desk, **query)
        assert "not on this page any more" not in page(desk, booking="nonsense")

    def test_opens_a_booking_with_its_history_and_what_cancelling_costs(
        self, desk: Client, owner: Member
    ) -> None:
        strict = make_facility(
            "Strict Court", terms={"cancellation_cutoff_minutes": 48 * 60, "late_cancel": "strike"}
        )
        row = book(owner, strict)

        shown = page(desk, booking=str(row.public_id))

        assert "Another Desk: created" in shown
        assert "it brings the member a strike" in shown

    def test_finds_members_while_one_types(self, desk: Client, owner: Member, stranger: Member) -> None:
        found = desk.get(f"{PAGE}members/", {"q": "test own"}).json()["members"]
        assert found == [{"number": owner.member_no, "name": "Test Owner"}]
        assert desk.get(f"{PAGE}members/", {"q": " "}).json()["members"] == []
        by_number = desk.get(f"{PAGE}members/", {"q": owner.member_no.lower()}).json()["members"]
        assert [one["number"] for one in by_number] == [owner.member_no]
