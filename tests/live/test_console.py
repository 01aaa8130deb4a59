"""Two members of staff at the console in a browser, and a member's app, on the real server.

``CONSOLE_PICTURES=folder`` keeps a picture of each step there.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.chat.client import ChatClient
from tests.live.server import Server, migrated, run_json, serving
from tests.live.test_morning import CHROMIUM, QUIET

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.slow]
T = TypeVar("T")
Made = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    data_dir = migrated(tmp_path_factory.mktemp("console"))
    return data_dir, run_json(["tests/live/prepare_chat.py"], data_dir)


@pytest.fixture(scope="module")
def server(made: tuple[Path, Made]) -> Iterator[Server]:
    with serving(made[0], "--no-scheduler") as live:
        yield live


class Phone:
    """The member's app, in a loop of its own: the browser's is in the test's thread."""

    def __init__(self, server: Server, person: Made) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.http = httpx.Client(
            base_url=f"{server.url}/api/v1/", headers={"Authorization": f"Bearer {person['token']}"}
        )
        self.client = self.run(self._make(server, person["token"]))

    async def _make(self, server: Server, token: str) -> ChatClient:
        client = ChatClient([server.url.replace("http", "ws", 1)], token)
        client.start()
        await client.ready()
        return client

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def open_desk(self, desk: str) -> str:
        reply = self.http.post("chat/conversations", json={"kind": "desk", "desk": desk})
        assert reply.status_code == 201, reply.text
        found: str = reply.json()["id"]
        return found

    def say(self, thread: str, body: str) -> None:
        client_id = self.run(self.client.say(thread, body))
        self.run(self.client.until(lambda: client_id in self.client.acks))

    def tell(self, frame: Made) -> None:
        self.run(self.client.tell(frame))

    def hears(self, thread: str, body: str) -> None:
        def is_there() -> bool:
            return any(one["body"] == body for one in self.client.kept[thread].messages.values())

        self.run(self.client.until(is_there))

    def hears_of(self, **wanted: object) -> None:
        self.run(self.client.until(lambda: any(wanted.items() <= one.items() for one in self.client.others)))

    def stop(self) -> None:
        self.run(self.client.stop())
        self.http.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def phone(server: Server, made: tuple[Path, Made]) -> Iterator[Phone]:
    found = Phone(server, made[1]["people"][0])
    yield found
    found.stop()


@pytest.fixture
def night_phone(server: Server, made: tuple[Path, Made]) -> Iterator[Phone]:
    """Somebody else, whose conversation is in nobody's way."""
    found = Phone(server, made[1]["people"][1])
    yield found
    found.stop()


class Seat:
    """One member of staff at one window."""

    def __init__(self, context: BrowserContext, server: Server, who: Made) -> None:
        self.server = server
        self.name = who["username"]
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.goto(f"{server.url}/admin/")
        self.page.locator("#id_username").fill(who["username"])
        self.page.locator("#id_password").fill(who["password"])
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self) -> None:
        self.page.locator("#user-tools").get_by_role("link", name="Chat", exact=True).click()
        expect(self.page.locator("#live")).to_have_text("live")

    def choose(self, name: str, view: str = "Open") -> None:
        self.page.get_by_role("navigation", name="Views of the queue").get_by_role("link", name=view).click()
        self.page.locator(".console-lines").get_by_role("link", name=name).first.click()
        expect(self.page.locator("#live")).to_have_text("live")

    def log(self) -> Any:
        return self.page.locator("#log")

    def picture(self, name: str) -> None:
        if folder := os.environ.get("CONSOLE_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{self.name}-{name}.png")


@pytest.fixture(scope="module")
def sit_down(server: Server, made: tuple[Path, Made]) -> Iterator[Callable[[str], Seat]]:
    """Staff at windows of their own; at the end, no browser may have complained of anything."""
    seats: list[Seat] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        def sit(name: str) -> Seat:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(20_000)
            seats.append(Seat(context, server, made[1]["staff"][name]))
            return seats[-1]

        yield sit
        browser.close()
    assert [complaint for seat in seats for complaint in seat.complaints] == []


