"""Renews ``docs/images/today.png``: the demo club on a busy Saturday, at a quarter past nine.

    python tests/live/picture_today.py [file.png]

Makes a demo club of its own in a temporary folder, fills the day up by the club's own rules, and
takes the picture of a real server with headless Chromium.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402 - the path comes first

from tests.live.server import run_script, serving  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SATURDAY = 5
FILL = ["-m", "tests.live.busy_day"]


def next_saturday() -> date:
    """The next Saturday that is not today."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=(SATURDAY - today.weekday() - 1) % 7 + 1)


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/today.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        run_script(["manage.py", "migrate", "--verbosity", "0"], data_dir)
        run_script(["manage.py", "demo_clock", f"{next_saturday()}T09:15+08:00"], data_dir)
        run_script(["manage.py", "demo"], data_dir)
        wish = json.loads(run_script(FILL, data_dir).strip().splitlines()[-1])
        password = json.loads((data_dir / "demo-sign-ins.json").read_text())["password"]
        with serving(data_dir, "--no-scheduler") as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
            )
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{server.url}/admin/")
            page.locator("#id_username").fill("front-desk")
            page.locator("#id_password").fill(password)
            page.keyboard.press("Enter")
            page.locator("#user-tools").get_by_role("link", name="Today").click()
            page.locator(f"[id='{wish['cell']}'] a").click()
            page.locator("#id_book-member").fill(wish["member"])
            page.get_by_role("button", name="Book", exact=True).click()
            page.get_by_role("alert").wait_for()
            page.mouse.move(0, 0)
            page.wait_for_timeout(300)
            page.screenshot(path=path)
            browser.close()
    print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
