"""The membership office in a browser on the real server: the second factor, then accounts from a workbook.

``DESK_PICTURES=folder`` keeps a picture of each step there.
"""

from __future__ import annotations

import base64
import io
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect, sync_playwright

from tests.live.server import Server, migrated, run_json, serving
from tests.live.test_morning import CHROMIUM, QUIET

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]

HEADING = ("Account No", "Category", "Member No", "Relation", "First name", "Last name", "E-mail", "Mobile")
MOBILES = {"S": "0917", "L": "0918"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    data_dir = migrated(tmp_path_factory.mktemp("office"))
    return data_dir, run_json(["tests/live/prepare_staff.py"], data_dir)


@pytest.fixture(scope="module")
def server(prepared: tuple[Path, dict[str, str]]) -> Iterator[Server]:
    # As in production, where nobody enters with a password alone.
    with serving(prepared[0], "--no-scheduler", DEMO_MODE="false") as live:
        yield live


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True)
        context.set_default_timeout(20_000)
        page = context.new_page()
        complaints: list[str] = []
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("DESK_PICTURES"):
        page.screenshot(path=Path(folder) / f"office-{name}.png", full_page=True)


def sign_in(page: Page, server: Server, who: dict[str, str]) -> None:
    page.goto(f"{server.url}/admin/")
    page.locator("#id_username").fill(who["username"])
    page.locator("#id_password").fill(who["password"])
    page.keyboard.press("Enter")


def code_at(secret: str, at: float) -> str:
    """What an app shows at an instant that has the secret of the page."""
    text = "".join(secret.split())
    totp = TOTP(base64.b32decode(text + "=" * (-len(text) % 8)))
    totp.time = at
    return f"{totp.token():06d}"


def answer(page: Page, code: str) -> None:
    page.locator("#id_code").fill(code)
    page.keyboard.press("Enter")


