"""The commands of bookings, as ops run them: what they say, and with which status they leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, load_command_class
from time_machine import Traveller

from accounts.models import Member
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, SlotClaim, Strike
from reservations.policies.states import State
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.bookings import actor_of, book, wish_for
from tests.reservations.desk import count_queries

pytestmark = pytest.mark.django_db
COMMANDS = ["check_claims", "expire_reservations", "explain_booking", "mark_no_shows"]


def run(command: str, *args: str) -> str:
    """What the command writes. Raises CommandError, which leaves with status 1."""
    out = StringIO()
    call_command(command, *args, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture(autouse=True)
def at_now(travel: Traveller) -> Traveller:
    return travel


@pytest.mark.parametrize("command", COMMANDS)
def test_each_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = load_command_class("reservations", command).create_parser("manage.py", command)
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["--help"])
    assert left.value.code == 0
    assert len(capsys.readouterr().out) > 400


class TestExpireReservations:
    @pytest.fixture
    def held(self, owner: Member, now: datetime) -> Reservation:
        return book(owner, wish_for(make_facility("Held Court", terms={"hold_minutes": 10})), now=now)

    def test_expires_what_is_due_and_says_how_many(self, held: Reservation, travel: Traveller) -> None:
        assert run("expire_reservations") == "0 expired.\n"
        travel.shift(timedelta(minutes=10))
        assert run("expire_reservations") == "1 expired.\n"
        held.refresh_from_db()
        assert held.state == State.EXPIRED
        last = held.events.order_by("pk").last()
        assert last is not None
        assert last.actor_name == "command"
        assert run("expire_reservations") == "0 expired.\n"

    def test_lists_them_only_when_it_is_dry(
        self, held: Reservation, owner: Member, travel: Traveller
    ) -> None:
        travel.shift(timedelta(minutes=10))
        said = run("expire_reservations", "--dry-run")
        assert f"{str(held.public_id)[:8]}  HELD " in said
        assert "2026-06-02 10:00 - 2026-06-02 11:00  Held Court" in said
        assert owner.member_no in said
        assert owner.last_name not in said
        assert said.endswith("1 would expire. Nothing was changed.\n")
        held.refresh_from_db()
        assert held.state == State.HELD


class TestMarkNoShows:
    @pytest.fixture
    def booked(self, owner: Member, now: datetime) -> Reservation:
        return book(owner, wish_for(make_facility("Court Two", terms={"no_show_after_minutes": 15})), now=now)

    def test_marks_who_did_not_come(self, booked: Reservation, travel: Traveller) -> None:
        travel.move_to(at_club(2, 10, 14))
        assert run("mark_no_shows") == "0 marked as no-show.\n"
        travel.move_to(at_club(2, 10, 15))
        assert run("mark_no_shows") == "1 marked as no-show.\n"
        booked.refresh_from_db()
        assert booked.state == State.NO_SHOW
        assert Strike.objects.get().reservation == booked

    def test_lists_them_only_when_it_is_dry(self, booked: Reservation, travel: Traveller) -> None:
        travel.move_to(at_club(2, 10, 15))
        said = run("mark_no_shows", "--dry-run")
        assert str(booked.public_id)[:8] in said
        assert said.endswith("1 would be no-shows. Nothing was changed.\n")
        booked.refresh_from_db()
        assert booked.state == State.CONFIRMED


class TestCheckClaims:
    @pytest.fixture
    def booked(self, owner: Member, court: Facility, now: datetime) -> Reservation:
        return book(owner, wish_for(court), now=now)

    def test_is_content_with_a_sound_club(self, booked: Reservation, stranger: Member, now: datetime) -> None:
        pool = make_facility("Pool", kind="class", lanes=5, takes="person")
        book(stranger, wish_for(pool, party=3), now=now)
        assert run("check_claims") == "Every claim is as it should be.\n"

    def test_finds_what_is_over_and_still_holds_and_frees_it(self, booked: Reservation) -> None:
        Reservation.objects.filter(pk=booked.pk).update(state=State.EXPIRED)

        with pytest.raises(CommandError, match="Stray: 1"):
            run("check_claims")
        assert booked.claims.count() == 4

        said = run("check_claims", "--repair")
        assert str(booked.public_id)[:8] in said
        assert "Stray claims freed: 4." in said
        assert said.endswith("Every claim is as it should be.\n")
        assert not SlotClaim.objects.exists()
        assert run("check_claims") == "Every claim is as it should be.\n"

    @pytest.mark.parametrize("broken", ["gone", "moved", "too many"])
    def test_finds_who_does_not_hold_exactly_their_place_and_leaves_it_to_people(
        self, booked: Reservation, broken: str
    ) -> None:
        last = booked.claims.order_by("cell_start").last()
        assert last is not None
        if broken == "gone":
            last.delete()
        elif broken == "moved":
            SlotClaim.objects.filter(pk=last.pk).update(cell_start=last.cell_start + timedelta(hours=3))
        else:
            SlotClaim.objects.create(space=last.space, cell_start=last.cell_start, lane=1, reservation=booked)
        before = sorted(SlotClaim.objects.values_list("cell_start", "lane"))

        for repair in ([], ["--repair"]):
            with pytest.raises(CommandError, match="Without their place: 1"):
                run("check_claims", *repair)

        assert sorted(SlotClaim.objects.values_list("cell_start", "lane")) == before

    def test_repairs_the_one_and_still_fails_for_the_other(
        self, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        other = book(stranger, wish_for(court, hour=15), now=now)
        Reservation.objects.filter(pk=booked.pk).update(state=State.EXPIRED)
        other.claims.all().delete()

        with pytest.raises(CommandError, match="Without their place: 1"):
            run("check_claims", "--repair")

        assert not SlotClaim.objects.exists()

    def test_asks_as_seldom_for_many_as_for_one(
        self, booked: Reservation, stranger: Member, court: Facility, now: datetime
    ) -> None:
        few = count_queries(lambda: run("check_claims"))
        for hour in (12, 14, 16):
            book(stranger, wish_for(court, hour=hour), now=now)
        assert count_queries(lambda: run("check_claims")) == few


class TestExplainBooking:
    def test_says_what_would_be_booked(self, owner: Member, court: Facility) -> None:
        said = run("explain_booking", court.code, owner.member_no.lower(), "2026-06-02T10:00", "--party", "2")
        assert "Court One, 2026-06-02 10:00" in said
        assert "It would be booked: CONFIRMED." in said
        assert "passed  party_size" in said
        assert "limit 4, count 2" in said
        assert "FAILED" not in said

    def test_names_what_stands_in_the_way_until_when_and_what_would_pass(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(stranger, wish_for(court, day=9, hour=10), now=at_club(5, 8))
        said = run("explain_booking", court.code, owner.member_no, "2026-06-09T10:00")
        assert "It would be refused (422): not_yet_released, slot_taken." in said
        assert "FAILED  not_yet_released" in said
        assert "passes from 2026-06-02 07:00" in said
        assert "would pass:" not in said.split("passes from")[0]

    def test_offers_other_times_and_calls_a_taken_one_a_conflict(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(stranger, wish_for(court), now=now)
        said = run("explain_booking", court.code, owner.member_no, "2026-06-02T10:00")
        assert "It would be refused (409): slot_taken." in said
        assert "would pass: Court One, 2026-06-02 09:00" in said

    def test_asks_at_another_moment_with_guests_and_an_end(self, owner: Member, court: Facility) -> None:
        asked = ["explain_booking", court.code, owner.member_no, "2026-06-10T10:00"]
        more = [
            "--until",
            "2026-06-10T12:00+08:00",
            "--party",
            "3",
            "--guest",
            "A Guest",
            "--guest",
            "B Guest",
        ]
        said = run(*asked, *more, "--at", "2026-06-09T08:00")
        assert "It would be booked" in said
        assert "asked at 2026-06-09 08:00" in said
        assert "2026-06-10 12:00" in said

    def test_changes_nothing(self, owner: Member, court: Facility) -> None:
        run("explain_booking", court.code, owner.member_no, "2026-06-02T10:00")
        assert not Reservation.objects.exists()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"facility": "nowhere"}, "There is no facility nowhere. There are: court-one."),
            ({"member": "X-1"}, "No member has the number X-1."),
            ({"member": "-"}, "No member has the number -."),
            ({"starts_at": "soon"}, "soon is no time."),
            ({"starts_at": "0001-01-01T00:00"}, "out of any calendar"),
            ({"until": "2026-06-02T09:00"}, "later than the start"),
            ({"party": "0"}, "--party is a number from 1 to 500."),
            ({"guest": "A Guest"}, "One of the party is the member."),
        ],
        ids=[
            "facility", "member", "no number", "no time", "no year", "backward", "party", "guests",
        ],
    )  # fmt: skip
    def test_says_what_is_wrong_with_the_question(
        self, owner: Member, court: Facility, change: dict[str, str], words: str
    ) -> None:
        asked = {"facility": court.code, "member": owner.member_no, "starts_at": "2026-06-02T10:00", **change}
        options = [f"--{name}={asked[name]}" for name in ("until", "party", "guest") if name in asked]
        with pytest.raises(CommandError) as refused:
            run("explain_booking", *options, "--", asked["facility"], asked["member"], asked["starts_at"])
        assert words in str(refused.value)
        assert refused.value.returncode == 1

    def test_says_that_members_are_not_shown_it(self, owner: Member, court: Facility) -> None:
        court.state = "draft"
        court.save()
        with pytest.raises(CommandError, match="Members are not shown this facility then"):
            run("explain_booking", court.code, owner.member_no, "2026-06-02T10:00")

    def test_says_that_nobody_books_there(self, owner: Member, court: Facility) -> None:
        court.policies.all().update(valid_until=at_club(1, 0).date())
        said = run(
            "explain_booking", court.code, owner.member_no, "2026-06-02T10:00", "--until=2026-06-02T11:00"
        )
        assert "It would be refused (422): not_bookable." in said
        assert "Call the club." in said


def test_a_hold_that_was_confirmed_is_not_touched(owner: Member, now: datetime, travel: Traveller) -> None:
    held = book(owner, wish_for(make_facility("Held Court", terms={"hold_minutes": 10})), now=now)
    services.confirm_reservation(reservation=held, by=actor_of(owner), now=now)
    travel.shift(timedelta(minutes=11))
    assert run("expire_reservations") == "0 expired.\n"