class TestConsole:
    def test_two_answer_a_member_who_is_at_the_other_end(
        self, sit_down: Callable[[str], Seat], phone: Phone, made: tuple[Path, Made]
    ) -> None:
        said = made[1]
        caller = said["people"][0]["name"]
        thread = phone.open_desk(said["desk"])
        phone.say(thread, "Is the pool open?")
        first, second = sit_down("front-desk"), sit_down("second-desk")

        # The queue has them; the conversation, the card and the presence are there.
        first.open()
        first.choose(caller, "Waiting")
        expect(first.log()).to_contain_text("Is the pool open?")
        expect(first.page.locator("#presence")).to_have_text("online")
        expect(first.page.locator("#card")).to_contain_text("Socket Court")
        first.picture("1-waiting")
        phone.hears_of(type="receipt", conversation=thread, read=1)

        # By keyboard alone: a canned reply, a line of one's own, and Enter.
        first.page.get_by_label("Canned reply").select_option(label="Pool hours")
        first.page.keyboard.type(" See you!")
        phone.hears_of(type="typing", conversation=thread, active=True)
        first.page.keyboard.press("Enter")
        expect(first.log()).to_contain_text("The pool is open from six to ten. See you!")
        expect(first.page.locator("#id_body")).to_be_focused()
        phone.hears(thread, "The pool is open from six to ten. See you!")

        # The receipt, and typing from the other side.
        phone.tell({"type": "read", "conversation": thread, "seq": 2})
        expect(first.log().locator(".console-receipt").last).to_have_text("read")
        phone.tell({"type": "typing", "conversation": thread})
        expect(first.page.locator("#end")).to_contain_text("is writing")
        first.picture("2-answered")

        # The second window hears the next message without a reload, and is handed the conversation.
        second.open()
        second.choose(caller)
        phone.say(thread, "And the small one?")
        expect(second.log()).to_contain_text("And the small one?")
        expect(first.log()).to_contain_text("And the small one?")
        first.page.get_by_text("More", exact=True).click()
        first.page.get_by_label("Hand over to").select_option(label="Test Second Desk")
        first.page.get_by_label("Note").fill("Knows the pools.")
        first.picture("3-handing-over")
        first.page.get_by_role("button", name="Hand over").click()
        expect(first.page.get_by_role("status")).to_contain_text("Handed over to Test Second Desk")
        expect(second.page.locator(".console-head")).to_contain_text("answered by you")
        second.page.locator("#id_body").fill("It is, too.")
        second.page.locator("#id_body").press("Enter")
        phone.hears(thread, "It is, too.")
        expect(first.log()).to_contain_text("It is, too.")

        # Closing is told to the member; what they write opens it again, for both windows.
        second.page.get_by_role("button", name="Close", exact=True).click()
        phone.hears(thread, "The desk has closed this conversation. Write here to open it again.")
        phone.say(thread, "Thank you!")
        expect(second.log()).to_contain_text("Thank you!")
        second.picture("4-opened-again")

        # The member goes away, and everybody sees it.
        phone.run(phone.client.stop())
        expect(second.page.locator("#presence")).to_have_text("offline")

    def test_shows_the_away_message_of_a_desk_where_nobody_sits(
        self, sit_down: Callable[[str], Seat], night_phone: Phone, made: tuple[Path, Made]
    ) -> None:
        thread = night_phone.open_desk(made[1]["night"])
        night_phone.say(thread, "Hello?")
        night_phone.hears(thread, "Nobody sits here now.")
        seat = sit_down("front-desk")
        seat.page.set_viewport_size({"width": 900, "height": 1000})
        seat.open()
        seat.page.get_by_label("Desk").select_option(label="Night Desk")
        seat.page.get_by_role("button", name="Show").click()
        seat.page.locator(".console-lines").get_by_role("link").first.click()
        expect(seat.log()).to_contain_text("Away message")
        expect(seat.log()).to_contain_text("Nobody sits here now.")
        seat.picture("5-away")
