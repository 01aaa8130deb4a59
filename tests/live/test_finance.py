"""A month of Finance's, in a browser, by two people: uploaded, looked at, approved, taken back, closed.

``DESK_PICTURES=folder`` keeps a picture of each step there.
"""

from __future__ import annotations

import csv
import io
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.live.server import Server, migrated, run_json, serving
from tests.live.test_morning import CHROMIUM, QUIET

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

BATCHES = "/admin/documents/importbatch/"
PERIODS = "/admin/documents/period/"
Made = dict[str, Any]
# What a worker does with a dozen items, on a busy machine.
PATIENCE = 90_000


class Clerk:
    """One member of Finance at one screen."""

    def __init__(self, browser: Browser, server: Server, said: Made, group: str) -> None:
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        context.set_default_timeout(30_000)
        self.server, self.said, self.group = server, said, group
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self._shots = 0

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def sign_in(self) -> None:
        self.go("/admin/")
        self.page.locator("#id_username").fill(self.said["staff"][self.group]["username"])
        self.page.locator("#id_password").fill(self.said["staff"][self.group]["password"])
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def go(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")

    def next_step(self, text: str) -> None:
        """The page says what to do next; it comes there by itself."""
        expect(self.page.locator("#next")).to_contain_text(text, timeout=PATIENCE)

    def with_reason(self, button: str, reason: str) -> None:
        self.page.get_by_role("link", name=button, exact=True).click()
        self.page.get_by_label("Reason").fill(reason)
        self.picture(button.lower().replace(" ", "-"))
        self.page.get_by_role("button", name=button, exact=True).click()

    def picture(self, name: str) -> None:
        folder = os.environ.get("DESK_PICTURES")
        if folder:
            self._shots += 1
            self.page.wait_for_load_state("networkidle")
            path = Path(folder) / f"{self.group.split()[-1].lower()}-{self._shots:02d}-{name}.png"
            self.page.screenshot(path=path, full_page=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    data_dir = migrated(tmp_path_factory.mktemp("finance"))
    return data_dir, run_json(["tests/live/prepare_finance.py"], data_dir)


@pytest.fixture(scope="module")
def server(made: tuple[Path, Made]) -> Iterator[Server]:
    with serving(made[0]) as live:
        yield live


@pytest.fixture(scope="module")
def clerks(server: Server, made: tuple[Path, Made]) -> Iterator[tuple[Clerk, Clerk]]:
    """Who uploads and who approves; at the end, no browser may have complained of anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        uploader = Clerk(browser, server, made[1], "Finance Uploader")
        approver = Clerk(browser, server, made[1], "Finance Approver")
        for one in (uploader, approver):
            one.sign_in()
        yield uploader, approver
        browser.close()
    assert [complaint for one in (uploader, approver) for complaint in one.complaints] == []


def rows(server: Server, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.data_dir / "bcc.sqlite3", timeout=20)) as database:
        found: list[tuple[Any, ...]] = database.execute(sql, values).fetchall()
        return found


class TestAMonthOfFinance:
    """The steps of one month, in their order."""

    def test_goes_from_the_upload_to_a_closed_month_and_back(
        self, clerks: tuple[Clerk, Clerk], server: Server, made: tuple[Path, Made]
    ) -> None:
        """Each step works on what those before it left."""
        self.uploads_a_merged_pdf_and_sees_it_read(clerks, made)
        self.corrects_the_control_count_and_decides_about_the_quarantine(clerks, server)
        self.another_person_approves_and_it_is_published(clerks, server)
        self.told_each_member_once(clerks, server)
        self.corrects_balances_in_a_spreadsheet_and_brings_them_back(clerks, made)
        self.rejects_and_takes_up_again(clerks)
        self.rolls_the_statements_back(clerks, server)
        self.closes_the_month_only_when_each_gap_has_its_reason(clerks)

    def uploads_a_merged_pdf_and_sees_it_read(
        self, clerks: tuple[Clerk, Clerk], made: tuple[Path, Made]
    ) -> None:
        uploader, _approver = clerks
        page = uploader.page
        uploader.go(BATCHES)
        uploader.picture("batches-empty")
        page.locator(".object-tools").get_by_role("link", name="Upload files").click()
        uploader.picture("upload")
        page.get_by_label("What it is").select_option("statement_pdf")
        page.get_by_label("Month").fill(made[1]["period"])
        page.get_by_label("Files").set_input_files(Path(made[1]["folder"]) / "statements.pdf")
        page.get_by_label("Control count").fill("14")
        page.get_by_role("button", name="Upload and check").click()
        uploader.picture("just-uploaded")
        uploader.next_step("The control figures do not agree")
        uploader.picture("control")

    def corrects_the_control_count_and_decides_about_the_quarantine(
        self, clerks: tuple[Clerk, Clerk], server: Server
    ) -> None:
        uploader, _approver = clerks
        page = uploader.page
        page.locator("#next").get_by_role("link", name="Correct the control figures").click()
        page.get_by_label("Control count").fill("15")
        page.get_by_label("Reason").fill("The run has one statement twice.")
        page.get_by_role("button", name="Correct the figures").click()
        uploader.next_step("2 items wait in quarantine")
        uploader.picture("review")
        page.get_by_role("link", name="Look at the first one").click()
        expect(page.locator(".owner")).to_contain_text("Nobody yet")
        uploader.picture("item")
        page.get_by_label("Reason").fill("The scan is of nobody.")
        page.get_by_role("button", name="Leave it out").click()
        expect(page.locator(".messagelist")).to_contain_text("is left out")
        page.get_by_label("Give it to account").fill("nobody at all")
        page.get_by_label("Reason").fill("A typing error in the account number.")
        page.get_by_role("button", name="Give it to this account").click()
        expect(page.locator(".decide")).to_contain_text("There is no such account")
        uploader.picture("no-such-account")
        page.get_by_label("Give it to account").fill("d 0500")
        page.get_by_role("button", name="Give it to this account").click()
        expect(page.locator(".messagelist")).to_contain_text("goes to D-0500")
        uploader.next_step("Ask a colleague who approves")
        uploader.picture("part-done")
        assert page.get_by_role("link", name="Approve and publish").count() == 0

    def another_person_approves_and_it_is_published(
        self, clerks: tuple[Clerk, Clerk], server: Server
    ) -> None:
        _uploader, approver = clerks
        page = approver.page
        approver.go(BATCHES)
        approver.picture("batches")
        page.get_by_role("link", name="statements.pdf").click()
        approver.next_step("13 items are published")
        page.get_by_role("link", name=re.compile("^Decided by a person")).click()
        expect(page.locator(".items")).to_contain_text("A typing error in the account number.")
        approver.picture("decided")
        approver.with_reason("Approve and publish", "Compared five with the ledger.")
        approver.next_step("Published, and the members are told.")
        approver.picture("published")
        published = "SELECT COUNT(*) FROM documents_document WHERE state = 'published'"
        assert rows(server, published) == [(13,)]

    def told_each_member_once(self, clerks: tuple[Clerk, Clerk], server: Server) -> None:
        told = (
            "SELECT COUNT(*), COUNT(DISTINCT user_id) FROM accounts_notification "
            "WHERE kind = 'statement_published' AND channel = 'in_app'"
        )
        until = time.monotonic() + PATIENCE / 1000
        while rows(server, told) != [(13, 13)] and time.monotonic() < until:
            time.sleep(0.2)
        assert rows(server, told) == [(13, 13)]

    def corrects_balances_in_a_spreadsheet_and_brings_them_back(
        self, clerks: tuple[Clerk, Clerk], made: tuple[Path, Made]
    ) -> None:
        uploader, _approver = clerks
        page, folder = uploader.page, Path(made[1]["folder"])
        uploader.go(f"{BATCHES}add/")
        page.get_by_label("What it is").select_option("balances")
        page.get_by_label("Month").fill("October")
        page.get_by_label("Files").set_input_files(folder / "balances.csv")
        page.get_by_role("button", name="Upload and check").click()
        expect(page.locator(".errorlist").first).to_contain_text("Write the month as 2026-10")
        uploader.picture("wrong-month")
        page.get_by_label("Month").fill(made[1]["period"])
        page.get_by_label("Files").set_input_files(folder / "balances.csv")
        page.get_by_role("button", name="Upload and check").click()
        uploader.next_step("One item waits in quarantine")
        expect(page.locator(".reasons")).to_contain_text("do not give the amount due")
        uploader.picture("balances")
        page.get_by_role("link", name="#1", exact=True).or_(
            page.get_by_label("Item 1", exact=True)
        ).first.click()
        uploader.picture("balance-item")
        page.get_by_role("link", name="Back to the batch").click()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Download the error file").click()
        corrected = folder / "corrected.csv"
        corrected.write_text(put_right(saved.value.path().read_text(encoding="utf-8-sig")))
        page.get_by_role("link", name="Bring back corrected rows").click()
        page.get_by_label("Corrected rows").set_input_files(corrected)
        uploader.picture("corrections")
        page.get_by_role("button", name="Bring them back").click()
        uploader.next_step("Ask a colleague who approves")
        expect(page.locator(".filters")).to_contain_text("To publish 12")
        uploader.picture("corrected")

    def rejects_and_takes_up_again(self, clerks: tuple[Clerk, Clerk]) -> None:
        uploader, _approver = clerks
        uploader.with_reason("Reject", "Finance sends another run.")
        uploader.next_step("It was rejected")
        uploader.picture("rejected")

    def rolls_the_statements_back(self, clerks: tuple[Clerk, Clerk], server: Server) -> None:
        _uploader, approver = clerks
        page = approver.page
        approver.go(BATCHES)
        page.get_by_role("link", name="statements.pdf").click()
        approver.with_reason("Roll back", "The run was of the wrong day.")
        approver.next_step("It was rolled back")
        approver.picture("rolled-back")
        published = "SELECT COUNT(*) FROM documents_document WHERE state = 'published'"
        assert rows(server, published) == [(0,)]

    def closes_the_month_only_when_each_gap_has_its_reason(self, clerks: tuple[Clerk, Clerk]) -> None:
        uploader, approver = clerks
        page = approver.page
        approver.go(PERIODS)
        approver.picture("months")
        page.get_by_role("link", name="2026-10").click()
        expect(page.locator(".next")).to_contain_text("13 memberships have neither a statement nor a reason")
        approver.picture("month-with-gaps")
        page.get_by_role("link", name="Close the month").click()
        page.get_by_label("Reason").fill("It is over.")
        page.locator("input[name=confirmed]").click()
        expect(page.locator(".errorlist")).to_contain_text("Explain each gap first")

        uploader.go(PERIODS)
        uploader.page.get_by_role("link", name="2026-10").click()
        for box in uploader.page.locator("input[name=membership]").all():
            box.check()
        uploader.page.get_by_label("Reason").select_option("by_hand")
        uploader.page.get_by_role("button", name="Explain").click()
        expect(uploader.page.locator(".messagelist")).to_contain_text("13 gaps are explained")
        uploader.picture("month-explained")

        page.locator("input[name=confirmed]").click()
        expect(page.locator(".messagelist")).to_contain_text("2026-10 is closed")
        expect(page.locator(".next")).to_contain_text("Closed on")
        approver.picture("month-closed")


class TestHowFilesAreRead:
    def test_says_what_a_pattern_reads_while_it_is_typed(self, clerks: tuple[Clerk, Clerk]) -> None:
        uploader, _approver = clerks
        page = uploader.page
        uploader.go("/admin/documents/filenamepattern/add/")
        page.locator("#id_pattern").fill("{account_no}")
        page.locator("#id_sample").fill("Statement d-0003 OCT2026.pdf")
        expect(page.locator("[data-try]")).to_contain_text("The club has no such account.")
        page.locator("#id_pattern").fill("Statement {account_no} {period}.pdf")
        expect(page.locator("[data-try]")).to_contain_text("period: 2026-10. The club has this account.")
        uploader.picture("pattern")

    def test_draws_a_region_on_a_sample_page(
        self, clerks: tuple[Clerk, Clerk], made: tuple[Path, Made]
    ) -> None:
        uploader, _approver = clerks
        page = uploader.page
        uploader.go("/admin/documents/pageregion/")
        page.get_by_role("link", name="Try with a sample").click()
        page.get_by_label("Sample PDF").set_input_files(Path(made[1]["folder"]) / "statements.pdf")
        page.get_by_role("button", name="Try").click()
        expect(page.locator(".tried figure")).to_have_count(3)
        expect(page.locator(".tried figcaption").nth(1)).to_contain_text(
            "Head reads D-0001. The club has this"
        )
        assert page.locator(".tried rect").count() == 3
        uploader.picture("region")


def put_right(text: str) -> str:
    """The error file as a bookkeeper corrects it: the last amount was one too many."""
    heading, row = list(csv.reader(text.splitlines()))
    at = heading.index("Amount due") if "Amount due" in heading else heading.index("Amount due".lower())
    row[at] = str(Decimal(row[at].replace(",", "")) - 1)
    out = io.StringIO()
    csv.writer(out).writerows([heading, row])
    return out.getvalue()