def workbook(rows: int, *, broken: int, club: str) -> bytes:
    """A file of accounts; every household has a principal and, every third one, a spouse. The row
    ``broken`` has no category that there is."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADING)
    for number in range(rows):
        household, is_spouse = number - number % 3 // 2, number % 3 == 2
        sheet.append(
            (
                f"{club}-{household:05d}",
                "no such" if number == broken else "regular",
                f"{club}{household:05d}{'A' if is_spouse else ''}",
                "spouse" if is_spouse else "principal",
                "Demo",
                f"Member {number:05d}",
                f"{club.lower()}{number:05d}@example.com",
                f"{MOBILES[club]}{number:07d}",
            )
        )
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def upload(page: Page, server: Server, data: bytes) -> None:
    page.goto(f"{server.url}/admin/accounts/accountimport/add/")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.locator("#id_file").set_input_files({"name": "accounts.xlsx", "mimeType": kind, "buffer": data})
    page.get_by_role("button", name="Read the file").click()


@pytest.fixture(scope="module")
def office(page: Page, server: Server, prepared: tuple[Path, dict[str, str]]) -> Page:
    """The page of who has signed in with both factors."""
    who = prepared[1]
    sign_in(page, server, who)
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your second factor")
    expect(page.locator(".qr img")).to_be_visible()
    assert page.locator(".qr img").evaluate("image => image.complete && image.naturalWidth > 0")
    picture(page, "1-enrol")
    page.get_by_text("I cannot use the camera").click()
    secret = page.locator("details code").inner_text()
    began = time.time()
    answer(page, code_at(secret, began))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    expect(page.locator(".codes li")).to_have_count(10)
    picture(page, "2-recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="Recovery codes")).to_be_visible()
    picture(page, "3-back-office")
    page.get_by_role("button", name="Log out").click()
    sign_in(page, server, who)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    picture(page, "4-ask")
    # The code of half a minute ago is used up; the app's next one is taken already.
    answer(page, code_at(secret, began + 30))
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    return page


class TestOffice:
    def test_sets_up_the_second_factor_and_signs_in_with_it(self, office: Page) -> None:
        expect(office.get_by_role("link", name="Recovery codes")).to_be_visible()

    @pytest.mark.soak
    def test_issues_accounts_from_a_workbook(self, office: Page, server: Server) -> None:
        upload(office, server, workbook(60, broken=7, club="S"))
        expect(office.get_by_text("Nothing has been done yet")).to_be_visible()
        expect(office.get_by_role("link", name="refused (1)")).to_be_visible()
        picture(office, "5-preview")
        office.get_by_role("button", name="Issue or change 59 accounts").click()
        expect(office.get_by_text("Done at")).to_be_visible(timeout=60_000)
        picture(office, "6-issued")
        office.get_by_role("link", name="refused (1)").click()
        expect(office.get_by_text("There is no category no such")).to_be_visible()
        picture(office, "7-refused")
        with office.expect_download() as saved:
            office.get_by_role("link", name="Activation slips").click()
        assert Path(saved.value.path()).read_bytes().startswith(b"%PDF-")
        if folder := os.environ.get("DESK_PICTURES"):
            saved.value.save_as(Path(folder) / "slips.pdf")

    def test_writes_to_everybody(self, office: Page, server: Server) -> None:
        office.goto(f"{server.url}/admin/accounts/staffmessage/add/")
        office.locator("#id_title").fill("The pool is closed on Friday")
        office.locator("#id_body").fill("It opens again on Saturday at six.")
        office.locator("#id_to").select_option("members:")
        office.get_by_role("button", name="Save and continue editing").click()
        expect(office.locator(".field-how_many")).to_contain_text(re.compile(r"\d+ pe(rson|ople)"))
        picture(office, "9-message")
        office.get_by_role("button", name="Send to myself").click()
        expect(office.get_by_text("Sent to you by")).to_be_visible()
        office.get_by_role("button", name="Send now").click()
        expect(office.get_by_text("It is on its way")).to_be_visible()
        expect(office.locator("#id_title")).to_have_count(0)
        picture(office, "10-message-sent")

    def test_sees_the_app_as_a_member_and_stops(
        self, office: Page, server: Server, prepared: tuple[Path, dict[str, str]]
    ) -> None:
        office.goto(f"{server.url}/admin/accounts/member/{prepared[1]['member']}/change/")
        picture(office, "11-member")
        office.get_by_role("link", name="See as the member").click()
        office.locator("#id_reason").fill("Does not find the household.")
        office.get_by_role("button", name="See as the member").click()
        expect(office.get_by_text("You only read, until")).to_be_visible()
        office.get_by_role("link", name="Household").click()
        expect(office.locator(".seen-body")).to_contain_text("Looked-At")
        picture(office, "12-seen")
        office.get_by_role("button", name="Stop").click()
        expect(office.get_by_role("link", name="See as the member")).to_be_visible()

    @pytest.mark.soak
    def test_issues_five_thousand_in_two_minutes_and_again_nothing(
        self, office: Page, server: Server
    ) -> None:
        data = workbook(5_000, broken=1_234, club="L")
        began = time.monotonic()
        upload(office, server, data)
        expect(office.get_by_role("link", name="refused (1)")).to_be_visible(timeout=60_000)
        read = time.monotonic() - began
        office.get_by_role("button", name="Issue or change").click()
        seen: set[Any] = set()
        while not office.get_by_text("Done at").is_visible():
            assert time.monotonic() - began < 300
            if office.locator("progress").count():
                seen.add(office.locator("progress").get_attribute("value"))
            office.wait_for_timeout(500)
            office.wait_for_load_state()
        took = time.monotonic() - began
        print(f"5,000 accounts: read in {read:.1f} s, issued after {took:.1f} s, {len(seen)} steps seen")
        picture(office, "8-five-thousand")
        assert len(seen) > 2
        assert took < 120
        upload(office, server, data)
        expect(office.get_by_text("There is nothing to do")).to_be_visible(timeout=60_000)
