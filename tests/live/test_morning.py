"""A morning at the front desk, in a browser, on the real server.

``DESK_PICTURES=folder`` keeps a picture of each step there.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.live.server import Server, migrated, run_json, serving

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

TODAY = "/admin/reservations/today/"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Made = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    data_dir = migrated(tmp_path_factory.mktemp("morning"))
    return data_dir, run_json(["tests/live/prepare_desk.py"], data_dir)


@pytest.fixture(scope="module")
def server(made: tuple[Path, Made]) -> Iterator[Server]:
    with serving(made[0], "--no-scheduler") as live:
        yield live


@pytest.fixture(scope="module")
def said(made: tuple[Path, Made]) -> Made:
    return made[1]


class Desk:
    """One member of staff at one screen."""

    def __init__(self, context: BrowserContext, server: Server, said: Made, group: str) -> None:
        self.server = server
        self.said = said
        self.group = group
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self._shots = 0

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def sign_in(self) -> None:
        self.page.goto(f"{self.server.url}/admin/")
        self.page.locator("#id_username").fill(self.said["staff"][self.group]["username"])
        self.page.locator("#id_password").fill(self.said["staff"][self.group]["password"])
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def open_today(self) -> None:
        self.page.locator("#user-tools").get_by_role("link", name="Today").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Today")

    def cell(self, facility: str, hour: int) -> Any:
        day = self.said["today"][-2:]
        return self.page.locator(f"#at-{self.said['facilities'][facility]}-{day}{hour:02d}00")

    def has_focus(self, selector: str) -> None:
        self.page.wait_for_function(
            "selector => document.activeElement !== null && document.activeElement.matches(selector)",
            arg=selector,
        )

    def focused(self) -> str:
        text: str = self.page.evaluate("document.activeElement.textContent.replace(/\\s+/g, ' ').trim()")
        return text

    def picture(self, name: str) -> None:
        folder = os.environ.get("DESK_PICTURES")
        if folder:
            self._shots += 1
            path = Path(folder) / f"{self.group.split()[0].lower()}-{self._shots:02d}-{name}.png"
            self.page.screenshot(path=path, full_page=True)


@pytest.fixture(scope="module")
def sit_down(server: Server, said: Made) -> Iterator[Callable[[str], Desk]]:
    """Staff at a screen of their own; at the end, no browser may have complained of anything."""
    desks: list[Desk] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        def sit(group: str) -> Desk:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(20_000)
            desks.append(Desk(context, server, said, group))
            desks[-1].sign_in()
            return desks[-1]

        yield sit
        browser.close()
    assert [complaint for desk in desks for complaint in desk.complaints] == []


@pytest.fixture(scope="module")
def front_desk(sit_down: Callable[[str], Desk]) -> Desk:
    return sit_down("Front Desk")


@pytest.fixture(scope="module")
def facilities(sit_down: Callable[[str], Desk]) -> Desk:
    return sit_down("Facilities")


def rows(server: Server, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What stands in the database, read beside the server."""
    with closing(sqlite3.connect(f"file:{server.data_dir / 'bcc.sqlite3'}?mode=ro", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def booking_of(server: Server, member_no: str) -> list[tuple[str, str]]:
    """(facility, state) of a member's bookings, oldest first."""
    return rows(
        server,
        "SELECT f.name, r.state FROM reservations_reservation r"
        " JOIN facilities_facility f ON f.id = r.facility_id"
        " JOIN accounts_member m ON m.id = r.member_id WHERE m.member_no = ? ORDER BY r.id",
        member_no,
    )


def state_of(server: Server, pk: int) -> str:
    return str(rows(server, "SELECT state FROM reservations_reservation WHERE id = ?", pk)[0][0])


def public_id_of(server: Server, pk: int) -> str:
    return str(UUID(rows(server, "SELECT public_id FROM reservations_reservation WHERE id = ?", pk)[0][0]))


class TestMorning:
    """What one morning brings. Each step has bookings of its own, so they stand in any order."""

    def test_books_a_free_court_with_the_keyboard_alone(
        self, front_desk: Desk, server: Server, said: Made
    ) -> None:
        page = front_desk.page
        front_desk.open_today()
        front_desk.picture("today")

        # Past the head of the page, over the skip link, and into the board.
        page.keyboard.press("Tab")
        for _step in range(40):
            if front_desk.focused() == "Skip to the board":
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        front_desk.has_focus("#board")
        page.keyboard.press("Tab")
        for _step in range(10):
            if front_desk.focused().startswith("Keen"):
                break
            page.keyboard.press("Tab")
        # The browser tells of the skip when it has time: fingers that are further on stay there.
        page.evaluate("window.dispatchEvent(new HashChangeEvent('hashchange'))")
        assert front_desk.focused().startswith("Keen")
        # One stop for the row, then along it: the booking at eight, nine, ten, eleven.
        for _hour in range(3):
            page.keyboard.press("ArrowRight")
        assert front_desk.focused() == "Court North, 11:00, free"
        page.keyboard.press("Enter")

        front_desk.has_focus("#id_book-member")
        page.keyboard.type(said["members"]["Caller"].lower())
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("2")
        page.keyboard.press("Enter")

        expect(page.get_by_role("status")).to_contain_text("Booked for Test Caller")
        # Back where the work began: on the cell, which is taken now.
        front_desk.has_focus(f"#at-{said['facilities']['Court North']}-{said['today'][-2:]}1100 a")
        assert booking_of(server, said["members"]["Caller"]) == [("Court North", "CONFIRMED")]
        party = rows(
            server,
            "SELECT r.party, r.starts_at FROM reservations_reservation r"
            " JOIN accounts_member m ON m.id = r.member_id WHERE m.member_no = ?",
            said["members"]["Caller"],
        )
        assert party[0][0] == 2
        assert "03:00:00" in party[0][1]

    def test_is_refused_by_a_quota_and_takes_an_alternative(
        self, front_desk: Desk, server: Server, said: Made
    ) -> None:
        page = front_desk.page
        front_desk.open_today()
        front_desk.cell("Court North", 12).get_by_role("link").click()
        page.get_by_label("Member, by number or name").fill("keen test")
        page.get_by_label("Notes").first.fill("Wants to play after lunch.")
        page.get_by_role("button", name="Book", exact=True).click()

        refusal = page.get_by_role("alert").filter(has_text="Not booked.")
        expect(refusal).to_contain_text("Two courts a day: at most 2, 2 used.")
        front_desk.has_focus(".desk-refused")
        front_desk.picture("refused")
        expect(page.get_by_label("Member, by number or name")).to_have_value("keen test")
        expect(page.get_by_label("Notes").first).to_have_value("Wants to play after lunch.")
        page.keyboard.press("Tab")
        assert front_desk.focused().startswith("Court")
        page.keyboard.press("Enter")

        expect(page.get_by_role("status")).to_contain_text("Booked for Test Keen")
        found = rows(
            server,
            "SELECT r.notes, r.starts_on FROM reservations_reservation r"
            " JOIN accounts_member m ON m.id = r.member_id WHERE m.member_no = ? ORDER BY r.id DESC",
            said["members"]["Keen"],
        )
        assert len(found) == 3
        assert found[0][0] == "Wants to play after lunch."
        assert str(found[0][1]) > said["today"]

    def test_two_want_the_same_court_and_the_slower_is_told(
        self, front_desk: Desk, facilities: Desk, server: Server, said: Made
    ) -> None:
        for desk in (front_desk, facilities):
            desk.open_today()
            desk.cell("Court South", 12).get_by_role("link").click()
            member = said["members"]["Early" if desk is front_desk else "Sudden"]
            desk.page.get_by_label("Member, by number or name").fill(member)

        front_desk.page.get_by_role("button", name="Book", exact=True).click()
        expect(front_desk.page.get_by_role("status")).to_contain_text("Booked for Test Early")
        facilities.page.get_by_role("button", name="Book", exact=True).click()

        refusal = facilities.page.get_by_role("alert").filter(has_text="Not booked.")
        expect(refusal).to_contain_text("This time is taken.")
        expect(refusal).to_contain_text("Nobody can set this aside.")
        refusal.get_by_role("button", name="Court West", exact=False).first.click()
        expect(facilities.page.get_by_role("status")).to_contain_text("Court West")
        assert ("Court South", "CONFIRMED") in booking_of(server, said["members"]["Early"])
        assert booking_of(server, said["members"]["Sudden"])[-1] == ("Court West", "CONFIRMED")

    def test_checks_in_from_the_list_and_tells_who_comes_second(
        self, front_desk: Desk, facilities: Desk, server: Server, said: Made
    ) -> None:
        row = public_id_of(server, said["bookings"]["early"])
        front_desk.open_today()
        facilities.open_today()

        front_desk.page.locator(f"[id='list-{row}']").get_by_role("button", name="Check in").click()
        expect(front_desk.page.get_by_role("status")).to_contain_text("is checked in")
        front_desk.has_focus(f"[id='list-{row}']")
        facilities.page.locator(f"[id='list-{row}']").get_by_role("button", name="Check in").click()

        expect(facilities.page.get_by_role("alert")).to_contain_text("Test Front Desk was faster")
        assert state_of(server, said["bookings"]["early"]) == "CHECKED_IN"

    def test_marks_a_no_show(self, front_desk: Desk, server: Server, said: Made) -> None:
        page = front_desk.page
        front_desk.open_today()
        attention = page.locator(".desk-attention")
        expect(attention).to_contain_text("not here yet")
        attention.get_by_role("link", name="Test Late").click()
        page.get_by_text("They did not come").click()
        page.get_by_label("Remark").fill("Waited until five past.")
        page.get_by_role("button", name="Mark as no-show").click()

        expect(page.get_by_role("status")).to_contain_text("did not come")
        assert state_of(server, said["bookings"]["late"]) == "NO_SHOW"
        strikes = rows(
            server,
            "SELECT count(*) FROM reservations_strike WHERE reservation_id = ?",
            said["bookings"]["late"],
        )
        assert strikes == [(1,)]
        expect(front_desk.cell("Court South", 9)).to_have_class(re.compile("free"))

    def test_blocks_a_court_and_is_told_who_is_in_the_way(
        self, front_desk: Desk, server: Server, said: Made
    ) -> None:
        page = front_desk.page
        front_desk.open_today()
        front_desk.cell("Court North", 14).get_by_role("link").click()
        page.get_by_text("Block for the club").click()
        page.get_by_label("What for").fill("Net repair")
        page.get_by_label("From").fill("10:30")
        page.get_by_label("Until").last.fill("15:00")
        page.get_by_role("button", name="Block", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Test Early")
        expect(page.get_by_label("What for")).to_have_value("Net repair")

        page.get_by_label("From").fill("14:15")
        page.get_by_role("button", name="Block", exact=True).click()

        expect(page.get_by_role("status")).to_contain_text("Net repair: Court North is taken")
        front_desk.picture("blocked")
        blocked = rows(
            server,
            "SELECT type, state, booked_by_id IS NOT NULL FROM reservations_reservation"
            " WHERE title = 'Net repair'",
        )
        assert blocked == [("BLOCKED", "CONFIRMED", 1)]

    def test_cancels_with_a_reason_and_not_without(
        self, front_desk: Desk, server: Server, said: Made
    ) -> None:
        page = front_desk.page
        front_desk.open_today()
        front_desk.cell("Court West", 16).get_by_role("link").click()
        page.get_by_text("Cancel", exact=True).click()
        page.get_by_role("button", name="Cancel for the member").click()
        expect(page.get_by_role("alert")).to_contain_text("Say why.")
        page.get_by_label("Reason").fill("Called in ill.")
        page.get_by_role("button", name="Cancel for the member").click()

        expect(page.get_by_role("status")).to_contain_text("is cancelled for them")
        front_desk.has_focus(f"#at-{said['facilities']['Court West']}-{said['today'][-2:]}1600 a")
        assert state_of(server, said["bookings"]["sudden"]) == "CANCELLED_MEMBER"
        reasons = rows(
            server,
            "SELECT reason, actor_name FROM reservations_reservationevent WHERE reservation_id = ?"
            " ORDER BY id DESC",
            said["bookings"]["sudden"],
        )
        assert reasons[0] == ("Called in ill.", "Test Front Desk")

    def test_gives_an_arrival_a_room(self, front_desk: Desk, server: Server, said: Made) -> None:
        page = front_desk.page
        front_desk.open_today()
        page.locator(".desk-attention").get_by_role("link", name="Test Sleeper").click()
        page.get_by_label("Room number").fill("204")
        page.get_by_role("button", name="Assign").click()

        expect(page.get_by_role("status")).to_contain_text("has room 204")
        assert rows(
            server,
            "SELECT room_no FROM reservations_reservation WHERE id = ?",
            said["bookings"]["sleeper"],
        ) == [("204",)]

    def test_escape_closes_what_is_open_and_gives_the_focus_back(self, front_desk: Desk, said: Made) -> None:
        page = front_desk.page
        front_desk.open_today()
        front_desk.cell("Pool", 12).get_by_role("link").click()
        front_desk.has_focus("#id_book-member")
        page.keyboard.press("Escape")

        front_desk.has_focus(f"#at-{said['facilities']['Pool']}-{said['today'][-2:]}1200 a")
        expect(page.locator("#panel")).to_have_count(0)

    def test_looks_elsewhere_by_day_area_and_kind(self, front_desk: Desk) -> None:
        page = front_desk.page
        front_desk.open_today()
        page.get_by_label("Area").select_option("Fitness")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".desk-place")).to_have_count(1)
        page.get_by_role("link", name="Next day").click()
        expect(page.get_by_role("heading", level=1)).not_to_contain_text("Today")
        expect(page.locator(".desk-place")).to_have_count(1)

    def test_prints_one_facility_a_block_without_buttons(self, front_desk: Desk) -> None:
        page = front_desk.page
        front_desk.open_today()
        page.emulate_media(media="print")
        try:
            front_desk.picture("print")
            expect(page.locator("#board")).to_be_hidden()
            expect(page.locator(".desk-filters")).to_be_hidden()
            assert page.locator("button:visible").count() == 0
            expect(page.get_by_role("heading", name=re.compile("^Court North"))).to_be_visible()
            expect(page.locator(".desk-list th", has_text="Test Early").first).to_be_visible()
            breaks = page.locator(".desk-place").evaluate_all(
                "places => places.map(place => getComputedStyle(place).breakInside)"
            )
            assert set(breaks) == {"avoid"}
        finally:
            page.emulate_media(media="screen")


class TestBehindTheDesk:
    """What Facilities looks after: a place, its policy, and a closure that hits bookings."""

    def test_reads_a_facility_and_comes_from_it_to_the_day(
        self, facilities: Desk, server: Server, said: Made
    ) -> None:
        page = facilities.page
        page.goto(f"{server.url}/admin/facilities/facility/{said['facilities']['Court West']}/change/")
        expect(page.get_by_role("heading", name="Court West").first).to_be_visible()
        facilities.picture("facility")
        page.locator(".object-tools").get_by_role("link", name="Today").click()
        expect(page.locator(".desk-place").filter(has_text="Court West")).to_be_visible()
        expect(page.locator(".desk-place").filter(has_text="Pool")).to_have_count(0)

    def test_reads_a_policy_as_members_do(self, facilities: Desk, server: Server) -> None:
        page = facilities.page
        page.goto(f"{server.url}/admin/facilities/reservationpolicy/")
        page.get_by_role("link", name="Court West policy").click()
        expect(page.get_by_role("heading", name="Court West policy").first).to_be_visible()
        expect(page.locator("#content")).to_contain_text("14 days ahead")
        facilities.picture("policy")

    def test_closes_a_court_and_decides_about_each_booking(
        self, facilities: Desk, front_desk: Desk, server: Server, said: Made
    ) -> None:
        page, bookings = facilities.page, said["bookings"]
        kept, cancelled = bookings["under_closure_kept"], bookings["under_closure_cancelled"]
        page.goto(f"{server.url}/admin/facilities/closure/add/")
        page.locator("#id_facility").select_option(label="Court West")
        page.locator("#id_starts_at").fill(f"{said['today']}T13:00")
        page.locator("#id_ends_at").fill(f"{said['today']}T15:30")
        page.locator("#id_reason").fill("Lines are painted.")
        page.locator("input[name=_save]").click()

        expect(page.locator("#decide_list")).to_contain_text("Paddle")
        expect(page.locator("#decide_list")).to_contain_text("Racket")
        facilities.picture("closure")
        closures = "SELECT confirmed_at IS NOT NULL FROM facilities_closure WHERE reason = ?"
        assert rows(server, closures, "Lines are painted.") == []
        page.locator(f"input[name=decision-{kept}][value=keep]").check()
        page.get_by_role("button", name="Save with these decisions").first.click()
        expect(page.get_by_role("alert")).to_contain_text("1 booking has no decision yet")
        assert state_of(server, cancelled) == "CONFIRMED"
        page.locator(f"input[name=decision-{cancelled}][value=cancel]").check()
        page.get_by_role("button", name="Save with these decisions").first.click()

        expect(page.locator(".messagelist")).to_contain_text("kept and cancelled as you decided")
        assert (state_of(server, kept), state_of(server, cancelled)) == ("CONFIRMED", "CANCELLED_CLUB")
        assert rows(server, closures, "Lines are painted.") == [(1,)]
        # The desk sees it at once: who was kept is still there, and the rest is closed.
        front_desk.open_today()
        expect(front_desk.cell("Court West", 13)).to_contain_text("Paddle")
        expect(front_desk.cell("Court West", 14)).to_contain_text("Lines are painted.")
