"""The back office of reservations, as staff of each group meet it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from time_machine import Traveller

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.errors import BusyError
from facilities.models import Facility
from metrics.models import Activity
from metrics.services.activities import flush_activities
from reservations import services
from reservations.admin import turn
from reservations.admin.pages import MomentField
from reservations.admin.reservation import reference_bounds
from reservations.admin.steps import STEPS
from reservations.models import ChargeLine, Reservation, Strike
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import make_facility, make_rooms
from tests.reservations.bookings import book, wish_for
from tests.reservations.desk import count_queries, enter, errors_of, locked_database, text_of

LIST = "/admin/reservations/reservation/"
TEST = f"{LIST}test/"
READERS = {"Front Desk", "Facilities", "Membership", "Finance Approver", "Ops", "Auditor"}
BOOKERS = {"Front Desk", "Facilities"}
# Rights that need more than the desk's own.
OF_THE_DESK = {"Front Desk", "Facilities"}


@pytest.fixture
def desk(front_desk: User, travel: Traveller) -> Client:
    return enter(front_desk)


@pytest.fixture
def facilities_staff(make_staff: Callable[[str], User], travel: Traveller) -> Client:
    return enter(make_staff("Facilities"))


@pytest.fixture
def booked(owner: Member, court: Facility, now: datetime) -> Reservation:
    return book(owner, wish_for(court), now=now)


def page_of(row: Reservation, step: str = "", *, version: int | None = None) -> str:
    if not step:
        return f"{LIST}{row.pk}/change/"
    return f"{LIST}{row.pk}/step/{step}/?version={row.version if version is None else version}"


def because(reason: str = "A good reason.") -> dict[str, str]:
    return {"confirmed": "yes", "reason": reason}


def wish_body(court: Facility, owner: Member, **changes: Any) -> dict[str, Any]:
    return {
        "facility": court.pk,
        "type": "NORMAL",
        "member": owner.member_no,
        "starts_at": "2026-06-02T10:00",
        "ends_at": "",
        "party": 2,
        **changes,
    }


def fresh(row: Reservation) -> Reservation:
    return Reservation.objects.get(pk=row.pk)


class TestWhoMay:
    def test_read_reservations_is_one_table(self, each_staff: User, booked: Reservation) -> None:
        allowed = each_staff.groups.get().name in READERS
        client = enter(each_staff)
        for page in (LIST, page_of(booked)):
            assert client.get(page).status_code == (200 if allowed else 403)

    def test_take_steps_is_one_table(self, each_staff: User, booked: Reservation) -> None:
        allowed = each_staff.groups.get().name in OF_THE_DESK
        client = enter(each_staff)
        for step in STEPS:
            answer = client.post(page_of(booked, step.name))
            assert (answer.status_code != 403) is allowed, step.name
        if not allowed:
            assert fresh(booked).version == booked.version

    def test_book_and_test_is_one_table(self, each_staff: User, travel: Traveller) -> None:
        group = each_staff.groups.get().name
        client = enter(each_staff)
        assert client.get(f"{LIST}add/").status_code == (200 if group in BOOKERS else 403)
        allowed = group in {"Front Desk", "Facilities", "Ops", "Auditor"}
        assert client.get(TEST).status_code == (200 if allowed else 403)

    def test_nobody_without_signing_in(self, booked: Reservation, owner: Member) -> None:
        pages = [LIST, TEST, f"{LIST}add/", page_of(booked), page_of(booked, "cancel")]
        for page in pages:
            assert Client().get(page).status_code == 302
            assert enter(owner.user).get(page).status_code == 302

    def test_buttons_are_those_that_make_sense(
        self, desk: Client, make_staff: Callable[[str], User], booked: Reservation
    ) -> None:
        shown = text_of(desk.get(page_of(booked)))
        for label in ("Check in", "Move to another time", "Cancel for the member", "Cancel by the club"):
            assert f">{label}<" in shown
        for label in ("Approve", "No-show", "Assign a room", "Looked after", "Complete"):
            assert f">{label}<" not in shown
        assert 'class="steps"' not in text_of(enter(make_staff("Auditor")).get(page_of(booked)))

    def test_who_sees_less_is_shown_less(
        self, make_staff: Callable[[str], User], booked: Reservation
    ) -> None:
        shown = text_of(enter(make_staff("Membership")).get(page_of(booked)))
        assert "History" not in shown
        assert "Who comes" not in shown
        assert "What it holds" not in shown


class TestList:
    def test_is_in_club_time_with_member_and_state(
        self, desk: Client, booked: Reservation, owner: Member
    ) -> None:
        shown = text_of(desk.get(LIST))
        assert "<span>Tue 2 Jun 2026</span><span>10:00 – 11:00</span>" in shown
        assert f"<span>{owner.full_name}</span><span>{owner.member_no}</span>" in shown
        assert '<span class="state confirmed">confirmed</span>' in shown

    def test_asks_as_seldom_for_many_as_for_one(
        self, desk: Client, booked: Reservation, stranger: Member, now: datetime
    ) -> None:
        desk.get(LIST)
        few = count_queries(lambda: desk.get(LIST))
        for number in range(6):
            book(stranger, wish_for(make_facility(f"Court {number}"), hour=8 + number), now=now)
        assert count_queries(lambda: desk.get(LIST)) == few
        assert few <= 12

    @pytest.mark.parametrize(
        "asked",
        [
            "q={member.member_no}",
            "q={lower}",
            "q={member.last_name}",
            "q={reference}",
            "q={row.public_id}",
            "state__exact=CONFIRMED",
            "facility__id__exact={row.facility_id}",
            "type__exact=NORMAL",
            "needs_attention__exact=0",
            "starts_on__year=2026&starts_on__month=6&starts_on__day=2",
            "when=tomorrow",
            "when=week",
            "when=coming",
        ],
        ids=lambda asked: asked.split("=")[0] + asked[-12:].replace("{", "").replace("}", ""),
    )
    def test_finds_by(
        self,
        desk: Client,
        booked: Reservation,
        owner: Member,
        stranger: Member,
        now: datetime,
        asked: str,
    ) -> None:
        other = book(stranger, wish_for(make_facility("Court Two"), day=3), now=now - timedelta(days=1))
        services.cancel_by_club(reservation=other, by=Actor("staff", "x"), reason="Rain.", now=now)
        Reservation.objects.filter(pk=other.pk).update(
            type="EVENT", needs_attention=True, starts_at=at_club(1, 7) - timedelta(days=40),
            ends_at=at_club(1, 8) - timedelta(days=40), starts_on=at_club(1, 8).date() - timedelta(days=40),
        )  # fmt: skip
        values = {
            "member": owner,
            "row": booked,
            "lower": owner.member_no.lower().replace("-", " "),
            "reference": str(booked.public_id)[:8].upper(),
        }
        found = desk.get(f"{LIST}?{asked.format(**values)}")
        assert found.status_code == 200
        assert list(found.context["cl"].result_list) == [booked]

    @pytest.mark.parametrize(("when", "count"), [("today", 0), ("past", 0), ("nonsense", 1)])
    def test_does_not_find_by(self, desk: Client, booked: Reservation, when: str, count: int) -> None:
        assert len(desk.get(f"{LIST}?when={when}", follow=True).context["cl"].result_list) == count

    def test_a_stay_is_of_each_day_that_it_reaches_into(
        self, desk: Client, owner: Member, now: datetime
    ) -> None:
        rooms = make_rooms()
        stay = services.booking.Wish(rooms.public_id, at_club(1, 14), at_club(3, 12))
        row = book(owner, stay, now=now)
        for when in ("today", "tomorrow", "week"):
            assert list(desk.get(f"{LIST}?when={when}").context["cl"].result_list) == [row]

    @pytest.mark.parametrize("term", ["abcdefg", "1234567", "f" * 33, "owner"])
    def test_what_is_no_reference_is_not_looked_up_as_one(self, term: str) -> None:
        assert reference_bounds(term) is None


class TestDetail:
    def test_tells_who_comes_what_happened_and_what_it_holds(
        self, desk: Client, booked: Reservation, owner: Member
    ) -> None:
        desk.post(
            page_of(booked, "reschedule"), {"starts_at": "2026-06-03T15:00", "ends_at": "2026-06-03T16:00"}
        )
        shown = text_of(desk.get(page_of(booked)))
        assert str(booked.public_id)[:8] in shown
        assert f"{owner.full_name} ({owner.member_no})" in shown
        assert "created: confirmed" in shown
        assert "from Tue 2 Jun 2026, 10:00 – 11:00, to Wed 3 Jun 2026, 15:00 – 16:00" in shown
        assert "Test Front Desk" in shown
        assert "4 cells, Wed 3 Jun, 15:00 to Wed 3 Jun, 15:45" in shown
        assert "Court One policy v1" in shown

    def test_counts_those_who_are_not_named_yet(
        self, desk: Client, owner: Member, court: Facility, now: datetime
    ) -> None:
        row = book(owner, wish_for(court, party=4), now=now)
        shown = text_of(desk.get(page_of(row)))
        assert "+ 3" in shown
        assert shown.count("to be named") == 1

    def test_offers_nothing_to_edit(self, desk: Client, booked: Reservation) -> None:
        shown = text_of(desk.get(page_of(booked)))
        assert 'name="_save"' not in shown
        assert desk.post(page_of(booked), {"state": "EXPIRED"}).status_code == 403
        assert desk.post(f"{LIST}{booked.pk}/delete/", {"post": "yes"}).status_code == 403
        assert fresh(booked).state == State.CONFIRMED

    def test_of_what_the_club_booked_has_no_member(
        self, desk: Client, court: Facility, owner: Member, front_desk: User
    ) -> None:
        body = {"type": "EVENT", "member": "", "title": "Tournament", "ends_at": "2026-06-02T12:00"}
        desk.post(f"{LIST}add/", wish_body(court, owner, **body))
        row = Reservation.objects.get()
        assert (row.type, row.title, row.booked_by) == ("EVENT", "Tournament", front_desk)
        shown = text_of(desk.get(page_of(row)))
        assert "Nobody: it is the club's own." in shown
        assert ">Cancel for the member<" not in shown


class TestSteps:
    @pytest.fixture
    def asked(self, owner: Member, now: datetime) -> Reservation:
        """A request that waits for approval."""
        return book(owner, wish_for(make_facility("Hall", terms={"approval_required": True})), now=now)

    @pytest.mark.parametrize(("step", "state"), [("approve", State.CONFIRMED), ("deny", State.DENIED)])
    def test_decides_a_request_with_a_reason(
        self, desk: Client, asked: Reservation, step: str, state: State
    ) -> None:
        assert "Hall, Tue 2 Jun 2026, 10:00 – 11:00" in text_of(desk.get(page_of(asked, step)))
        assert fresh(asked).state == State.PENDING_APPROVAL
        assert desk.post(page_of(asked, step), because("")).status_code == 200
        answer = desk.post(page_of(asked, step), because("Kitchen is ready."), follow=True)
        assert "Done: Hall, 2026-06-02 10:00 is" in text_of(answer)
        assert fresh(asked).state == state
        last = asked.events.order_by("pk").last()
        assert last is not None
        assert (last.actor_name, last.reason) == ("Test Front Desk", "Kitchen is ready.")

    def test_confirms_for_the_member_with_a_press(self, desk: Client, owner: Member, now: datetime) -> None:
        row = book(owner, wish_for(make_facility("Held Court", terms={"hold_minutes": 10})), now=now)
        assert desk.get(page_of(row, "confirm")).status_code == 405
        desk.post(page_of(row, "confirm"))
        assert fresh(row).state == State.CONFIRMED

    def test_checks_in_and_completes(self, front_desk: User, booked: Reservation, travel: Traveller) -> None:
        travel.move_to(at_club(2, 9, 50))
        desk = enter(front_desk)  # yesterday's session is over
        desk.post(page_of(booked, "check-in"))
        row = fresh(booked)
        assert row.state == State.CHECKED_IN
        desk.post(page_of(row, "complete"))
        assert fresh(booked).state == State.COMPLETED

    def test_marks_a_no_show_once_it_has_begun(
        self, desk: Client, front_desk: User, booked: Reservation, travel: Traveller
    ) -> None:
        early = desk.post(page_of(booked, "no-show"), because())
        assert "It has not started yet." in text_of(early)
        travel.move_to(at_club(2, 10, 5))
        desk = enter(front_desk)  # yesterday's session is over
        assert ">No-show<" in text_of(desk.get(page_of(booked)))
        desk.post(page_of(booked, "no-show"), because("Nobody at the court."))
        assert fresh(booked).state == State.NO_SHOW
        assert Strike.objects.get().reservation == booked

    def test_cancels_for_the_club_at_no_cost(self, desk: Client, booked: Reservation) -> None:
        desk.post(page_of(booked, "cancel"), because("Heavy rain."))
        assert fresh(booked).state == State.CANCELLED_CLUB
        assert not booked.claims.exists()

    def test_assigns_a_room_of_a_stay(self, desk: Client, owner: Member, now: datetime) -> None:
        stay = services.booking.Wish(make_rooms().public_id, at_club(5, 14), at_club(6, 12))
        row = book(owner, stay, now=now)
        assert ">Assign a room<" in text_of(desk.get(page_of(row)))
        assert desk.get(page_of(row, "room")).status_code == 200
        desk.post(page_of(row, "room"), {"room_no": "204"})
        assert fresh(row).room_no == "204"
        assert "room 204" in text_of(desk.get(page_of(row)))

    def test_takes_the_flag_off(self, desk: Client, booked: Reservation) -> None:
        nothing = desk.post(page_of(booked, "attention"), because())
        assert "Nothing is left to look after." in text_of(nothing)
        Reservation.objects.filter(pk=booked.pk).update(needs_attention=True)
        assert "look at it" in text_of(desk.get(LIST))
        assert "It needs attention" in text_of(desk.get(page_of(booked)))
        desk.post(page_of(booked, "attention"), because("Called them."))
        assert not fresh(booked).needs_attention
        assert "looked after" in text_of(desk.get(page_of(booked)))

    def test_there_is_no_other_step(self, desk: Client, booked: Reservation) -> None:
        assert desk.post(page_of(booked, "explode")).status_code == 404
        assert desk.get(f"{LIST}999/step/cancel/").status_code == 404

    @pytest.mark.parametrize(
        ("step", "body"),
        [
            ("check-in", {}),
            ("cancel", because()),
            ("reschedule", {"starts_at": "2026-06-03T15:00", "ends_at": "2026-06-03T16:00"}),
            ("cancel-for-member", {"reason": ""}),
        ],
        ids=["check-in", "cancel", "reschedule", "cancel-for-member"],
    )
    def test_is_not_taken_on_what_has_changed_since_it_was_looked_at(
        self, desk: Client, booked: Reservation, now: datetime, step: str, body: dict[str, str]
    ) -> None:
        seen = booked.version
        services.reschedule_reservation(
            reservation=booked,
            starts_at=at_club(4, 10),
            ends_at=at_club(4, 11),
            by=Actor("staff", "Somebody else"),
            now=now,
        )
        answer = desk.post(page_of(booked, step, version=seen), body, follow=True)
        assert "Somebody has changed this reservation in the meantime." in text_of(answer)
        row = fresh(booked)
        assert (row.state, row.starts_at) == (State.CONFIRMED, at_club(4, 10))

    def test_what_the_state_does_not_allow_is_said(self, desk: Client, booked: Reservation) -> None:
        refused = desk.post(page_of(booked, "approve"), because())
        assert "not possible in the reservation's present state" in text_of(refused)

    @pytest.mark.parametrize(
        ("step", "body"),
        [("check-in", {}), ("cancel", because()), ("cancel-for-member", {"reason": ""})],
        ids=["press", "reason", "form"],
    )
    @pytest.mark.parametrize("busy", ["service", "driver"])
    def test_a_busy_database_is_a_message_to_try_again(
        self,
        desk: Client,
        booked: Reservation,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        body: dict[str, str],
        busy: str,
    ) -> None:
        def refuse(**kwargs: Any) -> None:
            raise BusyError if busy == "service" else locked_database()

        monkeypatch.setattr(turn, "at_version", refuse)
        answer = desk.post(page_of(booked, step), body, follow=True)
        assert answer.status_code == 200
        assert "Try again in a moment." in text_of(answer)
        assert fresh(booked).state == State.CONFIRMED


class TestReschedule:
    def test_refuses_in_words_and_offers_what_passes(
        self, desk: Client, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(stranger, wish_for(court, hour=15), now=now)
        page = page_of(booked, "reschedule")
        assert 'value="2026-06-02T10:00"' in text_of(desk.get(page))
        taken = {"starts_at": "2026-06-02T15:00", "ends_at": "2026-06-02T16:00"}
        assert "This time is taken." in errors_of(desk.post(page, taken))["__all__"][0]
        backward = errors_of(desk.post(page, {**taken, "ends_at": "2026-06-02T14:00"}))
        assert backward["ends_at"] == ["It must be later than the start. Correct one of the two."]
        assert errors_of(desk.post(page, {**taken, "starts_at": "soon"})).keys() == {"starts_at"}
        assert fresh(booked).starts_at == booked.starts_at

    def test_sets_the_rules_aside_with_a_reason_only(self, desk: Client, booked: Reservation) -> None:
        page = page_of(booked, "reschedule")
        far = {"starts_at": "2026-06-20T10:00", "ends_at": "2026-06-20T11:00"}
        assert "opens for booking" in errors_of(desk.post(page, far))["__all__"][0]
        assert errors_of(desk.post(page, {**far, "waive": "on"})).keys() == {"reason"}
        assert desk.post(page, {**far, "waive": "on", "reason": "Tournament."}).status_code == 302
        assert fresh(booked).starts_at == at_club(20, 10)


class TestCancelForMember:
    @pytest.mark.parametrize(
        ("terms", "said", "state"),
        [
            ({"late_cancel": "strike"}, "costs a strike", State.CANCELLED_MEMBER),
            (
                {"late_cancel": "charge", "late_cancel_charge": "500.00"},
                "is charged PHP 500.00",
                State.CANCELLED_MEMBER,
            ),
            ({"late_cancel": "deny"}, "could not be cancelled after", State.CONFIRMED),
        ],
        ids=["strike", "charge", "deny"],
    )
    def test_says_beforehand_what_it_costs(
        self, desk: Client, owner: Member, now: datetime, terms: dict[str, Any], said: str, state: State
    ) -> None:
        court = make_facility("Strict Court", terms={"cancellation_cutoff_minutes": 2880, **terms})
        row = book(owner, wish_for(court), now=now)
        assert said in text_of(desk.get(page_of(row, "cancel-for-member")))
        desk.post(page_of(row, "cancel-for-member"), {"reason": "Ill."})
        assert fresh(row).state == state
        assert Strike.objects.exists() is (terms["late_cancel"] == "strike")
        assert ChargeLine.objects.exists() is (terms["late_cancel"] == "charge")

    def test_waives_the_cost_by_who_may_with_a_reason(
        self, desk: Client, facilities_staff: Client, owner: Member, now: datetime
    ) -> None:
        court = make_facility("Strict Court", terms={"cancellation_cutoff_minutes": 2880})
        row = book(owner, wish_for(court), now=now)
        page = page_of(row, "cancel-for-member")
        assert 'name="waive"' not in text_of(desk.get(page))
        desk.post(page, {"waive": "on", "reason": "Typhoon."})
        assert fresh(row).state == State.CONFIRMED
        assert 'name="waive"' in text_of(facilities_staff.get(page))
        assert errors_of(facilities_staff.post(page, {"waive": "on"})).keys() == {"reason"}
        facilities_staff.post(page, {"waive": "on", "reason": "Typhoon."})
        assert fresh(row).state == State.CANCELLED_MEMBER
        assert not Strike.objects.exists()

    def test_in_time_costs_nothing(self, desk: Client, booked: Reservation) -> None:
        assert "it costs nothing now" in text_of(desk.get(page_of(booked, "cancel-for-member")))
        desk.post(page_of(booked, "cancel-for-member"), {"reason": ""})
        assert fresh(booked).state == State.CANCELLED_MEMBER


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
