"""Guests and the gate, strikes and charges: the back office of what comes with a booking, and after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from accounts.models import Member, PrivilegeHold, User
from bcc.core.actors import Actor
from bcc.core.errors import BusyError
from facilities.models import Facility, StrikeRule
from reservations import services
from reservations.admin import aftermath
from reservations.models import ChargeLine, Guest, Reservation, Strike
from reservations.selectors.gate import gate_list
from reservations.services.booking import Companion, Wish
from reservations.services.strikes import give_strike
from reservations.services.waivers import AlreadyExportedError, AlreadyWaivedError, waive_charge, waive_strike
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms
from tests.reservations.bookings import actor_of, book, wish_for
from tests.reservations.desk import count_queries, enter, text_of

pytestmark = pytest.mark.django_db
STAFF = Actor("staff", "Test Facilities")
GUESTS = "/admin/reservations/guest/"
GATE = f"{GUESTS}gate/"
WAIVERS = {"Facilities", "Finance Approver"}


@pytest.fixture
def facilities_staff(make_staff: Callable[[str], User], travel: object) -> Client:
    return enter(make_staff("Facilities"))


@pytest.fixture
def desk(front_desk: User, travel: object) -> Client:
    return enter(front_desk)


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    return book(owner, wish_for(court), now=now)


@pytest.fixture
def strike(booked: Reservation, now: datetime) -> Strike:
    return give_strike(reservation=booked, reason="Did not come.", now=now)


@pytest.fixture
def charge(owner: Member, now: datetime) -> ChargeLine:
    """A late cancellation that its policy charges."""
    terms = {"cancellation_cutoff_minutes": 2880, "late_cancel": "charge", "late_cancel_charge": "500.00"}
    row = book(owner, wish_for(make_facility("Strict Court", terms=terms)), now=now)
    services.cancel_reservation(reservation=row, by=actor_of(owner), reason="", now=now)
    return ChargeLine.objects.get()


def waive(client: Client, row: Strike | ChargeLine, reason: str = "A storm.") -> str:
    page = f"/admin/reservations/{row._meta.model_name}/{row.pk}/waive/"
    return text_of(client.post(page, {"confirmed": "yes", "reason": reason}, follow=True))


class TestWaiveStrike:
    def test_notes_who_and_why_in_the_history(
        self, strike: Strike, booked: Reservation, now: datetime
    ) -> None:
        assert waive_strike(strike=strike, by=STAFF, reason="Ill.", now=now) is False
        strike.refresh_from_db()
        assert (strike.waived_at, strike.waived_by, strike.waive_reason) == (now, "Test Facilities", "Ill.")
        last = booked.events.order_by("pk").last()
        assert last is not None
        assert (last.action, last.reason, last.details) == ("waived", "Ill.", {"waived": "strike"})

    def test_is_done_once(self, strike: Strike, now: datetime) -> None:
        again = Strike.objects.get()
        waive_strike(strike=strike, by=STAFF, reason="Ill.", now=now)
        with pytest.raises(AlreadyWaivedError):
            waive_strike(strike=again, by=STAFF, reason="Ill.", now=now)

    @pytest.mark.parametrize(("strikes", "lifted"), [(2, True), (3, False)])
    def test_lifts_the_hold_that_the_other_strikes_do_not_reach(
        self, owner: Member, now: datetime, strikes: int, lifted: bool
    ) -> None:
        court = make_facility("Long Court", terms={"open_days_ahead": 30})
        rows = [book(owner, wish_for(court, day=2 + number), now=now) for number in range(strikes)]
        # A strike before the rule was made; the last one brings the hold.
        given = [
            give_strike(reservation=row, reason="Late.", now=now + timedelta(hours=number))
            for number, row in enumerate(rows[:-1])
        ]
        StrikeRule.objects.create(name="Two", strikes=2, within_days=30, hold_days=14)
        last = now + timedelta(days=1)
        given.append(give_strike(reservation=rows[-1], reason="Late.", now=last))
        hold = PrivilegeHold.objects.get()

        assert waive_strike(strike=given[0], by=STAFF, reason="Ill.", now=last) is lifted

        hold.refresh_from_db()
        assert (hold.lifted_at == last) is lifted

    def test_leaves_a_hold_of_another_source(self, strike: Strike, owner: Member, now: datetime) -> None:
        PrivilegeHold.objects.create(
            member=owner, source="manual", scope="booking", reason="x", starts_at=now,
            until=now + timedelta(days=1),
        )  # fmt: skip
        assert waive_strike(strike=strike, by=STAFF, reason="Ill.", now=now) is False
        assert PrivilegeHold.objects.get().lifted_at is None

    def test_strikes_of_one_moment_bring_one_hold(self, owner: Member, now: datetime) -> None:
        StrikeRule.objects.create(name="Two", strikes=2, within_days=30, hold_days=14)
        court = make_facility("Long Court", terms={"open_days_ahead": 30})
        rows = [book(owner, wish_for(court, day=day), now=now) for day in range(2, 6)]
        for row in rows:
            give_strike(reservation=row, reason="Late.", now=now)
        assert PrivilegeHold.objects.filter(member=owner).count() == 1


class TestWaiveCharge:
    def test_takes_it_off_and_out_of_the_quotas(self, charge: ChargeLine, now: datetime) -> None:
        version = charge.reservation.version
        assert charge.reservation.is_charged
        waive_charge(line=charge, by=STAFF, reason="Ill.", now=now)
        row = Reservation.objects.get()
        assert not row.is_charged
        assert row.version == version + 1
        assert ChargeLine.objects.get().waive_reason == "Ill."
        with pytest.raises(AlreadyWaivedError):
            waive_charge(line=ChargeLine.objects.get(), by=STAFF, reason="Ill.", now=now)

    def test_is_too_late_when_finance_has_it(self, charge: ChargeLine, now: datetime) -> None:
        ChargeLine.objects.update(exported_at=now)
        with pytest.raises(AlreadyExportedError):
            waive_charge(line=charge, by=STAFF, reason="Ill.", now=now)
        assert Reservation.objects.get().is_charged


class TestCostPages:
    def test_reading_is_one_table(self, each_staff: User, strike: Strike, charge: ChargeLine) -> None:
        group = each_staff.groups.get().name
        client = enter(each_staff)
        for row, extra in ((strike, {"Membership"}), (charge, {"Finance Uploader", "Finance Approver"})):
            allowed = group in {"Front Desk", "Facilities", "Ops", "Auditor", *extra}
            base = f"/admin/reservations/{row._meta.model_name}/"
            for page in (base, f"{base}{row.pk}/change/"):
                assert client.get(page).status_code == (200 if allowed else 403), page

    def test_waiving_is_one_table(self, each_staff: User, strike: Strike, charge: ChargeLine) -> None:
        group = each_staff.groups.get().name
        client = enter(each_staff)
        for row, allowed in ((strike, group == "Facilities"), (charge, group in WAIVERS)):
            page = f"/admin/reservations/{row._meta.model_name}/{row.pk}/waive/"
            assert client.get(page).status_code == (200 if allowed else 403)
            answer = client.post(page, {"confirmed": "yes", "reason": "x"})
            assert answer.status_code == (302 if allowed else 403)
            row.refresh_from_db()
            assert row.is_waived is allowed

    def test_nobody_without_signing_in(self, strike: Strike, owner: Member) -> None:
        for page in ("strike/", f"strike/{strike.pk}/waive/", "chargeline/", "guest/", "guest/gate/"):
            assert Client().get(f"/admin/reservations/{page}").status_code == 302
            assert enter(owner.user).get(f"/admin/reservations/{page}").status_code == 302

    def test_waives_with_a_reason_and_offers_it_no_more(
        self, facilities_staff: Client, strike: Strike
    ) -> None:
        page = f"/admin/reservations/strike/{strike.pk}/"
        assert ">Waive<" in text_of(facilities_staff.get(f"{page}change/"))
        asked = text_of(facilities_staff.get(f"{page}waive/"))
        assert "Court One, Tue 2 Jun 2026, 10:00" in asked
        assert "required" in waive(facilities_staff, strike, reason="")
        assert "The strike is waived." in waive(facilities_staff, strike)
        assert ">Waive<" not in text_of(facilities_staff.get(f"{page}change/"))
        assert "Somebody has waived it already." in waive(facilities_staff, strike)

    def test_says_that_the_hold_is_lifted_too(
        self, facilities_staff: Client, booked: Reservation, now: datetime
    ) -> None:
        StrikeRule.objects.create(name="One", strikes=1, within_days=30, hold_days=14)
        row = give_strike(reservation=booked, reason="Late.", now=now)
        assert "the hold on booking that it brought is lifted" in waive(facilities_staff, row)

    def test_refuses_a_charge_that_finance_has(self, facilities_staff: Client, charge: ChargeLine) -> None:
        ChargeLine.objects.update(exported_at=charge.at)
        assert "Ask Finance for a credit instead." in waive(facilities_staff, charge)
        ChargeLine.objects.update(exported_at=None)
        assert "Finance does not get it." in waive(facilities_staff, charge)

    def test_a_busy_database_is_a_message_to_try_again(
        self, facilities_staff: Client, strike: Strike, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**kwargs: object) -> None:
            raise BusyError

        monkeypatch.setattr(aftermath, "waive_strike", busy)
        assert "Try again in a moment." in waive(facilities_staff, strike)

    def test_filters_by_what_stands(
        self, facilities_staff: Client, strike: Strike, charge: ChargeLine
    ) -> None:
        for model, row in (("strike", strike), ("chargeline", charge)):
            page = f"/admin/reservations/{model}/"
            assert list(facilities_staff.get(f"{page}?waived=no").context["cl"].result_list) == [row]
            assert not list(facilities_staff.get(f"{page}?waived=yes").context["cl"].result_list)

    def test_are_never_edited(self, facilities_staff: Client, strike: Strike) -> None:
        assert facilities_staff.get("/admin/reservations/strike/add/").status_code == 403
        page = f"/admin/reservations/strike/{strike.pk}/change/"
        assert facilities_staff.post(page, {"reason": "x"}).status_code == 403


class TestGuests:
    def body(self, host: Member, **changes: object) -> dict[str, object]:
        dates = {"valid_from": "", "valid_until": "", "letter_of_introduction": ""}
        return {"host": host.pk, "name": "A Guest", "guest_class": "sponsored", **dates, **changes}

    def test_are_registered_and_corrected_at_the_desk(self, desk: Client, owner: Member) -> None:
        assert desk.post(f"{GUESTS}add/", self.body(owner)).status_code == 302
        guest = Guest.objects.get()
        page = f"{GUESTS}{guest.pk}/change/"
        assert desk.post(page, self.body(owner, name="Another Guest")).status_code == 302
        guest.refresh_from_db()
        assert (guest.name, guest.host) == ("Another Guest", owner)

    def test_backward_dates_are_said(self, desk: Client, owner: Member) -> None:
        body = self.body(owner, valid_from="2026-06-02", valid_until="2026-06-01")
        assert "It must not be before the start." in text_of(desk.post(f"{GUESTS}add/", body))
        assert not Guest.objects.exists()

    def test_only_the_desk_writes_them(self, each_staff: User, owner: Member) -> None:
        allowed = each_staff.groups.get().name == "Front Desk"
        answer = enter(each_staff).post(f"{GUESTS}add/", self.body(owner))
        assert answer.status_code == (302 if allowed else 403)

    def test_one_who_came_is_not_deleted(self, owner: Member, court: Facility, now: datetime) -> None:
        boss = enter(User.objects.create_superuser("boss"))
        companions = (Companion(guest_name="A Guest"),)
        book(owner, wish_for(court, party=2, companions=companions), now=now)
        guest, other = Guest.objects.get(), Guest.objects.create(host=owner, name="Nobody Yet")
        boss.post(f"{GUESTS}{guest.pk}/delete/", {"post": "yes"})
        boss.post(f"{GUESTS}{other.pk}/delete/", {"post": "yes"})
        assert list(Guest.objects.all()) == [guest]


class TestGateList:
    def test_is_read_by_who_sees_guests(self, each_staff: User) -> None:
        allowed = each_staff.groups.get().name in {"Front Desk", "Facilities", "Ops", "Auditor"}
        assert enter(each_staff).get(GATE).status_code == (200 if allowed else 403)

    def test_names_who_comes_with_whom_and_who_is_sponsored(
        self, desk: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        companions = (Companion(guest_name="Zeta Guest"), Companion(guest_name="alpha Guest"))
        row = book(owner, wish_for(court, party=4, companions=companions), now=now)
        Guest.objects.create(
            host=owner, name="Sponsored Guest", guest_class="sponsored", letter_of_introduction="L-7",
            valid_from=date(2026, 6, 1), valid_until=date(2026, 6, 2),
        )  # fmt: skip
        shown = text_of(desk.get(f"{GATE}?on=2026-06-02"))
        assert shown.index("alpha Guest") < shown.index("Zeta Guest") < shown.index("1 not named yet")
        assert f"{owner.full_name} ({owner.member_no})" in shown
        assert str(row.public_id)[:8] in shown
        assert "L-7" in shown
        other_day = text_of(desk.get(f"{GATE}?on=2026-06-03"))
        assert "Nobody brings a guest on this day." in other_day
        assert "No sponsored guest is good for this day." in other_day

    def test_is_of_today_unless_another_day_is_asked_for(self, desk: Client) -> None:
        assert "Monday, 1 June 2026" in text_of(desk.get(GATE))
        wrong = text_of(desk.get(f"{GATE}?on=soon"))
        assert "Enter a valid date." in wrong
        assert "Sponsored, and good" not in wrong

    def test_holds_a_stay_on_each_of_its_days_and_nobody_who_cancelled(
        self, owner: Member, now: datetime
    ) -> None:
        rooms = make_rooms()
        guest = (Companion(guest_name="A Guest"),)
        stay = Wish(rooms.public_id, at_club(5, 14), at_club(7, 12), party=2, companions=guest)
        row = book(owner, stay, now=now)
        days = [day for day in range(4, 9) if gate_list(date(2026, 6, day)).expected]
        assert days == [5, 6, 7]
        services.cancel_by_club(reservation=row, by=STAFF, reason="x", now=now)
        assert not gate_list(date(2026, 6, 6)).expected

    def test_asks_twice_however_many_come(self, owner: Member, court: Facility, now: datetime) -> None:
        for hour in (8, 10, 12):
            guests = (Companion(guest_name="A Guest"), Companion(guest_name="B Guest"))
            book(owner, wish_for(court, hour=hour, party=4, companions=guests), now=now)
        assert count_queries(lambda: list(gate_list(date(2026, 6, 2)).sponsored)) == 2
